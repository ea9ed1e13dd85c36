"""Topic words for readers: class-based TF-IDF, affixed forms merged, words that belong together, names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tppo.embedding.terms import words
from tppo.topics.stopwords import STOP_WORDS

__all__ = ["class_tf_idf", "coherent_columns", "content_words", "merge_forms", "roots", "topic_name", "topic_words"]

_CANDIDATES = 20
_LEAST_SHARE = 0.05
_NASAL = {"meny": "s", "peny": "s", "mem": "p", "pem": "p", "men": "t", "pen": "t", "meng": "k", "peng": "k"}
_PREFIXES = tuple(
    "memper diper menge penge meng peng meny peny mem pem men pen ber per ter di ke se me pe be".split()  # noqa: SIM905 (a line, not 20)
)
_SUFFIXES = ("kannya", "annya", "inya", "nya", "kan", "an", "i", "lah", "pun", "ku", "mu")
_SHORTEST = 4


def content_words(text: str) -> list[str]:
    """Return the words of a text in lower case, without stop words and numbers."""
    return [word for word in words(text) if word not in STOP_WORDS and not word[0].isdigit() and "_" not in word]


def roots(word: str) -> frozenset[str]:
    """Return every form of at least four letters that an Indonesian word may be derived from, itself included.

    ``menangkap`` and ``penangkapan`` share ``tangkap``; which candidate is a word at all is for the caller to know.
    """
    bases = {word} | {word.removesuffix(s) for s in _SUFFIXES if word.endswith(s)}
    found = set(bases)
    for base in bases:
        for prefix in _PREFIXES:
            if base.startswith(prefix):
                rest = base[len(prefix) :]
                found.add(rest)
                if prefix in _NASAL and rest[:1] in "aiueo":
                    found.add(_NASAL[prefix] + rest)
    return frozenset(root for root in found if len(root) >= _SHORTEST) | {word}


def class_tf_idf(counts: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return BERTopic's class-based TF-IDF with BM25 weights and damped frequent words.

    Parameters
    ----------
    counts : ndarray of shape (n_topics, n_words)
        How often each word occurs in each topic, or in how many of its articles.

    Returns
    -------
    ndarray of shape (n_topics, n_words), >= 0
        Equal to ``ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True)`` (tested).
    """
    dense = np.asarray(counts, dtype=np.float64)
    total = dense.sum(axis=0)
    average = int(dense.sum(axis=1).mean()) if len(dense) else 0
    idf = np.log(1 + (average - total + 0.5) / (total + 0.5))
    length = dense.sum(axis=1, keepdims=True)
    weights: NDArray[np.float64] = np.sqrt(dense / np.where(length > 0, length, 1)) * np.maximum(idf, 0)
    return weights


def topic_words(
    counts: NDArray[np.int64],
    sizes: Sequence[int],
    vocabulary: Sequence[str],
    presence: sp.csc_matrix | None,
    *,
    n_words: int = 10,
) -> list[list[str]]:
    """Choose the words that stand for each topic.

    A word goes to the one topic it marks most (class-based TF-IDF of articles that hold it, so that a word repeated in
    one article does not count twice) and must stand in a twentieth of the topic's articles. Of the strongest, forms of
    one root are merged into the strongest form, and words that do not occur together with the others are dropped first.

    Parameters
    ----------
    counts : ndarray of shape (n_topics, n_words), int64
        Articles of each topic that hold each word.
    sizes : sequence of int, length n_topics
        Articles of each topic.
    vocabulary : sequence of str, length n_words
        The words.
    presence : sparse matrix of shape (n_articles, n_words), or None
        1 where an article holds a word; None leaves out the last step.
    n_words : int
        Words per topic; fewer where there are no more.
    """
    weights = class_tf_idf(counts)
    owner = weights.argmax(axis=0)
    common = counts >= _LEAST_SHARE * np.maximum(np.asarray(sizes), 1)[:, None]
    chosen = []
    for topic, row in enumerate(weights):
        own = np.where((owner == topic) & common[topic], row, 0)
        ranked = [int(c) for c in np.argsort(-own, kind="stable")[: 3 * _CANDIDATES] if own[c] > 0]
        columns = merge_forms(ranked, vocabulary)[: max(_CANDIDATES, 2 * n_words)]
        kept = columns[:n_words] if presence is None else coherent_columns(columns, presence, n_words)
        chosen.append([vocabulary[c] for c in columns if c in kept])
    return chosen


def merge_forms(ranked: Sequence[int], vocabulary: Sequence[str]) -> list[int]:
    """Keep the first of the columns whose words share a root that is itself a word of the corpus.

    Parameters
    ----------
    ranked : sequence of int
        Columns, the strongest first.
    vocabulary : sequence of str
        Words of all columns.
    """
    taken: set[str] = set()
    kept = []
    known = _as_set(tuple(vocabulary))
    for column in ranked:
        attested = {root for root in roots(vocabulary[column]) if root in known}
        if not attested & taken:
            kept.append(column)
            taken |= attested
    return kept


@lru_cache(maxsize=4)
def _as_set(vocabulary: tuple[str, ...]) -> frozenset[str]:
    return frozenset(vocabulary)


def coherent_columns(columns: Sequence[int], presence: sp.csc_matrix, n_words: int) -> set[int]:
    """Drop the column whose word has the lowest mean NPMI to the rest until `n_words` are left; return those."""
    from tppo.topics.metrics import pair_npmi

    left = list(range(len(columns)))
    if len(left) > n_words:
        table = pair_npmi(presence[:, list(columns)])
        np.fill_diagonal(table, 0)
        while len(left) > n_words:
            left.pop(int(table[np.ix_(left, left)].sum(axis=1).argmin()))
    return {columns[i] for i in left}


def topic_name(chosen: Sequence[str], *, given: str | None = None, n: int = 3) -> str:
    """Return a name: the given one, else the first words."""
    return given or " · ".join(chosen[:n]) or "(tanpa kata)"
