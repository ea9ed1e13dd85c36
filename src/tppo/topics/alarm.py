"""What is new: groups of articles on trafficking that no known modus explains and that grow over time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tppo.embedding import FloatMatrix, IntVector, Windows
from tppo.errors import DataError
from tppo.topics.base import count_terms
from tppo.topics.consensus import spherical_kmeans

__all__ = ["Alarm", "as_jsonl", "find_alarms", "growth"]

BoolArray = NDArray[np.bool_]
_EXEMPLARS = 5
_LEAST_NOVELTY = 2.5
_ALIKE = 0.78
_EDGE = 0.3
_MIN_DATED = 5


@dataclass(frozen=True)
class Alarm:
    """A group of articles that may be a new modus.

    Parameters
    ----------
    words : tuple of str
        What sets the group apart from the other articles on trafficking.
    articles : tuple of str
        Ids of its articles, the most typical first.
    exemplars : tuple of str
        The windows that carry the group, of the most typical articles.
    nearest_modus, similarity : str, float
        The known modus whose articles hold the most similar windows, and their mean cosine, in [-1, 1].
    growth, growth_lo : float
        Articles per year in the later half of the period over those in the earlier half, relative to all articles;
        and the lower bound of its 95 % interval. NaN without dates.
    novelty : float
        By which alarms are ordered: z score of how much more often candidates than articles with known modus hold
        such a window.
    """

    words: tuple[str, ...]
    articles: tuple[str, ...]
    exemplars: tuple[str, ...]
    nearest_modus: str
    similarity: float
    growth: float
    growth_lo: float
    novelty: float


def growth(dates: Sequence[str | None], members: BoolArray) -> tuple[float, float]:
    """Return how much faster a group grows than everything: ratio of later to earlier half, and its lower 95 % bound.

    Parameters
    ----------
    dates : sequence of str or None, length n_articles
        ISO dates.
    members : ndarray of shape (n_articles,), bool
        The group.

    Returns
    -------
    ratio, low : float
        > 1 where the group's share rises; NaN for fewer than five dated articles in the group.
    """
    days = np.array([np.nan if d is None else datetime.date.fromisoformat(d).toordinal() for d in dates], dtype=float)
    dated = ~np.isnan(days)
    if (members & dated).sum() < _MIN_DATED:
        return float("nan"), float("nan")
    later = days > np.median(days[dated])
    table = [(members & later).sum(), (members & dated & ~later).sum(), (dated & later).sum(), (dated & ~later).sum()]
    a, b, c, d = (float(x) + 0.5 for x in table)
    ratio = (a / c) / (b / d)
    error = np.sqrt(max(1 / a + 1 / b - 1 / c - 1 / d, 1e-9))
    return ratio, float(ratio * np.exp(-1.96 * error))


def find_alarms(
    windows: Windows,
    texts: Sequence[str],
    ids: Sequence[str],
    *,
    tppo: BoolArray,
    modus: Mapping[str, BoolArray],
    review: BoolArray | None = None,
    dates: Sequence[str | None] | None = None,
    only_growing: bool = False,
    window_group: int = 80,
    least: int = 8,
    seed: int = 0,
) -> list[Alarm]:
    """Find what articles on trafficking without a known modus say and those with one do not.

    A modus stands in a sentence or two, so windows are grouped, not articles. A group of windows raises an alarm if
    clearly more of the candidate articles hold one than of the articles with a known modus.

    Parameters
    ----------
    windows : Windows
        All articles, with vectors.
    texts, ids : sequence of str, length n_articles
        Clean texts and identifiers.
    tppo : ndarray of shape (n_articles,), bool
        Whether an article concerns trafficking.
    modus : mapping of str to ndarray of shape (n_articles,), bool
        Known modus: which articles carry it.
    review : ndarray of shape (n_articles,), bool, optional
        Articles the classifier would not decide on; they are candidates too.
    dates : sequence of str or None, optional
        ISO dates.
    only_growing : bool
        Leave out groups whose growth is not certain (lower bound not above 1).
    window_group : int
        Windows a group has on average; decides the number of groups.
    least : int
        Candidate articles a group must have.
    seed : int
        Of the grouping.

    Returns
    -------
    list of Alarm
        The most alarming first; empty where there are too few candidates.

    Raises
    ------
    DataError
        If texts, ids or labels are not one per article, or the windows have no vectors.
    """
    n = windows.n_articles
    lengths = [len(texts), len(ids), len(tppo), *map(len, modus.values())]
    if set(lengths) != {n} or windows.vectors is None:
        raise DataError(f"expected encoded windows and {n} texts, ids and labels, got {lengths}")
    known = np.zeros(n, dtype=bool)
    for carried in modus.values():
        known |= carried
    candidate = (tppo if review is None else tppo | review) & ~known
    rows = np.flatnonzero(candidate[windows.article] & windows.vectors.any(axis=1))
    if candidate.sum() < 2 * least or len(rows) < 2 * least:
        return []
    scene = _Scene(windows, texts, ids, candidate, known & tppo, dict(modus), dates)
    k = max(2, round(len(rows) / window_group))
    centroids, holders = _groups(windows.vectors, windows.article, rows, k, n, seed)
    novelty = np.array([_excess(held, candidate, scene.background) for held in holders])
    enough = np.array([(held & candidate).sum() >= least for held in holders])
    left = [int(g) for g in np.argsort(-novelty, kind="stable") if novelty[g] >= _LEAST_NOVELTY and enough[g]]
    alarms = []
    while left:
        first = left.pop(0)
        alike = [g for g in left if float(centroids[g] @ centroids[first]) >= _ALIKE]
        left = [g for g in left if g not in alike]
        held = np.logical_or.reduce([holders[g] for g in [first, *alike]])
        alarms.append(_alarm(scene, centroids[first], held & candidate, float(novelty[first])))
    return [a for a in alarms if not only_growing or a.growth_lo > 1]


@dataclass(frozen=True)
class _Scene:
    windows: Windows
    texts: Sequence[str]
    ids: Sequence[str]
    candidate: BoolArray
    background: BoolArray
    modus: dict[str, BoolArray]
    dates: Sequence[str | None] | None


def _groups(
    vectors: FloatMatrix, article: IntVector, rows: IntVector, k: int, n_articles: int, seed: int
) -> tuple[FloatMatrix, list[BoolArray]]:
    """Group the windows `rows`; return centroids, and for each group which articles hold a window well inside it."""
    with threadpool_limits(1):
        centroids = spherical_kmeans(vectors[rows], k, np.random.default_rng(seed))
        similarity = vectors @ centroids.T
    nearest = similarity.argmax(axis=1)
    best = similarity.max(axis=1)
    holders = []
    for g in range(len(centroids)):
        own = rows[nearest[rows] == g]
        held = np.zeros(n_articles, dtype=bool)
        if len(own):
            held[article[(nearest == g) & (best >= np.quantile(best[own], _EDGE))]] = True
        holders.append(held)
    return centroids, holders


def _excess(held: BoolArray, candidate: BoolArray, background: BoolArray) -> float:
    """Return the z score of the difference between the shares of candidate and background articles."""
    a, b, n, m = (
        float(x) for x in ((held & candidate).sum(), (held & background).sum(), candidate.sum(), background.sum())
    )
    if m == 0:
        return float(np.sqrt(a))
    share = (a + b + 1) / (n + m + 2)
    return float((a / n - b / m) / np.sqrt(share * (1 - share) * (1 / n + 1 / m)))


def _alarm(scene: _Scene, centroid: FloatMatrix, members: BoolArray, novelty: float) -> Alarm:
    windows = scene.windows
    assert windows.vectors is not None
    similarity = windows.vectors @ centroid
    best = np.full(windows.n_articles, -1.0)
    np.maximum.at(best, windows.article, similarity)
    ordered = np.flatnonzero(members)
    ordered = ordered[np.argsort(-best[ordered], kind="stable")]
    exemplars = []
    for row in ordered[:_EXEMPLARS]:
        own = np.flatnonzero(windows.article == row)
        exemplars.append(windows.texts[int(own[similarity[own].argmax()])])
    near = {}
    for name, carried in scene.modus.items():
        if carried.any():
            near[name] = float(best[carried].mean())
    nearest = max(near, key=lambda name: near[name], default="")
    ratio, low = growth(scene.dates, members) if scene.dates is not None else (float("nan"), float("nan"))
    return Alarm(
        words=_words(scene, members),
        articles=tuple(scene.ids[int(r)] for r in ordered),
        exemplars=tuple(exemplars),
        nearest_modus=nearest,
        similarity=round(near.get(nearest, 0.0), 4),
        growth=round(ratio, 4),
        growth_lo=round(low, 4),
        novelty=round(novelty, 4),
    )


def _words(scene: _Scene, members: BoolArray) -> tuple[str, ...]:
    """Return the words that more articles of the group hold than other articles on trafficking."""
    others = (scene.candidate | scene.background) & ~members
    rows = [*np.flatnonzero(members), *np.flatnonzero(others)]
    terms = count_terms([scene.texts[int(r)] for r in rows], min_df=3)
    inside = int(members.sum())
    counts = np.stack(
        [np.asarray(part.sum(axis=0)).ravel() for part in (terms.presence[:inside], terms.presence[inside:])]
    )
    score = counts[0] / max(1, inside) - counts[1] / max(1, int(others.sum()))
    return tuple(terms.vocabulary[c] for c in np.argsort(-score, kind="stable")[:10])


def as_jsonl(alarms: Sequence[Alarm], texts: Mapping[str, str]) -> str:
    """Return one JSON line per article of every alarm, with its text, ready for labelling (NaN becomes null)."""
    lines = []
    for number, alarm in enumerate(alarms):
        head = {k: (None if v != v else v) for k, v in asdict(alarm).items() if k not in ("articles", "exemplars")}
        for article in alarm.articles:
            row = {"id": article, "alarm": number, "text": texts[article], "labels": None, "alarm_words": head["words"]}
            row |= {k: head[k] for k in ("nearest_modus", "similarity", "growth", "novelty")}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)
