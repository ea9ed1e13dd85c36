"""What is new: groups of articles on trafficking that no known modus explains, and whether they grow over time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.embedding import IntVector, Windows
from tppo.errors import DataError
from tppo.topics.base import count_terms
from tppo.topics.consensus import unit_rows
from tppo.topics.novelty import BoolArray, Groups, group_candidates
from tppo.topics.words import merge_forms

__all__ = ["Alarm", "as_json", "as_jsonl", "find_alarms", "growth"]

_EXEMPLARS = 5
_WORDS = 10
_LEAST_NOVELTY = 2.5
_TYPICAL = 0.3
_LEAST_SHARE = 0.1
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
        By which alarms are ordered: z score of how much more often candidates than articles with known modus are as
        typical of the group as most of its articles are.
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

    The bound is exact for few dates: given the group's number of dated articles, those of the later half are binomial
    (Clopper and Pearson 1934).

    Parameters
    ----------
    dates : sequence of str or None, length n_articles
        ISO dates.
    members : ndarray of shape (n_articles,), bool
        The group.

    Returns
    -------
    ratio, low : float
        > 1 where the group's share rises; NaN for fewer than five dated articles in the group, or if all articles have
        one date.
    """
    from scipy.stats import beta

    days = np.array([np.nan if d is None else datetime.date.fromisoformat(d).toordinal() for d in dates], dtype=float)
    dated = ~np.isnan(days)
    if (members & dated).sum() < _MIN_DATED:
        return float("nan"), float("nan")
    later = days > np.median(days[dated])
    late, early = int((members & later).sum()), int((members & dated & ~later).sum())
    all_late, all_early = int((dated & later).sum()), int((dated & ~later).sum())
    if not all_late:
        return float("nan"), float("nan")
    expected = all_late / all_early
    low = float(beta.ppf(0.025, late, early + 1)) if late else 0.0
    return (late + 0.5) / (early + 0.5) / expected, low / (1 - low) / expected


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
    n_groups: int = 5,
    least: int = 8,
    seed: int = 0,
) -> list[Alarm]:
    """Find what articles on trafficking without a known modus say and those with one do not.

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
    n_groups : int
        Groups the candidates are put into; a group need not raise an alarm.
    least : int
        Candidate articles a group must have.
    seed : int
        Of the grouping.

    Returns
    -------
    list of Alarm
        The most novel first; empty where there are too few candidates. No article is in two.

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
    terms = count_terms(texts, min_df=3)
    if candidate.sum() < 2 * least or not terms.vocabulary:
        return []
    background = known & tppo
    groups = group_candidates(terms, candidate, background, n_groups=n_groups, seed=seed)
    scene = _Scene(windows, ids, terms.vocabulary, groups, dict(modus), dates)
    alarms = []
    for group in range(len(groups.profiles)):
        novelty = _novelty(groups, group, candidate, background)
        if novelty >= _LEAST_NOVELTY and (groups.labels == group).sum() >= least:
            alarms.append(scene.alarm(group, novelty))
    alarms.sort(key=lambda alarm: -alarm.novelty)
    return [a for a in alarms if not only_growing or a.growth_lo > 1]


def _novelty(groups: Groups, group: int, candidate: BoolArray, background: BoolArray) -> float:
    """Return the z score of the difference between the shares of candidates and background typical of a group."""
    typical = groups.rows @ groups.profiles[group]
    held = typical >= np.quantile(typical[groups.labels == group], _TYPICAL)
    held &= typical > 0
    a, b, n, m = (
        float(x) for x in ((held & candidate).sum(), (held & background).sum(), candidate.sum(), background.sum())
    )
    if m == 0:
        return float(np.sqrt(a))
    share = (a + b + 1) / (n + m + 2)
    return float((a / n - b / m) / np.sqrt(share * (1 - share) * (1 / n + 1 / m)))


@dataclass(frozen=True)
class _Scene:
    windows: Windows
    ids: Sequence[str]
    vocabulary: tuple[str, ...]
    groups: Groups
    modus: dict[str, BoolArray]
    dates: Sequence[str | None] | None

    def alarm(self, group: int, novelty: float) -> Alarm:
        """Describe a group."""
        members = np.flatnonzero(self.groups.labels == group)
        profile = self.groups.profiles[group]
        typical = self.groups.rows[members] @ profile
        ordered = members[np.argsort(-typical, kind="stable")]
        carriers = self._carriers(ordered, profile)
        nearest, similarity = self._nearest_modus(carriers)
        ratio = low = float("nan")
        if self.dates is not None:
            ratio, low = growth(self.dates, self.groups.labels == group)
        held = np.asarray((self.groups.rows[members] > 0).sum(axis=0)).ravel()
        shown = np.where(held >= _LEAST_SHARE * len(members), profile, 0)  # no names of a single case
        ranked = [int(c) for c in np.argsort(-shown, kind="stable")[: 4 * _WORDS] if shown[c] > 0]
        return Alarm(
            words=tuple(self.vocabulary[c] for c in merge_forms(ranked, self.vocabulary)[:_WORDS]),
            articles=tuple(self.ids[r] for r in ordered),
            exemplars=tuple(self.windows.texts[w] for w in carriers[:_EXEMPLARS]),
            nearest_modus=nearest,
            similarity=round(similarity, 4),
            growth=round(ratio, 4),
            growth_lo=round(low, 4),
            novelty=round(novelty, 4),
        )

    def _carriers(self, ordered: IntVector, profile: NDArray[np.float64]) -> list[int]:
        """Return the window of each article that holds most of what marks the group."""
        first = np.searchsorted(self.windows.article, ordered)
        last = np.searchsorted(self.windows.article, ordered, side="right")
        rows = np.concatenate([np.arange(a, b) for a, b in zip(first, last)])
        presence = count_terms([self.windows.texts[w] for w in rows], min_df=1, vocabulary=self.vocabulary).presence
        n_words = np.asarray(presence.sum(axis=1)).ravel()
        score = (presence @ profile) / np.sqrt(np.maximum(n_words, 1))
        ends = np.cumsum(last - first)
        return [int(rows[a + score[a:b].argmax()]) for a, b in zip([0, *ends], ends)]

    def _nearest_modus(self, carriers: Sequence[int]) -> tuple[str, float]:
        """Return the modus whose articles are nearest to the carriers' mean vector, and how near they are."""
        vectors = self.windows.vectors
        assert vectors is not None
        centre = unit_rows(vectors[list(carriers)].mean(axis=0, keepdims=True))[0]
        best = np.full(self.windows.n_articles, -1.0)
        np.maximum.at(best, self.windows.article, vectors @ centre)
        near = {name: float(best[carried].mean()) for name, carried in self.modus.items() if carried.any()}
        nearest = max(near, key=lambda name: near[name], default="")
        return nearest, near.get(nearest, 0.0)


def as_json(alarms: Sequence[Alarm]) -> str:
    """Return all alarms as one JSON list, for reading (NaN becomes null)."""
    return json.dumps([_fields(alarm) for alarm in alarms], ensure_ascii=False, indent=1)


def as_jsonl(alarms: Sequence[Alarm], texts: Mapping[str, str]) -> str:
    """Return one JSON line per article of every alarm, with its text, ready for labelling (NaN becomes null)."""
    lines = []
    for number, alarm in enumerate(alarms):
        head = _fields(alarm)
        for article in alarm.articles:
            row = {"id": article, "alarm": number, "text": texts[article], "labels": None, "alarm_words": head["words"]}
            row |= {k: head[k] for k in ("nearest_modus", "similarity", "growth", "novelty")}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


def _fields(alarm: Alarm) -> dict[str, Any]:
    return {k: (None if v != v else v) for k, v in asdict(alarm).items()}
