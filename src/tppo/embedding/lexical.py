"""TF-IDF followed by truncated SVD (latent semantic analysis): an encoder learnt from the training texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file

from tppo.embedding.base import FloatMatrix, IntVector
from tppo.embedding.terms import TermVectors, words
from tppo.errors import ModelError

__all__ = ["TfidfSvdEncoder"]


class TfidfSvdEncoder:
    """Latent semantic analysis over word n-grams (Deerwester et al. 1990), rows normalised to unit length.

    Parameters
    ----------
    dimension : int
        Length of the vectors; fewer if the training texts do not span as many.
    max_features, ngram_max, min_df : int
        See `TermVectors`.
    seed : int
        For the randomised SVD.
    """

    max_tokens: int | None = None

    def __init__(
        self,
        *,
        dimension: int = 256,
        max_features: int = 40_000,
        ngram_max: int = 2,
        min_df: int = 2,
        seed: int = 0,
    ) -> None:
        self.dimension = dimension
        self.seed = seed
        self._terms = TermVectors(max_features=max_features, ngram_max=ngram_max, min_df=min_df)
        self._projection: FloatMatrix = np.zeros((0, 0), dtype=np.float32)

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn terms and projection from texts."""
        from sklearn.decomposition import TruncatedSVD

        matrix = self._terms.fit(texts).transform(texts)
        rank = min(self.dimension, min(matrix.shape) - 1)
        if rank < 1:
            raise ModelError(f"cannot learn an SVD from {matrix.shape[0]} texts with {matrix.shape[1]} terms")
        svd = TruncatedSVD(rank, random_state=self.seed).fit(matrix)
        self._projection = np.ascontiguousarray(svd.components_.T, dtype=np.float32)
        return self

    @property
    def fingerprint(self) -> str:
        """Digest of terms, weights and projection."""
        return hashlib.sha256(self._terms.fingerprint.encode() + self._projection.tobytes()).hexdigest()[:16]

    def count_tokens(self, texts: Sequence[str]) -> IntVector:
        """Return the number of words of each text; shape (n_texts,)."""
        return np.array([len(words(text)) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit-length vectors of shape (n_texts, dimension), float32; all zero where no term is known."""
        vectors = np.asarray(self._terms.transform(texts) @ self._projection, dtype=np.float32)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the terms and ``projection.safetensors``."""
        self._terms.save(folder)
        save_file({"projection": self._projection}, folder / "projection.safetensors")

    @classmethod
    def load(cls, folder: Path) -> TfidfSvdEncoder:
        """Read what `save` wrote."""
        encoder = cls()
        encoder._terms = TermVectors.load(folder)
        encoder._projection = load_file(folder / "projection.safetensors")["projection"]
        encoder.dimension = encoder._projection.shape[1]
        if encoder._terms.n_terms != len(encoder._projection):
            raise ModelError(f"{folder}: {encoder._terms.n_terms} terms but {len(encoder._projection)} rows")
        return encoder
