"""Training text: pairs from files, and pairs mined from any corpus of articles."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tppo.corpus import Article, find_files, read_articles
from tppo.errors import DataError

__all__ = ["Pair", "ScoredPair", "Sources", "read_sources", "sentences_of"]

Pair = tuple[str, str]
ScoredPair = tuple[str, str, float]

PARALLEL_PREFIX = "en-id"
SCORED_PREFIX = "stsb"
POSITIVE = frozenset(
    {"1", "entailment", "paraphrase", "facqa", "wrete:entail_or_paraphrase", "idk_mrc", "squad_mt", "tydiqa"}
)
NEGATIVE = frozenset({"0", "contradiction"})
NEITHER = frozenset({"neutral", "wrete:notentail"})

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_PASSAGE_SENTENCES = 5
_PASSAGE_CHARS = 200
_SHORT_CHARS = 1500


@dataclass
class Sources:
    """All that an encoder is trained and measured on.

    Parameters
    ----------
    parallel : list of (str, str)
        Indonesian sentences and their English translations.
    pairs : list of (str, str)
        Texts that mean the same or belong together: premise and entailment, question and passage, neighbours.
    negatives : dict of str to str
        A first text of `pairs` to one that looks like a partner and is none.
    texts : list of str
        Every distinct Indonesian text.
    scored : list of (str, str, float)
        Pairs with a human similarity score: for measuring only, never trained on.
    files : dict of str to str
        Names of the files read, with the SHA-256 of each.
    """

    parallel: list[Pair] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    negatives: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    scored: list[ScoredPair] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def sentences_of(text: str) -> list[str]:
    """Cut a text at end marks followed by a blank: rougher than `tppo.corpus.sentence_spans`, for training only."""
    return _SENTENCE_END.split(text)


def read_sources(pairs: Sequence[str | Path] = (), corpus: Sequence[str | Path] = ()) -> Sources:
    """Read pair files and mine articles.

    Parameters
    ----------
    pairs : sequence of str or Path
        JSONL files (``.jsonl`` or ``.jsonl.gz``), folders or globs; rows ``{"a": …, "b": …, "label": …}``. In a file
        named ``en-id*`` `a` is Indonesian and `b` its English translation; in one named ``stsb*`` the label is a
        similarity score. Elsewhere the label says whether the two belong together; without one they do.
    corpus : sequence of str or Path
        Articles in any format that `tppo.corpus.read_articles` reads. Titles are paired with the body's beginning,
        sentences with the next.

    Raises
    ------
    DataError
        If a row is no pair, a label is unknown, or there is no Indonesian text at all.
    """
    sources = Sources()
    translated: list[str] = []
    for path in find_files(pairs) if pairs else []:
        sources.files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        rows = _pair_rows(path)
        if path.name.startswith(SCORED_PREFIX):
            sources.scored.extend((a, b, _score(label, source)) for source, a, b, label in rows)
        elif path.name.startswith(PARALLEL_PREFIX):
            sources.parallel.extend((a, b) for _, a, b, _ in rows)
        else:
            _add_pairs(sources, rows)
    passages = dict.fromkeys(b for a, b in sources.pairs if len(b) > _PASSAGE_CHARS and len(b) > 1.1 * len(a))
    sources.pairs += [pair for passage in passages for pair in _neighbours(sentences_of(passage))]
    translated = [a for a, _ in sources.parallel]
    mined_texts, mined_pairs = _mine(find_files(corpus) if corpus else [], sources.files)
    kept_out = {text for a, b, _ in sources.scored for text in (a, b)}
    texts = dict.fromkeys([*sources.texts, *translated, *mined_texts])
    sources.texts = [text for text in texts if text not in kept_out]
    sources.pairs = [pair for pair in dict.fromkeys([*sources.pairs, *mined_pairs]) if not kept_out.intersection(pair)]
    sources.parallel = [pair for pair in sources.parallel if pair[0] not in kept_out]
    if not sources.texts:
        raise DataError(f"no Indonesian text to learn from in {', '.join(map(str, [*pairs, *corpus])) or 'no files'}")
    return sources


def _pair_rows(path: Path) -> Iterator[tuple[str, str, str, Any]]:
    """Yield where each row stands, its two texts and its label."""
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise DataError(f"pairs are read from .jsonl or .jsonl.gz, got {path}")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = json.loads(line)
                a, b, label = row["a"], row["b"], row.get("label")
            except (ValueError, KeyError, TypeError, AttributeError):
                raise DataError(
                    f"{path}:{number}: expected a JSON object with 'a' and 'b', got {line[:60]!r}"
                ) from None
            if not isinstance(a, str) or not isinstance(b, str):
                raise DataError(f"{path}:{number}: 'a' and 'b' must be strings, got {a!r:.40} and {b!r:.40}")
            yield f"{path}:{number}", a, b, label


def _score(label: Any, source: str) -> float:
    """Return the score of a pair as a number."""
    try:
        return float(label)
    except (TypeError, ValueError):
        raise DataError(f"{source}: the label of a scored pair must be a number, got {label!r:.40}") from None


def _add_pairs(sources: Sources, rows: Iterable[tuple[str, str, str, Any]]) -> None:
    """Sort pairs into partners and wrong partners by their label."""
    for source, a, b, label in rows:
        sources.texts += [a, b]
        kind = "1" if label is None else str(label).lower()
        if kind in POSITIVE:
            sources.pairs.append((a, b))
        elif kind in NEGATIVE:
            sources.negatives[a] = b
        elif kind not in NEITHER:
            known = ", ".join(sorted(POSITIVE | NEGATIVE | NEITHER))
            raise DataError(f"{source}: unknown label {label!r:.40}; expected none, or one of {known}")


def _mine(paths: Sequence[Path], files: dict[str, str]) -> tuple[list[str], list[Pair]]:
    """Return the passages of articles, and pairs of title and beginning and of neighbouring sentences."""
    for path in paths:
        files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    texts: list[str] = []
    pairs: list[Pair] = []
    for article in read_articles(paths):
        if not isinstance(article, Article):
            continue
        if article.title is None and len(article.text) <= _SHORT_CHARS:
            texts.append(article.text)  # a sentence or a remark, as collections of single sentences hold
            continue
        sentences = sentences_of(article.text)
        starts = range(0, len(sentences), _PASSAGE_SENTENCES)
        passages = [" ".join(sentences[first : first + _PASSAGE_SENTENCES]) for first in starts]
        texts += passages
        pairs += _neighbours(sentences)
        if article.title:
            texts.append(article.title)
            pairs.append((article.title, passages[0]))
    return texts, pairs


def _neighbours(sentences: Sequence[str]) -> list[Pair]:
    return list(itertools.pairwise(sentences))
