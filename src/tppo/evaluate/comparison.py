"""Is one set of predictions better than another for the same articles? Paired bootstrap, McNemar, Holm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tppo.evaluate.bootstrap import Estimate, clusters, estimate, group_draws, ratio
from tppo.evaluate.predictions import Predictions

__all__ = ["Comparison", "Discordance", "LabelComparison", "PairedScore", "compare", "holm", "mcnemar"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Resamples are drawn in blocks of at most this many group counts (8 bytes each).
_BLOCK = 4_000_000


@dataclass(frozen=True, slots=True)
class PairedScore:
    """A score of both, and the difference second minus first with its 95 % interval and two-sided p-value.

    The interval is the percentile interval of a paired bootstrap over groups. The p-value is the smallest level whose
    interval leaves out zero, ``2 min(#(d* <= 0) + 1, #(d* >= 0) + 1) / (n + 1)``, at most 1 (Davison and Hinkley 1997,
    section 4.2, for the added ones). NaN where a score is not defined.
    """

    first: float
    second: float
    difference: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Discordance:
    """Articles that only one of the two has right, and McNemar's exact two-sided p-value for equal chances."""

    only_first: int
    only_second: int
    p: float

    @property
    def odds_ratio(self) -> float:
        """Articles that only the second has right to those that only the first has; 1 if there are none of either."""
        if not self.only_first:
            return float("inf") if self.only_second else 1.0
        return self.only_second / self.only_first

    @property
    def cohen_g(self) -> float:
        """Share of the discordant articles that the second has right, less a half, in [-0.5, 0.5].

        Cohen (1988) calls 0.05 small, 0.15 medium and 0.25 large; 0 if there are no discordant articles.
        """
        n = self.only_first + self.only_second
        return self.only_second / n - 0.5 if n else 0.0


@dataclass(frozen=True, slots=True)
class LabelComparison:
    """One label: F1 compared by bootstrap, articles right by McNemar; ``p_holm`` are corrected over the labels."""

    f1: PairedScore
    f1_p_holm: float
    right: Discordance
    right_p_holm: float


@dataclass(frozen=True)
class Comparison:
    """Two sets of predictions for the same articles; differences are second minus first.

    Parameters
    ----------
    f1_macro : PairedScore
        Mean F1 over `macro_labels`; the question asked first, so its p-value is not corrected.
    labels : dict
        Label key to LabelComparison.
    macro_labels : tuple of str
        What the macro mean runs over.
    n_articles, n_groups, n_bootstrap : int
        What was compared, and how it was resampled.
    """

    f1_macro: PairedScore
    labels: dict[str, LabelComparison]
    macro_labels: tuple[str, ...]
    n_articles: int
    n_groups: int
    n_bootstrap: int

    def worse(self, *, alpha: float = 0.05) -> list[str]:
        """Return the macro labels on which the second has a significantly lower F1 (Holm-corrected bootstrap)."""
        found = ((key, self.labels[key]) for key in self.macro_labels)
        return [key for key, c in found if c.f1.difference.value < 0 and c.f1_p_holm < alpha]


def compare(
    first: Predictions,
    second: Predictions,
    *,
    macro_labels: Sequence[str] | None = None,
    n_bootstrap: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare two sets of predictions.

    Parameters
    ----------
    first, second : Predictions
        For the same articles in the same order, see `tppo.evaluate.align`.
    macro_labels : sequence of str, optional
        The labels of the macro mean; all by default.
    n_bootstrap : int
        Resamples of groups; the least p-value is ``2 / (n_bootstrap + 1)``.
    seed : int
        Decides the resamples.

    Raises
    ------
    ValueError
        If articles or labels differ.
    """
    if first.labels != second.labels or first.ids != second.ids:
        raise ValueError(f"expected the same labels and articles, got {first.labels} and {second.labels}; align them")
    macro = tuple(first.labels if macro_labels is None else macro_labels)
    columns = [first.labels.index(key) for key in macro]
    known, truth = ~np.isnan(first.truth), first.truth == 1
    cluster, n_groups = clusters(first.groups)
    scores = _resampled_f1(truth, known, (first.given, second.given), cluster, n_groups, n_bootstrap, seed)
    scores = np.concatenate([scores, scores[:, :, columns].mean(axis=2, keepdims=True)], axis=2)
    *by_label, f1_macro = (_paired(scores[0, :, k], scores[1, :, k]) for k in range(scores.shape[2]))
    right = [
        mcnemar((first.given == truth)[known[:, k], k], (second.given == truth)[known[:, k], k])
        for k in range(len(first.labels))
    ]
    f1_holm, right_holm = holm([s.p for s in by_label]), holm([d.p for d in right])
    labels = {
        key: LabelComparison(by_label[k], f1_holm[k], right[k], right_holm[k]) for k, key in enumerate(first.labels)
    }
    return Comparison(f1_macro, labels, macro, len(first.ids), n_groups, n_bootstrap)


def _resampled_f1(
    truth: BoolArray,
    known: BoolArray,
    given: Sequence[BoolArray],
    cluster: NDArray[np.intp],
    n_groups: int,
    n_bootstrap: int,
    seed: int,
) -> FloatArray:
    """Return F1, shape (n_systems, 1 + n_bootstrap, n_labels): on all articles, then on resamples shared by all."""
    # 2 tp, and 2 tp + fp + fn, per group: a resample's counts are then one product.
    counts = np.zeros((n_groups, 2, len(given), truth.shape[1]))
    for s, labels in enumerate(given):
        hits = 2.0 * (truth & labels)
        np.add.at(counts[:, 0, s], cluster, hits)
        np.add.at(counts[:, 1, s], cluster, hits + (known & (truth != labels)))
    flat = counts.reshape(n_groups, 2 * len(given) * truth.shape[1])
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK // max(1, n_groups))
    blocks = [np.ones((1, n_groups)) @ flat]
    for start in range(0, n_bootstrap, size):
        blocks.append(group_draws(n_groups, min(size, n_bootstrap - start), rng) @ flat)
    totals = np.concatenate(blocks).reshape(1 + n_bootstrap, 2, len(given), truth.shape[1])
    return ratio(totals[:, 0], totals[:, 1]).transpose(1, 0, 2)


def _paired(first: FloatArray, second: FloatArray) -> PairedScore:
    """Return the difference of two resampled scores, with its interval and two-sided p."""
    differences = second - first
    found = estimate(differences)
    resampled = differences[1:][~np.isnan(differences[1:])]
    p = float("nan")
    if found.value == found.value and len(resampled):
        tail = min((resampled <= 0).sum(), (resampled >= 0).sum()) + 1
        p = min(1.0, 2 * float(tail) / (len(resampled) + 1))
    return PairedScore(float(first[0]), float(second[0]), found, p)


def mcnemar(first_right: BoolArray, second_right: BoolArray) -> Discordance:
    """Return McNemar's exact test of two sets of right and wrong answers, shape (n_articles,) each.

    The binomial test of the discordant articles with probability 1/2 (McNemar 1947). It takes articles as independent;
    where many are copies of one story, trust the bootstrap over groups.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    n = only_first + only_second
    return Discordance(only_first, only_second, float(binomtest(only_second, n).pvalue) if n else 1.0)


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the same order; NaN stays NaN and is not counted."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return [float(x) for x in corrected]
