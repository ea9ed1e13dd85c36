"""The cluster bootstrap: intervals from resampling whole groups of articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "clusters", "estimate", "group_draws", "ratio"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


def clusters(groups: Sequence[str]) -> tuple[NDArray[np.intp], int]:
    """Return the number of each article's group, shape (n_articles,), from 0, and how many groups there are."""
    _, cluster = np.unique([str(g) for g in groups], return_inverse=True)
    return cluster, int(cluster.max(initial=-1)) + 1


def group_draws(n_groups: int, n_bootstrap: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how often each resample draws each group, shape (n_bootstrap, n_groups); rows sum to n_groups."""
    if not n_groups:
        return np.zeros((n_bootstrap, 0), dtype=np.int64)
    return rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_bootstrap)


def estimate(values: FloatArray) -> Estimate:
    """Return a value with its percentile interval.

    Parameters
    ----------
    values : ndarray of shape (1 + n_bootstrap,)
        The value on all articles first, its resamples after it; undefined resamples (NaN) are left out.
    """
    resampled = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(resampled, [2.5, 97.5]) if len(resampled) else (np.nan, np.nan)
    return Estimate(float(values[0]), float(low), float(high))


def ratio(part: FloatArray, whole: FloatArray, *, empty: float = np.nan) -> FloatArray:
    """Return ``part / whole`` element by element, `empty` where `whole` is zero."""
    return np.divide(part, whole, out=np.full(np.shape(part), empty, dtype=np.float64), where=whole > 0)
