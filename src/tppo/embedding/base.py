"""What an encoder is, and the arrays the embedding stage hands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder", "FloatMatrix", "IntVector", "TokenEncoder", "Tokens", "TrainableEncoder", "Windows"]

FloatMatrix = NDArray[np.float32]
IntVector = NDArray[np.int64]


class Encoder(Protocol):
    """Turns texts into vectors. `encode` is all that the stages after it call."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of all that decides the vectors: weights, prompt, pooling, length, normalisation."""
        ...

    @property
    def max_tokens(self) -> int | None:
        """Longest text in tokens that is read whole; None if there is no limit."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> IntVector:
        """Return the number of tokens of each text, before any truncation; shape (n_texts,)."""
        ...

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit-length (or all-zero) vectors of shape (n_texts, dimension), float32."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that `load_encoder` needs into an existing empty folder, without pickle."""
        ...


@runtime_checkable
class TrainableEncoder(Protocol):
    """An encoder that learns from the training texts before it can encode."""

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn from texts and return self."""
        ...


@dataclass(frozen=True)
class Tokens:
    """The token ids of several texts, one after the other.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int64
        Token ids of all texts.
    lengths : ndarray of shape (n_texts,), int64
        Tokens per text.
    """

    ids: IntVector
    lengths: IntVector

    @property
    def offsets(self) -> IntVector:
        """Where each text's ids begin, and where the last one's end; shape (n_texts + 1,)."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.lengths)])

    def joined(self, first: IntVector, stop: IntVector) -> Tokens:
        """Return the tokens of new texts, each made of the texts from `first` up to before `stop`."""
        offsets = self.offsets
        start = offsets[first]
        lengths = offsets[stop] - start
        shift = np.repeat(start - np.cumsum(lengths) + lengths, lengths)
        return Tokens(self.ids[shift + np.arange(len(shift))], lengths)


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that reads each word by itself, so that token ids can be had once and shared."""

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Return the token ids of texts; those of two texts joined by a blank are theirs joined."""
        ...

    def encode_tokens(self, tokens: Tokens) -> FloatMatrix:
        """Return what `Encoder.encode` gives for the texts that the tokens are of."""
        ...


@dataclass(frozen=True)
class Windows:
    """Articles cut into windows of whole sentences.

    Parameters
    ----------
    texts : list of str, length n_windows
        Window texts; windows of one article stand together, in order.
    spans : ndarray of shape (n_windows, 2), int64
        Start and end of each window in its article's clean text.
    article : ndarray of shape (n_windows,), int64
        Index of each window's article, ascending from 0 to n_articles - 1; every article has at least one window.
    n_tokens : ndarray of shape (n_articles,), int64
        Tokens that the windows cover.
    n_dropped : ndarray of shape (n_articles,), int64
        Tokens of the clean text that no window covers.
    tokens : Tokens or None
        The windows' token ids, if the encoder gives them.
    vectors : ndarray of shape (n_windows, dimension), float32, or None
        The windows' vectors, once encoded.
    """

    texts: list[str]
    spans: NDArray[np.int64]
    article: IntVector
    n_tokens: IntVector
    n_dropped: IntVector
    tokens: Tokens | None = None
    vectors: FloatMatrix | None = None

    @property
    def n_articles(self) -> int:
        """Number of articles."""
        return len(self.n_tokens)

    def with_vectors(self, vectors: FloatMatrix) -> Windows:
        """Return the same windows with their vectors."""
        if len(vectors) != len(self.texts):
            raise ValueError(f"expected one vector per window ({len(self.texts)}), got {len(vectors)}")
        return replace(self, vectors=vectors)

    def select(self, articles: IntVector) -> Windows:
        """Return the windows of the given articles (ascending indices), renumbered from 0."""
        rows = np.flatnonzero(np.isin(self.article, articles))
        return Windows(
            texts=[self.texts[row] for row in rows],
            spans=self.spans[rows],
            article=np.searchsorted(articles, self.article[rows]),
            n_tokens=self.n_tokens[articles],
            n_dropped=self.n_dropped[articles],
            tokens=None if self.tokens is None else self.tokens.joined(rows, rows + 1),
            vectors=None if self.vectors is None else self.vectors[rows],
        )
