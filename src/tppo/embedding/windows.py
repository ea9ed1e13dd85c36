"""Cut articles into windows of whole sentences that an encoder can read whole; count what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tppo.corpus.sentences import sentence_spans
from tppo.embedding.base import IntVector, TokenEncoder, Tokens, Windows

__all__ = ["cut_windows"]

Interval = tuple[int, int]


class _Counter(Protocol):
    @property
    def max_tokens(self) -> int | None: ...

    def count_tokens(self, texts: Sequence[str]) -> IntVector: ...


def cut_windows(
    texts: Sequence[str],
    encoder: _Counter,
    *,
    max_sentences: int = 1,
    overlap: int = 0,
    max_windows: int = 512,
) -> Windows:
    """Cut texts into windows.

    Parameters
    ----------
    texts : sequence of str
        Clean texts of the articles.
    encoder : Encoder
        Its tokens are counted, its `max_tokens` bounds a window.
    max_sentences : int
        Most sentences in a window, at least 1.
    overlap : int
        Sentences that a window shares with the one before it, less than `max_sentences`.
    max_windows : int
        Most windows of one article; the tokens of the sentences beyond them are counted as dropped.

    Returns
    -------
    Windows
        At least one window per article (an empty one for an empty text). A sentence longer than the encoder reads is
        cut at blanks into pieces that it does, so that nothing is truncated silently.
    """
    pieces, counts, tokens = _readable_pieces(texts, encoder)
    out_texts: list[str] = []
    out_spans: list[Interval] = []
    out_article: list[int] = []
    out_pieces: list[Interval] = []
    n_tokens = np.zeros(len(texts), dtype=np.int64)
    n_dropped = np.zeros(len(texts), dtype=np.int64)
    before = 0
    for number, (text, spans, lengths) in enumerate(zip(texts, pieces, counts)):
        windows = _pack(lengths, encoder.max_tokens, max_sentences, overlap)[:max_windows]
        end_sentence = windows[-1][1] if windows else 0
        n_tokens[number] = lengths[:end_sentence].sum()
        n_dropped[number] = lengths[end_sentence:].sum()
        for first, last in windows or [(0, 0)]:
            start, end = (spans[first][0], spans[last - 1][1]) if windows else (0, 0)
            out_texts.append(text[start:end])
            out_spans.append((start, end))
            out_article.append(number)
            out_pieces.append((before + first, before + last))
        before += len(spans)
    taken = np.array(out_pieces, dtype=np.int64).reshape(-1, 2)
    return Windows(
        texts=out_texts,
        spans=np.array(out_spans, dtype=np.int64).reshape(-1, 2),
        article=np.array(out_article, dtype=np.int64),
        n_tokens=n_tokens,
        n_dropped=n_dropped,
        tokens=None if tokens is None else tokens.joined(taken[:, 0], taken[:, 1]),
    )


def _readable_pieces(
    texts: Sequence[str], encoder: _Counter
) -> tuple[list[list[Interval]], list[IntVector], Tokens | None]:
    """Return the sentences of each text, one too long for the encoder in pieces; then what `_count` says of them."""
    pieces = [sentence_spans(text) for text in texts]
    counts, tokens = _count(texts, pieces, encoder)
    limit = encoder.max_tokens
    # Tokens do not lie evenly in a sentence: cut again until every piece fits (or is a single character).
    while limit is not None and any(int(c.max(initial=0)) > limit for c in counts):
        shorter = [
            [piece for span, n in zip(spans, c) for piece in _cut_long(text, span, int(n), limit)]
            for text, spans, c in zip(texts, pieces, counts)
        ]
        if shorter == pieces:
            break
        pieces = shorter
        counts, tokens = _count(texts, pieces, encoder)
    return pieces, counts, tokens


def _count(
    texts: Sequence[str], pieces: list[list[Interval]], encoder: _Counter
) -> tuple[list[IntVector], Tokens | None]:
    """Return the number of tokens of each piece, per text, and all their tokens if the encoder gives them."""
    flat = [text[start:end] for text, spans in zip(texts, pieces) for start, end in spans]
    tokens = encoder.tokenize(flat) if isinstance(encoder, TokenEncoder) else None
    counts = tokens.lengths if tokens else encoder.count_tokens(flat) if flat else np.zeros(0, dtype=np.int64)
    per_text = np.split(counts, np.cumsum([len(spans) for spans in pieces])[:-1]) if pieces else []
    return per_text, tokens


def _cut_long(text: str, span: Interval, n_tokens: int, limit: int) -> list[Interval]:
    """Cut a sentence at blanks into pieces of about equal length, short enough for the limit with a margin."""
    start, end = span
    if n_tokens <= limit:
        return [span]
    step = max(1, int((end - start) * limit / n_tokens * 0.7))
    cuts = []
    while end - start > step:
        blank = text.rfind(" ", start + 1, start + step)
        cut = blank if blank > start else start + step
        cuts.append((start, cut))
        start = cut + 1 if blank > start else cut
    return [(low, high) for low, high in [*cuts, (start, end)] if text[low:high].strip()]


def _pack(tokens: IntVector, limit: int | None, max_sentences: int, overlap: int) -> list[Interval]:
    """Return windows as ranges of sentence numbers."""
    windows: list[Interval] = []
    first = 0
    while first < len(tokens):
        last, total = first + 1, int(tokens[first])
        while last < len(tokens) and last - first < max_sentences:
            total += int(tokens[last])
            if limit is not None and total > limit:
                break
            last += 1
        windows.append((first, last))
        if last >= len(tokens):
            break
        first = max(last - overlap, first + 1)
    return windows
