"""TF-IDF over an encoder's tokens and pairs of neighbouring stems: what the classifier reads beside the vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tppo.embedding.affixes import stem_candidates
from tppo.embedding.base import IntVector, Tokens
from tppo.embedding.tokens import SubwordTokenizer
from tppo.errors import ModelError

__all__ = ["SubwordTerms", "TermCounts"]

_CONTINUATION = "##"
_SHORTEST_STEM = 4


class TermCounts:
    """How often each known term occurs in each text, and how many of its tokens are unknown.

    Parameters
    ----------
    known : sparse matrix of shape (n_texts, n_terms), float32
        Counts.
    unknown : ndarray of shape (n_texts,), float32
        Word tokens that were not learnt.
    """

    def __init__(self, known: Any, unknown: NDArray[np.float32]) -> None:
        self.known = known
        self.unknown = unknown

    def summed(self, bags: IntVector) -> TermCounts:
        """Return the counts of articles from those of their windows; `bags` ascends from 0 without gaps."""
        n = len(bags)
        members = sp.csr_matrix((np.ones(n, dtype=np.float32), (bags, np.arange(n))), shape=(int(bags[-1]) + 1, n))
        return TermCounts(members @ self.known, members @ self.unknown)


class SubwordTerms:
    """TF-IDF vectors over tokens and over pairs of neighbouring stems, with sublinear term frequency.

    The tokens are those that a static encoder reads, so a text is tokenised once. Pairs are taken over stems, which
    *menjual ginjal* and *penjualan ginjalnya* share; a token's stem is the shortest word of the vocabulary, of four
    letters or more, that it is derived from by affixes. The weighting is that of scikit-learn's
    ``TfidfVectorizer(sublinear_tf=True)`` but for one thing: a token that was not learnt counts towards a text's length
    with the highest weight there is, so that a sentence of unknown words with one known among them is not taken for
    that one.

    Parameters
    ----------
    tokenizer : SubwordTokenizer
        What the token ids come from.
    max_features : int
        Most terms kept, the most frequent first.
    min_df : int
        Texts a term must occur in.
    """

    def __init__(self, tokenizer: SubwordTokenizer, *, max_features: int = 60_000, min_df: int = 2) -> None:
        self.tokenizer = tokenizer
        self.max_features = max_features
        self.min_df = min_df
        self._stems: IntVector = np.zeros(0, dtype=np.int64)  # of each token; -1 where it is no word
        self._keys: IntVector = np.zeros(0, dtype=np.int64)  # of each term, ascending
        self._idf: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    @property
    def n_terms(self) -> int:
        """Number of terms, the width of the matrix."""
        return len(self._keys)

    @property
    def fingerprint(self) -> str:
        """Digest of tokenizer, terms and weights, 16 hex digits."""
        state = self.tokenizer.fingerprint.encode() + self._keys.tobytes() + self._idf.tobytes()
        return hashlib.sha256(state).hexdigest()[:16]

    def fit(self, tokens: Tokens) -> Self:
        """Learn the terms and their inverse document frequencies from texts.

        Raises
        ------
        ModelError
            If the texts hold no words.
        """
        self._stems = _stem_ids(self.tokenizer.vocabulary())
        rows, keys = self._occurrences(tokens)
        if not len(keys):
            raise ModelError(f"cannot learn terms from {len(tokens.lengths)} texts: they hold no words")
        terms, column, total = np.unique(keys, return_inverse=True, return_counts=True)
        in_texts = np.bincount(np.unique(rows * len(terms) + column) % len(terms), minlength=len(terms))
        n_texts = len(tokens.lengths)
        kept = np.flatnonzero(in_texts >= min(self.min_df, max(1, n_texts // 2)))
        kept = np.sort(kept[np.argsort(-total[kept], kind="stable")][: self.max_features])
        self._keys = terms[kept]
        self._idf = (np.log((1 + n_texts) / (1 + in_texts[kept])) + 1).astype(np.float32)
        return self

    def count(self, tokens: Tokens) -> TermCounts:
        """Count the terms of texts."""
        if not self.n_terms:
            raise ModelError("these terms have not been learnt: call fit first")
        rows, keys = self._occurrences(tokens)
        column = np.minimum(np.searchsorted(self._keys, keys), self.n_terms - 1)
        known = self._keys[column] == keys
        shape = (len(tokens.lengths), self.n_terms)
        ones = np.ones(int(known.sum()), dtype=np.float32)
        counts = sp.csr_matrix((ones, (rows[known], column[known])), shape=shape)
        single = keys < len(self._stems)
        unknown = np.bincount(rows[single & ~known], minlength=shape[0]).astype(np.float32)
        return TermCounts(counts, unknown)

    def weigh(self, counts: TermCounts) -> Any:
        """Return rows of length 1, or less by the unknown tokens; sparse of shape (n_texts, n_terms), float32."""
        matrix = counts.known.copy()
        matrix.data = (1 + np.log(matrix.data)) * self._idf[matrix.indices]
        per_row = np.diff(matrix.indptr)
        row = np.repeat(np.arange(matrix.shape[0]), per_row)
        square = np.bincount(row, weights=matrix.data**2, minlength=matrix.shape[0])
        length = np.sqrt(square + counts.unknown * self._idf.max() ** 2)
        matrix.data /= np.repeat(np.where(length > 0, length, 1), per_row).astype(np.float32)
        return matrix

    def transform(self, tokens: Tokens) -> Any:
        """Return the rows of texts, see `weigh`."""
        return self.weigh(self.count(tokens))

    def _occurrences(self, tokens: Tokens) -> tuple[IntVector, IntVector]:
        """Return the text and the key of each occurrence: a token's id, or beyond them a pair of stem ids."""
        n = len(self._stems)
        row = np.repeat(np.arange(len(tokens.lengths)), tokens.lengths)
        stem = self._stems[tokens.ids]
        word = stem >= 0
        row, ids, stem = row[word], tokens.ids[word], stem[word]
        beside = row[1:] == row[:-1]
        pairs = (n + stem[:-1] * n + stem[1:])[beside]
        return np.concatenate([row, row[:-1][beside]]), np.concatenate([ids, pairs])

    def save(self, folder: Path) -> None:
        """Write ``terms.json`` and ``terms.safetensors``."""
        (folder / "terms.json").write_text(json.dumps({"tokenizer": self.tokenizer.fingerprint}), encoding="utf-8")
        save_file({"idf": self._idf, "keys": self._keys, "stems": self._stems}, folder / "terms.safetensors")

    @classmethod
    def load(cls, folder: Path, tokenizer: SubwordTokenizer) -> SubwordTerms:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the terms belong to another tokenizer, or do not fit together.
        """
        learnt_with = json.loads((folder / "terms.json").read_text(encoding="utf-8"))["tokenizer"]
        if learnt_with != tokenizer.fingerprint:
            raise ModelError(f"{folder}: learnt with tokenizer {learnt_with}, got {tokenizer.fingerprint}: train again")
        stored = load_file(folder / "terms.safetensors")
        terms = cls(tokenizer)
        terms._idf, terms._keys, terms._stems = stored["idf"], stored["keys"], stored["stems"]
        n = tokenizer.n_tokens
        whole = len(terms._idf) == len(terms._keys) > 0 and len(terms._stems) == n and terms._stems.max() < n
        if not whole or (np.diff(terms._keys) <= 0).any():
            raise ModelError(f"{folder}: damaged terms: {len(terms._keys)} keys, {len(terms._idf)} weights")
        return terms


def _stem_ids(vocabulary: Sequence[str]) -> IntVector:
    """Return the id of each token's stem, its own where there is none, -1 where the token holds no letter or digit."""
    known = {token: number for number, token in enumerate(vocabulary)}
    stems = np.full(len(vocabulary), -1, dtype=np.int64)
    for number, token in enumerate(vocabulary):
        letters = token.removeprefix(_CONTINUATION)
        if not any(c.isalnum() for c in letters):
            continue
        stems[number] = known.get(letters, number)
        if letters.isalpha() and len(letters) > _SHORTEST_STEM:
            forms = [known[form] for form in stem_candidates(letters) if len(form) >= _SHORTEST_STEM and form in known]
            stems[number] = min(forms, key=lambda form: (len(vocabulary[form]), form), default=stems[number])
    return stems
