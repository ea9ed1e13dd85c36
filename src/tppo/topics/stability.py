"""Do topics come back? Matching of topics between fits, and a certificate per topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.embedding import FloatMatrix, IntVector
from tppo.errors import UsageError
from tppo.topics.base import OUTLIER
from tppo.topics.consensus import Reduction, fit_centroids, subsamples
from tppo.topics.metrics import stability
from tppo.topics.model import TopicModel

__all__ = ["Certificate", "certify", "hide_unstable", "inherit_ids", "match_topics", "refit_labels"]

ABSENT = -2
STABLE = 0.6


@dataclass(frozen=True)
class Certificate:
    """How well topics come back.

    Parameters
    ----------
    topics : dict of int to float
        Per topic id the mean Jaccard overlap with its match in each refit, in [0, 1].
    seeds, subsamples : float
        Mean adjusted Rand index between fits with other seeds, and on 80 % subsamples; NaN if not measured.
    """

    topics: dict[int, float]
    seeds: float
    subsamples: float

    def is_stable(self, topic: int) -> bool:
        """Whether a topic comes back with an overlap of at least 0.6 on average."""
        return self.topics.get(topic, 0.0) >= STABLE


def match_topics(a: IntVector, b: IntVector) -> dict[int, tuple[int, float]]:
    """Match the topics of two labelings of the same articles one to one, so that the total overlap is largest.

    Parameters
    ----------
    a, b : ndarray of shape (n_articles,), int64
        Topic ids; negative ones are left out.

    Returns
    -------
    dict of int to (int, float)
        Topic of `a` to its topic of `b` and their Jaccard overlap, in (0, 1]; topics without overlap are missing.
    """
    from scipy.optimize import linear_sum_assignment

    first, second = (np.unique(x[x >= 0]) for x in (a, b))
    overlap: NDArray[np.float64] = np.zeros((len(first), len(second)))
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            both = int(((a == x) & (b == y)).sum())
            overlap[i, j] = both / max(1, int(((a == x) | (b == y)).sum()))
    rows, columns = linear_sum_assignment(-overlap)
    return {int(first[i]): (int(second[j]), float(overlap[i, j])) for i, j in zip(rows, columns) if overlap[i, j] > 0}


def refit_labels(model: TopicModel, vectors: FloatMatrix, rows: IntVector, *, seed: int) -> IntVector:
    """Fit again on some articles with the model's settings and number of topics.

    Parameters
    ----------
    model : TopicModel
        Whose settings are used.
    vectors : ndarray of shape (n_articles, dimension), float32
        All articles.
    rows : ndarray of shape (n_drawn,), int64
        Articles to fit on.
    seed : int
        For this fit.

    Returns
    -------
    ndarray of shape (n_articles,), int64
        Topic of each drawn article, -1 for outliers, -2 for those not drawn.
    """
    s = model.settings
    reduction = Reduction.fit(vectors[rows], model.reduction.basis.shape[1])
    points = reduction.apply(vectors[rows])
    centroids = fit_centroids(points, len(model.topics), n_runs=s.n_runs, seed=seed, max_sample=s.max_sample)
    similarity = points @ centroids.T
    labels = similarity.argmax(axis=1)
    best = similarity.max(axis=1)
    if s.outliers > 0:
        labels[best < np.quantile(best, s.outliers, method="lower")] = OUTLIER
    whole = np.full(len(vectors), ABSENT, dtype=np.int64)
    whole[rows] = labels
    return whole


def certify(model: TopicModel, vectors: FloatMatrix, *, n_seeds: int = 3, n_subsamples: int = 5) -> Certificate:
    """Refit with other seeds and on 80 % subsamples, and note on each topic of the model how well it comes back."""
    labels = model.assign(vectors)
    everyone = np.arange(len(vectors), dtype=np.int64)
    start = model.settings.seed + 1
    by_seed = [refit_labels(model, vectors, everyone, seed=start + i) for i in range(n_seeds)]
    draws = subsamples(len(vectors), n_draws=n_subsamples, seed=model.settings.seed)
    by_sample = [refit_labels(model, vectors, rows, seed=start + i) for i, rows in enumerate(draws)]
    overlaps: dict[int, list[float]] = {t.id: [] for t in model.topics}
    for refit in [*by_seed, *by_sample]:
        matched = match_topics(np.where(refit == ABSENT, -1, labels), refit)
        for topic, values in overlaps.items():
            values.append(matched.get(topic, (0, 0.0))[1])
    means = {topic: float(np.mean(values)) if values else 0.0 for topic, values in overlaps.items()}
    model.topics = [replace(t, certificate=round(means[t.id], 4)) for t in model.topics]
    return Certificate(means, stability([labels, *by_seed]) if by_seed else float("nan"), stability(by_sample))


def hide_unstable(model: TopicModel, *, least: float = STABLE) -> list[int]:
    """Hide the topics whose certificate is below `least`, show the others, and return the ids of the hidden ones.

    Raises
    ------
    UsageError
        If the model was not certified.
    """
    if any(t.certificate is None for t in model.topics):
        raise UsageError("topics without a certificate cannot be hidden: run certify first")
    model.topics = [replace(t, hidden=(t.certificate or 0.0) < least) for t in model.topics]
    return [t.id for t in model.topics if t.hidden]


def inherit_ids(
    model: TopicModel, previous: TopicModel, vectors: FloatMatrix, *, least: float = 0.3
) -> list[dict[str, Any]]:
    """Give the topics of a new fit the ids of the earlier topics they continue; the others get ids never used before.

    Parameters
    ----------
    model, previous : TopicModel
        The new fit, changed in place, and the earlier one.
    vectors : ndarray of shape (n_articles, dimension), float32
        Articles to compare the fits on.
    least : float
        Jaccard overlap from which a topic continues an earlier one.

    Returns
    -------
    list of dict
        The lineage: ``{"event": "continued" | "new" | "ended", "topic": id, "overlap": float}``.
    """
    matched = match_topics(model.assign(vectors), previous.assign(vectors))
    used = [t.id for t in previous.topics] + [int(e["topic"]) for e in previous.lineage]
    following = max(used, default=-1) + 1
    events: list[dict[str, Any]] = []
    renamed = []
    for topic in model.topics:
        earlier, overlap = matched.get(topic.id, (-1, 0.0))
        if overlap >= least:
            renamed.append(replace(topic, id=earlier))
            events.append({"event": "continued", "topic": earlier, "overlap": round(overlap, 4)})
        else:
            renamed.append(replace(topic, id=following))
            events.append({"event": "new", "topic": following, "overlap": round(overlap, 4)})
            following += 1
    kept: Sequence[int] = [t.id for t in renamed]
    events += [{"event": "ended", "topic": t.id, "overlap": 0.0} for t in previous.topics if t.id not in kept]
    model.topics = renamed
    model.lineage = [*previous.lineage, *events]
    return events
