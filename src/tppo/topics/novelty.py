"""What sets candidate articles apart from a background: contrast-weighted word rows, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tppo.embedding import FloatMatrix, IntVector
from tppo.topics.base import TermTable
from tppo.topics.consensus import consensus_labels, unit_rows

__all__ = ["BoolArray", "Groups", "contrast", "group_candidates"]

BoolArray = NDArray[np.bool_]
_MOST = 2.0  # a word counts for no more than e^2 = 7 times as frequent
_RUNS = 40
_LEAST_MEAN = 20  # candidates per group


@dataclass(frozen=True)
class Groups:
    """Candidate articles in groups.

    Parameters
    ----------
    rows : sparse matrix of shape (n_articles, n_words)
        What is novel in each article: its length is at most 1, and 0 for an article of known words only.
    labels : ndarray of shape (n_articles,), int64
        Group of each candidate, -1 for the other articles.
    profiles : ndarray of shape (n_groups, n_words), >= 0
        Mean row of each group, as far as it is above the mean of the other candidates.
    """

    rows: sp.csr_matrix
    labels: IntVector
    profiles: NDArray[np.float64]


def contrast(presence: sp.csc_matrix, candidate: BoolArray, background: BoolArray) -> NDArray[np.float64]:
    """Return how much more often candidates hold each word than the background: a log ratio cut to [0, 2].

    Parameters
    ----------
    presence : sparse matrix of shape (n_articles, n_words)
        1 where an article holds a word.
    candidate, background : ndarray of shape (n_articles,), bool
        The two sides; without a background every word counts in full.
    """
    if not background.any():
        return np.full(presence.shape[1], _MOST)
    rows = presence.tocsr()
    shares = [(np.asarray(rows[side].sum(axis=0)).ravel() + 0.5) / (side.sum() + 1) for side in (candidate, background)]
    ratio: NDArray[np.float64] = np.clip(np.log(shares[0] / shares[1]), 0, _MOST)
    return ratio


def group_candidates(
    terms: TermTable, candidate: BoolArray, background: BoolArray, *, n_groups: int, seed: int
) -> Groups:
    """Group the candidates by what they say and the background does not.

    Words that the background holds as often (court, police, the genres of news) weigh nothing, so that subject and not
    genre decides; what is left is TF-IDF, reduced and clustered by consensus.

    Parameters
    ----------
    terms : TermTable
        Words of all articles.
    candidate, background : ndarray of shape (n_articles,), bool
        Articles to group, and those to tell them from.
    n_groups : int
        Fewer come back where there are fewer than 20 candidates for each.
    seed : int
        Same seed, same groups.
    """
    from sklearn.utils.extmath import randomized_svd

    presence = terms.presence.tocsr()
    idf = np.log(presence.shape[0] / np.maximum(np.asarray(presence.sum(axis=0)).ravel(), 1))
    whole = presence @ sp.diags(idf)
    length = np.sqrt(np.asarray(whole.multiply(whole).sum(axis=1)).ravel())
    weight = idf * contrast(terms.presence, candidate, background) / _MOST
    rows = (sp.diags(1 / np.maximum(length, 1e-9)) @ presence @ sp.diags(weight)).tocsr()
    own = np.flatnonzero(candidate)
    labels = np.full(presence.shape[0], -1, dtype=np.int64)
    size = min(n_groups + 1, len(own) - 1, rows.shape[1] - 1)
    if size < 1:
        labels[own] = 0
    else:
        norm = np.sqrt(np.asarray(rows[own].multiply(rows[own]).sum(axis=1)).ravel())
        unit = sp.diags(1 / np.maximum(norm, 1e-9)) @ rows[own]
        with threadpool_limits(1):
            left, strength, _ = randomized_svd(unit, size, random_state=seed)
            points: FloatMatrix = unit_rows(left * strength)
            k = max(1, min(n_groups, len(own) // _LEAST_MEAN))
            labels[own] = consensus_labels(points, k, n_runs=_RUNS, seed=seed)
    return Groups(rows, labels, _profiles(rows, labels, own))


def _profiles(rows: sp.csr_matrix, labels: IntVector, own: IntVector) -> NDArray[np.float64]:
    """Return how much more often each group's articles hold each column than the others do, never below 0."""
    total = np.asarray(rows[own].sum(axis=0)).ravel()
    profiles = []
    for group in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == group)
        inside = np.asarray(rows[members].sum(axis=0)).ravel()
        others = (total - inside) / max(1, len(own) - len(members))
        profiles.append(np.maximum(inside / max(1, len(members)) - others, 0))
    return np.stack(profiles)
