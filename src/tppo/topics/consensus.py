"""Clusters that come back: principal components, then a consensus of many spherical k-means runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tppo.embedding import FloatMatrix, IntVector

__all__ = ["Reduction", "choose_k", "consensus_labels", "fit_centroids", "spherical_kmeans", "subsamples", "unit_rows"]

_KMEANS_STEPS = 15
_SPECTRAL_STARTS = 10
_SELECTION_SAMPLE = 3000
_SELECTION_FITS = 5
# Numbers far apart: neighbouring ones are equally stable, and the choice between them would be chance.
_GRID = (4, 8, 16, 32)
_SELECTION_RUNS = 25
_MIN_TOPIC = 12


def unit_rows(matrix: NDArray[np.floating]) -> FloatMatrix:
    """Return rows scaled to unit length, float32 of the same shape; all-zero rows stay."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(length > 1e-12, length, 1), dtype=np.float32)


@dataclass(frozen=True)
class Reduction:
    """Projection of vectors on their principal directions.

    Parameters
    ----------
    mean : ndarray of shape (dimension,), float32
        Of the unit-length training vectors.
    basis : ndarray of shape (dimension, n_components), float32
        Orthonormal columns, the direction of largest variance first.
    """

    mean: FloatMatrix
    basis: FloatMatrix

    @classmethod
    def fit(cls, vectors: FloatMatrix, n_components: int) -> Reduction:
        """Learn mean and directions from vectors of shape (n_articles, dimension)."""
        rows = unit_rows(vectors).astype(np.float64)
        mean = rows.mean(axis=0)
        centred = rows - mean
        with threadpool_limits(1):
            _, directions = np.linalg.eigh(centred.T @ centred)
        basis = directions[:, ::-1][:, :n_components]
        # The sign of an eigenvector is arbitrary: its largest entry is made positive.
        basis = basis * np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
        return cls(mean.astype(np.float32), np.ascontiguousarray(basis, dtype=np.float32))

    def apply(self, vectors: FloatMatrix) -> FloatMatrix:
        """Return unit-length points of shape (n_articles, n_components), float32; zero vectors stay zero."""
        rows = unit_rows(vectors)
        with threadpool_limits(1):
            points = unit_rows((rows - self.mean) @ self.basis)
        points[~rows.any(axis=1)] = 0
        return points


def consensus_labels(points: FloatMatrix, k: int, *, n_runs: int, seed: int) -> IntVector:
    """Cluster points by what many k-means runs on 80 % subsamples agree on.

    Each point is described by the clusters it falls into in all runs; the leading singular vectors of that table are
    clustered again (spectral cluster ensemble, Strehl and Ghosh 2002).

    Parameters
    ----------
    points : ndarray of shape (n_articles, n_components), float32
        Unit-length rows.
    k : int
        Clusters; fewer come back if the points do not have as many.
    n_runs : int
        k-means runs.
    seed : int
        Same seed, same result.

    Returns
    -------
    ndarray of shape (n_articles,), int64
        Cluster of each point.
    """
    from scipy.linalg import eigh

    n = len(points)
    k = min(k, len(np.unique(points, axis=0)))
    if k < 2:
        return np.zeros(n, dtype=np.int64)
    rng = np.random.default_rng(seed)
    columns = []
    for run in range(n_runs):
        drawn = np.sort(rng.choice(n, max(k, int(0.8 * n)), replace=False))
        centroids = spherical_kmeans(points[drawn], k, rng)
        columns.append((points @ centroids.T).argmax(axis=1) + run * k)
    rows = np.tile(np.arange(n), n_runs)
    table = sp.csr_matrix(
        (np.ones(n * n_runs, dtype=np.float32), (rows, np.concatenate(columns))), shape=(n, n_runs * k)
    )
    weight = 1 / np.sqrt(np.maximum(np.asarray(table.sum(axis=0)).ravel(), 1))
    scaled = table @ sp.diags(weight)
    width = scaled.shape[1]
    together = (scaled.T @ scaled).toarray().astype(np.float64)
    _, vectors = eigh(together, subset_by_index=[width - k, width - 1])
    spectral = unit_rows(scaled @ vectors[:, ::-1])
    best, labels = -np.inf, np.zeros(n, dtype=np.int64)
    for _ in range(_SPECTRAL_STARTS):
        similarity = spectral @ spherical_kmeans(spectral, k, rng).T
        if (score := float(similarity.max(axis=1).astype(np.float64).sum())) > best + 1e-6:
            best, labels = score, similarity.argmax(axis=1)
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def spherical_kmeans(points: FloatMatrix, k: int, rng: np.random.Generator) -> FloatMatrix:
    """Return unit-length centroids of spherical k-means, started by k-means++; shape (k, n_components), float32."""
    chosen = [int(rng.integers(len(points)))]
    distance = np.maximum(1 - points @ points[chosen[0]], 0).astype(np.float64)
    for _ in range(k - 1):
        total = distance.sum()
        nxt = int(rng.choice(len(points), p=distance / total)) if total > 0 else int(rng.integers(len(points)))
        chosen.append(nxt)
        distance = np.minimum(distance, np.maximum(1 - points @ points[nxt], 0))
    centroids = points[chosen]
    labels = np.full(len(points), -1)
    for _ in range(_KMEANS_STEPS):
        new = (points @ centroids.T).argmax(axis=1)
        if np.array_equal(new, labels):
            break
        labels = new
        centroids = _means(points, labels, centroids)
    return centroids


def _means(points: FloatMatrix, labels: IntVector, fallback: FloatMatrix) -> FloatMatrix:
    """Return the unit-length mean of each cluster's points; an empty cluster keeps its row of `fallback`."""
    k, n = len(fallback), len(points)
    members = sp.csr_matrix((np.ones(n, dtype=np.float32), (labels, np.arange(n))), shape=(k, n))
    means = unit_rows(np.asarray(members @ points))
    empty = ~means.any(axis=1)
    means[empty] = fallback[empty]
    return means


def fit_centroids(points: FloatMatrix, k: int, *, n_runs: int, seed: int, max_sample: int) -> FloatMatrix:
    """Return topic centroids of shape (n_topics, n_components), the largest topic first.

    Points beyond `max_sample` are left to be assigned; which ones is drawn with the seed.
    """
    sample = points[points.any(axis=1)]
    if len(sample) > max_sample:
        drawn = np.random.default_rng(seed).choice(len(sample), max_sample, replace=False)
        sample = sample[np.sort(drawn)]
    if not len(sample):
        return np.zeros((1, points.shape[1]), dtype=np.float32)
    # One thread: the matrices are small, and the order of additions must not depend on the machine's load.
    with threadpool_limits(1):
        labels = consensus_labels(sample, k, n_runs=n_runs, seed=seed)
    n_topics = int(labels.max()) + 1
    centroids = _means(sample, labels, np.zeros((n_topics, sample.shape[1]), dtype=np.float32))
    sizes = np.bincount((sample @ centroids.T).argmax(axis=1), minlength=n_topics)
    order = np.argsort(-sizes, kind="stable")
    return centroids[order][sizes[order] > 0]


def subsamples(n: int, *, share: float = 0.8, n_draws: int = 5, seed: int = 0) -> list[IntVector]:
    """Return `n_draws` sorted index arrays, each a random `share` of ``range(n)``."""
    rng = np.random.default_rng([seed, 8])
    return [np.sort(rng.choice(n, max(1, int(share * n)), replace=False)).astype(np.int64) for _ in range(n_draws)]


def choose_k(
    points: FloatMatrix, *, target: float, n_runs: int, seed: int, largest: int | None = None
) -> tuple[int, dict[int, float]]:
    """Choose the number of topics: the largest tried whose clusters come back on 80 % subsamples.

    Few numbers are tried, each twice the one before: their stabilities lie apart, so that the choice itself is stable.

    Parameters
    ----------
    points : ndarray of shape (n_articles, n_components), float32
        Reduced vectors; at most 3,000 of them are used.
    target : float
        Mean adjusted Rand index between subsamples that is asked for, in (0, 1].
    n_runs, seed : int
        See `consensus_labels`.
    largest : int, optional
        Most topics.

    Returns
    -------
    k : int
        The choice; the most stable number where none reaches the target.
    tried : dict of int to float
        Stability of each number tried.
    """
    from sklearn.metrics import adjusted_rand_score

    sample = points[points.any(axis=1)]
    rng = np.random.default_rng(seed)
    if len(sample) > _SELECTION_SAMPLE:
        sample = sample[np.sort(rng.choice(len(sample), _SELECTION_SAMPLE, replace=False))]
    n = len(sample)
    most = max(1, min(n // _MIN_TOPIC, largest or n))
    grid = [k for k in _GRID if k <= most]
    if not grid:
        return (max(1, min(2, most)) if n >= 2 * _MIN_TOPIC else 1), {}
    draws = subsamples(n, n_draws=_SELECTION_FITS, seed=seed)
    tried: dict[int, float] = {}
    for k in grid:
        labels = []
        for number, rows in enumerate(draws):
            runs = min(n_runs, _SELECTION_RUNS)
            centroids = fit_centroids(sample[rows], k, n_runs=runs, seed=seed + number, max_sample=n)
            labels.append((sample @ centroids.T).argmax(axis=1))
        agreement = [adjusted_rand_score(a, b) for i, a in enumerate(labels) for b in labels[:i]]
        tried[k] = float(np.mean(agreement))
    good = [k for k in grid if tried[k] >= target]
    return (max(good) if good else max(tried, key=lambda k: (tried[k], k))), tried
