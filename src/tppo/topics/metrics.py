"""How good topics are: coherence (NPMI, C_v), diversity, stability. Plain arrays and word lists in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tppo.embedding import IntVector

__all__ = ["c_v", "diversity", "npmi", "pair_npmi", "stability"]

FloatArray = NDArray[np.float64]


def pair_npmi(presence: sp.csc_matrix) -> FloatArray:
    """Return the normalised pointwise mutual information of word pairs.

    Parameters
    ----------
    presence : sparse matrix of shape (n_articles, n_words)
        1 where an article holds a word.

    Returns
    -------
    ndarray of shape (n_words, n_words), in [-1, 1]
        -1 for words that never meet, 1 for words that always do.
    """
    n = max(1, presence.shape[0])
    binary = presence.astype(np.float64)
    together = np.asarray((binary.T @ binary).toarray()) / n
    single = np.diag(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(together / np.outer(single, single)) / -np.log(together)
    values = np.where(together >= 1, 1.0, values)
    return np.where(together > 0, values, -1.0)


def _columns(topics: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> list[list[int]]:
    index = {word: column for column, word in enumerate(vocabulary)}
    return [[index[word] for word in topic if word in index] for topic in topics]


def npmi(topics: Sequence[Sequence[str]], vocabulary: Sequence[str], presence: sp.csc_matrix) -> float:
    """Return the mean NPMI of all word pairs of a topic, averaged over topics (gensim's ``c_npmi`` on whole articles).

    Topics of fewer than two known words do not count; NaN if there are none.
    """
    values = []
    for columns in _columns(topics, vocabulary):
        if len(columns) >= 2:
            table = pair_npmi(presence[:, columns])
            values.append(float(table[np.triu_indices(len(columns), 1)].mean()))
    return float(np.mean(values)) if values else float("nan")


def c_v(topics: Sequence[Sequence[str]], vocabulary: Sequence[str], presence: sp.csc_matrix) -> float:
    """Return C_v (Röder et al. 2015) on whole articles: the cosine of each word's NPMI profile to its topic's.

    Averaged over words and topics; in [-1, 1]; NaN if no topic has two known words.
    """
    values = []
    for columns in _columns(topics, vocabulary):
        if len(columns) >= 2:
            table = pair_npmi(presence[:, columns])
            whole = table.sum(axis=0)
            norms = np.linalg.norm(table, axis=1) * np.linalg.norm(whole)
            values.append(float(np.mean((table @ whole) / np.where(norms > 0, norms, 1))))
    return float(np.mean(values)) if values else float("nan")


def diversity(topics: Sequence[Sequence[str]]) -> float:
    """Return the share of distinct words among all topic words, in (0, 1]; NaN without words."""
    shown = [word for topic in topics for word in topic]
    return len(set(shown)) / len(shown) if shown else float("nan")


def stability(labelings: Sequence[IntVector]) -> float:
    """Return the mean adjusted Rand index over all pairs of labelings; NaN for fewer than two.

    Parameters
    ----------
    labelings : sequence of ndarray of shape (n_articles,), int64
        Topic of each article in each fit; -2 where an article was not part of it.
    """
    from sklearn.metrics import adjusted_rand_score

    values = []
    for i, a in enumerate(labelings):
        for b in labelings[:i]:
            both = (a > -2) & (b > -2)
            values.append(float(adjusted_rand_score(a[both], b[both])))
    return float(np.mean(values)) if values else float("nan")
