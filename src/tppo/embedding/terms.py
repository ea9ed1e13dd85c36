"""TF-IDF term vectors whose learnt state is plain data: a list of terms and their weights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tppo.errors import ModelError

__all__ = ["TermVectors", "words"]

_WORD = re.compile(r"\w\w+")


def words(text: str) -> list[str]:
    """Return the words of two or more letters or digits, in lower case."""
    return _WORD.findall(text.lower())


class TermVectors:
    """TF-IDF vectors over word n-grams with sublinear term frequency.

    The weighting of scikit-learn's ``TfidfVectorizer(sublinear_tf=True)``, which learns the terms; kept apart from it
    so that a saved model is data only and labelling need not import scikit-learn. One thing differs: a word that was
    not learnt counts towards a text's length with the highest weight there is, so that a sentence of unknown words
    with one known among them is not taken for that one.

    Parameters
    ----------
    max_features : int
        Most terms kept, the most frequent first.
    ngram_max : int
        Longest n-gram in words.
    min_df : int
        Texts a term must occur in.
    """

    def __init__(self, *, max_features: int = 40_000, ngram_max: int = 2, min_df: int = 2) -> None:
        self.max_features = max_features
        self.ngram_max = ngram_max
        self.min_df = min_df
        self._column: dict[str, int] = {}
        self._idf: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn the terms and their inverse document frequencies from texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            tokenizer=words,
            token_pattern=None,
            lowercase=False,
            ngram_range=(1, self.ngram_max),
            min_df=min(self.min_df, max(1, len(texts) // 2)),
            max_features=self.max_features,
        )
        try:
            vectorizer.fit(texts)
        except ValueError as error:
            raise ModelError(f"cannot learn terms from {len(texts)} texts: {error}") from None
        self._column = {term: int(column) for term, column in vectorizer.vocabulary_.items()}
        self._idf = vectorizer.idf_.astype(np.float32)
        return self

    @property
    def n_terms(self) -> int:
        """Number of terms, the width of the matrix."""
        return len(self._column)

    @property
    def fingerprint(self) -> str:
        """Digest of terms and weights, 16 hex digits."""
        state = json.dumps([self.ngram_max, self._terms()]).encode() + self._idf.tobytes()
        return hashlib.sha256(state).hexdigest()[:16]

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return rows of length 1, or less by the unknown words; sparse of shape (n_texts, n_terms), float32."""
        if not self._column:
            raise ModelError("these term vectors have not learnt any terms: call fit first")
        indptr, indices, counts = [0], list[int](), list[int]()
        unknown = np.zeros(len(texts), dtype=np.float32)
        for row, text in enumerate(texts):
            seen: dict[int, int] = {}
            tokens = words(text)
            unknown[row] = sum(token not in self._column for token in tokens)
            for n in range(1, self.ngram_max + 1):
                grams = tokens if n == 1 else map(" ".join, zip(*(tokens[i:] for i in range(n))))
                for gram in grams:
                    column = self._column.get(gram)
                    if column is not None:
                        seen[column] = seen.get(column, 0) + 1
            indices.extend(seen)
            counts.extend(seen.values())
            indptr.append(len(indices))
        values = (1 + np.log(np.array(counts, dtype=np.float32))) * self._idf[indices]
        matrix = sp.csr_matrix((values, indices, indptr), shape=(len(texts), self.n_terms))
        length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() + unknown * self._idf.max() ** 2)
        matrix.data /= np.repeat(np.where(length > 0, length, 1), np.diff(matrix.indptr)).astype(np.float32)
        return matrix

    def _terms(self) -> list[str]:
        return sorted(self._column, key=self._column.__getitem__)

    def save(self, folder: Path) -> None:
        """Write ``terms.json`` and ``terms.safetensors``."""
        meta = {"ngram_max": self.ngram_max, "terms": self._terms()}
        (folder / "terms.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        save_file({"idf": self._idf}, folder / "terms.safetensors")

    @classmethod
    def load(cls, folder: Path) -> TermVectors:
        """Read what `save` wrote."""
        meta = json.loads((folder / "terms.json").read_text(encoding="utf-8"))
        loaded = cls(ngram_max=int(meta["ngram_max"]))
        loaded._column = {term: column for column, term in enumerate(meta["terms"])}
        loaded._idf = load_file(folder / "terms.safetensors")["idf"]
        if len(loaded._idf) != len(loaded._column):
            raise ModelError(f"{folder}: {len(loaded._column)} terms but {len(loaded._idf)} weights")
        return loaded
