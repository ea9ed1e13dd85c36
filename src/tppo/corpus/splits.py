"""Divide articles into parts that share no syndication group and hold like shares of every label."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tppo.errors import DataError, UsageError

__all__ = ["Split", "balanced_folds", "balanced_split", "load_split", "outlet_split", "random_split", "time_split"]


@dataclass(frozen=True)
class Split:
    """Ids of the articles to learn from and of those to score on."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write the ids as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"train": self.train, "test": self.test}, indent=0) + "\n", encoding="utf-8")


def load_split(path: Path) -> Split:
    """Read a split written by `Split.save`.

    Raises
    ------
    DataError
        If the file is missing, not of this form, or has an id in both parts.
    """
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(parts["train"], list) or not isinstance(parts["test"], list):
            raise TypeError("'train' and 'test' must be lists")
        split = Split(tuple(map(str, parts["train"])), tuple(map(str, parts["test"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read split {path}: expected JSON with 'train' and 'test' ids: {error}") from None
    both = sorted(set(split.train) & set(split.test))
    if both:
        raise DataError(f"split {path}: {len(both)} ids stand in both parts, first {both[0]!r}")
    return split


def balanced_split(
    ids: Sequence[str], groups: Sequence[str], labels: NDArray[np.bool_], *, test_size: float, seed: int
) -> Split:
    """Hold out a share of the articles for scoring.

    Parameters
    ----------
    ids, groups : sequence of str, length n_articles
        Articles of one group go to one part.
    labels : ndarray of shape (n_articles, n_labels), bool
        What to balance.
    test_size : float
        Share held out, in (0, 1).
    seed : int
        Breaks ties.

    Raises
    ------
    UsageError
        If a part would be empty.
    """
    part = _assign(groups, labels, np.array([1 - test_size, test_size]), seed)
    split = Split(tuple(i for i, p in zip(ids, part) if p == 0), tuple(i for i, p in zip(ids, part) if p == 1))
    if not split.train or not split.test:
        raise UsageError(
            f"cannot hold out {test_size:.0%} of {len(ids)} articles in {len(set(groups))} groups: "
            "a part would be empty"
        )
    return split


def time_split(ids: Sequence[str], groups: Sequence[str], dates: Sequence[str | None], *, test_size: float) -> Split:
    """Hold out the latest articles: what a model meets once it is in use.

    Parameters
    ----------
    ids, groups : sequence of str, length n_articles
        Articles of one group go to one part; the group's first publication decides.
    dates : sequence of str or None, length n_articles
        ISO dates. Articles of groups without any date are learnt from.
    test_size : float
        Share held out, in (0, 1); the day on which it is reached is held out whole.

    Raises
    ------
    UsageError
        If a part would be empty.
    """
    first: dict[str, str] = {}
    for group, date in zip(groups, dates):
        if date is not None:
            first[group] = min(date, first.get(group, date))
    latest = sorted((first[group] for group in groups if group in first), reverse=True)
    wanted = max(1, round(test_size * len(ids)))
    from_day = latest[min(wanted, len(latest)) - 1] if latest else ""
    held = [first.get(group, "") >= from_day for group in groups]
    if all(held) or not any(held):
        raise UsageError(
            f"cannot hold out the latest {test_size:.0%} of {len(ids)} articles: {len(latest)} have a date in "
            f"'published_at', {len(set(latest))} different ones; a part would be empty"
        )
    return Split(tuple(i for i, h in zip(ids, held) if not h), tuple(i for i, h in zip(ids, held) if h))


def outlet_split(
    ids: Sequence[str],
    groups: Sequence[str],
    outlets: Sequence[str | None],
    labels: NDArray[np.bool_],
    *,
    test_size: float,
    seed: int,
) -> Split:
    """Hold out whole outlets, balanced by label: no outlet and no syndication group stands in both parts.

    Parameters
    ----------
    outlets : sequence of str or None, length n_articles
        An article without outlet counts as an outlet of its own.

    See `balanced_split` for the other parameters and the error raised.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    named = [outlet.casefold().strip() if outlet else f"\0{i}" for i, outlet in zip(ids, outlets)]
    _, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    _, outlet = np.unique(np.asarray(named, dtype=str), return_inverse=True)
    size = int(group.max(initial=0)) + 1
    links = coo_matrix((np.ones(len(ids)), (group, size + outlet)), shape=(size + len(ids), size + len(ids)))
    component = connected_components(links, directed=False)[1][group]
    return balanced_split(ids, [str(c) for c in component], labels, test_size=test_size, seed=seed)


def random_split(ids: Sequence[str], *, test_size: float, seed: int) -> Split:
    """Hold out articles at random, blind to groups: only for measuring how much that flatters a model.

    Raises
    ------
    UsageError
        If a part would be empty.
    """
    wanted = round(test_size * len(ids))
    if not 0 < wanted < len(ids):
        raise UsageError(f"cannot hold out {test_size:.0%} of {len(ids)} articles: a part would be empty")
    held = set(np.random.default_rng(seed).permutation(len(ids))[:wanted].tolist())
    return Split(tuple(i for n, i in enumerate(ids) if n not in held), tuple(i for n, i in enumerate(ids) if n in held))


def balanced_folds(groups: Sequence[str], labels: NDArray[np.bool_], *, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Number the folds of a cross-validation.

    Returns
    -------
    ndarray of shape (n_articles,), int64
        The fold each article is held out in, 0 to n_folds - 1; articles of one group share a fold.
    """
    return _assign(groups, labels, np.full(n_folds, 1 / n_folds), seed)


def _assign(
    groups: Sequence[str], labels: NDArray[np.bool_], shares: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """Assign whole groups to parts, rarest labels first, each to the part that lacks its labels most.

    After iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011), with a group in the place of an example and
    the number of articles as one more label.
    """
    names, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    counts = np.zeros((len(names), labels.shape[1] + 1))
    np.add.at(counts, index, np.column_stack([labels, np.ones(len(labels))]))
    lacking = shares[:, None] * counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(names))
    total = np.maximum(counts.sum(axis=0), 1)
    rarity = (counts / total).max(axis=1)
    order = order[np.argsort(-rarity[order], kind="stable")]
    part_of_group = np.zeros(len(names), dtype=np.int64)
    for group in order:
        weight = counts[group] / total
        part = int(np.argmax((lacking / (shares[:, None] * total)) @ weight))
        part_of_group[group] = part
        lacking[part] -= counts[group]
    return part_of_group[index]
