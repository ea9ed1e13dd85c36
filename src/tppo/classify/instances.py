"""What a modus classifier learns from: rows that belong to labelled articles, and what is learnt from some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tppo.classify.contrast import TunedVectors
from tppo.classify.scorer import FloatArray, pool
from tppo.embedding import FloatMatrix, IntVector, Tokens

__all__ = ["Instances", "Learnt", "Wording", "beside", "complements", "learn_in_folds"]


@dataclass(frozen=True)
class Wording:
    """The words of the windows, and the token vectors that are tuned on them.

    Parameters
    ----------
    tokens : Tokens
        Token ids of each window.
    start : ndarray of shape (n_tokens, dimension), float32
        An encoder's token vectors.
    columns : ndarray of int64
        Columns of the labels by which two texts are alike.
    """

    tokens: Tokens
    start: FloatMatrix
    columns: IntVector


@dataclass(frozen=True)
class Instances:
    """Labelled articles as rows of features: their windows, or each as a whole.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_rows, n_features)
        Features.
    Y : ndarray of shape (n_articles, n_labels)
        1, 0, or NaN where a label is not known.
    bags : ndarray of shape (n_rows,), int64
        Ascending article index of each row.
    marks : ndarray of shape (n_rows, n_labels)
        1 where a row is known to state a label, -1 where it is known not to, else 0.
    wording : Wording or None
        The rows' words, if token vectors are to be tuned.
    """

    X: Any
    Y: FloatArray
    bags: IntVector
    marks: FloatArray
    wording: Wording | None = None

    def take(self, articles: NDArray[np.bool_]) -> Instances:
        """Return some of the articles, renumbered from 0."""
        rows = articles[self.bags]
        bags = np.cumsum(articles)[self.bags[rows]] - 1
        wording = self.wording
        if wording is not None:
            kept = np.flatnonzero(rows)
            wording = Wording(wording.tokens.joined(kept, kept + 1), wording.start, wording.columns)
        return Instances(self.X[rows], self.Y[articles], bags, self.marks[rows], wording)

    def texts(self) -> tuple[Tokens, NDArray[np.bool_]]:
        """Return the words and labels to tune token vectors on: of whole articles and of the rows that state a label.

        Returns
        -------
        Tokens
            Of ``n_articles + n_stating`` texts.
        ndarray of shape (n_articles + n_stating, n_columns), bool
            Their labels.
        """
        assert self.wording is not None
        tokens, columns = self.wording.tokens, self.wording.columns
        starts = np.flatnonzero(np.diff(self.bags, prepend=-1, append=len(self.Y)))
        stated = self.marks[:, columns] > 0
        stating = np.flatnonzero(stated.any(axis=1))
        first = np.concatenate([starts[:-1], stating])
        stop = np.concatenate([starts[1:], stating + 1])
        return tokens.joined(first, stop), np.vstack([self.Y[:, columns] == 1, stated[stating]])


@dataclass(frozen=True)
class Learnt:
    """Linear scores of rows, and the tuned token vectors that stand before their features.

    Parameters
    ----------
    weights : ndarray of shape (n_tuned + n_features, n_labels)
        What each feature weighs.
    bias : ndarray of shape (n_labels,)
        What is added.
    n_iter : int
        Iterations that it took.
    tuned : TunedVectors or None
        None if the rows' features are all.
    tuned_weight : float
        Length of the vectors that they give.
    """

    weights: FloatArray
    bias: FloatArray
    n_iter: int = 0
    tuned: TunedVectors | None = None
    tuned_weight: float = 1.0

    def logits(self, rows: Instances) -> FloatArray:
        """Return the logits of rows; shape (n_rows, n_labels)."""
        tokens = None if rows.wording is None else rows.wording.tokens
        return np.asarray(beside(self.tuned, self.tuned_weight, tokens, rows.X) @ self.weights + self.bias)


def learn_in_folds(
    stages: Sequence[Instances],
    fold: IntVector,
    learn: Callable[[Instances], Learnt],
    *,
    temperature: float,
    n_jobs: int,
) -> tuple[list[Learnt], list[FloatArray]]:
    """Learn from each stage's articles, and for every fold from the articles outside it.

    Parameters
    ----------
    stages : sequence of Instances
        The same articles as other rows: their windows, each as a whole.
    fold : ndarray of shape (n_articles,), int64
        The fold of each article.
    learn : callable
        Learns from some of them.
    temperature : float
        Of the pooling of rows into articles, see `tppo.classify.scorer.pool`.
    n_jobs : int
        Threads; the result does not depend on it.

    Returns
    -------
    list of Learnt
        For each stage, from all articles.
    list of ndarray of shape (n_articles, n_labels)
        For each stage, the articles' logits by what was learnt outside their fold.
    """
    parts = list(complements(fold))

    def run(job: tuple[Instances, NDArray[np.bool_] | None]) -> tuple[Learnt, FloatArray | None]:
        rows, outside = job
        if outside is None:
            return learn(rows), None
        learnt, rest = learn(rows.take(outside)), rows.take(~outside)
        return learnt, pool(learnt.logits(rest), rest.bags, temperature)

    # One BLAS thread for each fit: its products are small, several would mostly wait and add in varying order.
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(n_jobs) as threads:
        found = iter(list(threads.map(run, [(rows, outside) for rows in stages for outside in (None, *parts)])))
    learnt, held_out = [], []
    for rows in stages:
        learnt.append(next(found)[0])
        logits = np.zeros_like(rows.Y)
        for outside in parts:
            logits[~outside] = next(found)[1]
        held_out.append(logits)
    return learnt, held_out


def complements(fold: IntVector) -> Iterator[NDArray[np.bool_]]:
    """Yield, for each fold, which articles lie outside it."""
    for held_out in np.unique(fold):
        outside = fold != held_out
        if outside.any():
            yield outside


def beside(tuned: TunedVectors | None, weight: float, tokens: Tokens | None, X: Any) -> Any:
    """Put the tuned vectors of rows, of length `weight`, before their other features; CSR if those are."""
    if tuned is None:
        return X
    if tokens is None:
        raise ValueError("tokens must be given: this classifier was fitted with token vectors tuned on them")
    vectors = np.asarray(weight * tuned.encode_tokens(tokens), dtype=X.dtype)
    return sp.hstack([sp.csr_matrix(vectors), X], format="csr") if sp.issparse(X) else np.hstack([vectors, X])
