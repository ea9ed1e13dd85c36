"""Precision, recall, F1, average precision and calibration per label, with intervals clustered by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tppo.evaluate.bootstrap import Estimate, clusters, estimate, group_draws, ratio

__all__ = ["METRICS", "Evaluation", "calibration_error", "evaluate"]

FloatArray = NDArray[np.float64]
METRICS = ("precision", "recall", "f1", "ap", "ece")


@dataclass(frozen=True)
class Evaluation:
    """Scores of one set of predictions.

    Parameters
    ----------
    labels : dict
        Label key to metric name (`METRICS`) to Estimate.
    overall : dict
        ``f1_macro``, ``ap_macro`` (means over the macro labels), ``f1_micro``, ``precision_micro``, ``recall_micro``
        and ``false_alarms`` (share of the articles with none of the macro labels that were given one) to Estimate.
    support : dict
        Label key to number of articles that carry it.
    n_articles, n_groups : int
        What was scored, and the number of clusters that were resampled.
    """

    labels: dict[str, dict[str, Estimate]]
    overall: dict[str, Estimate]
    support: dict[str, int]
    n_articles: int
    n_groups: int
    macro_labels: tuple[str, ...] = field(default=())

    def flat(self) -> Iterator[tuple[str, float]]:
        """Yield metric names as they are tracked (``f1/scam``, ``f1/scam_lo``, ...) with their values; NaN left out."""
        named = [(f"{metric}/{key}", e) for key, scores in self.labels.items() for metric, e in scores.items()]
        for name, found in [*self.overall.items(), *named]:
            for suffix, value in (("", found.value), ("_lo", found.low), ("_hi", found.high)):
                if value == value:
                    yield name + suffix, float(value)


def evaluate(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    predicted: ArrayLike,
    *,
    labels: Sequence[str],
    macro_labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Score predictions.

    Parameters
    ----------
    y_true : array-like of shape (n_articles, n_labels)
        Truth as 0/1, NaN where a label is not known: such an article is left out of that label's scores.
    probabilities : array-like of shape (n_articles, n_labels), in [0, 1]
        For average precision and calibration.
    predicted : array-like of shape (n_articles, n_labels), bool
        The labels given.
    labels : sequence of str, length n_labels
        Label keys.
    macro_labels : sequence of str, optional
        The labels that macro, micro and false alarms run over; all by default.
    groups : sequence of str, optional
        Resampling draws whole groups (cluster bootstrap), since copies of one story are no independent articles.
    n_bootstrap : int
        Resamples; 0 leaves the intervals undefined.
    seed : int
        Decides the resamples.

    Raises
    ------
    ValueError
        If shapes differ.
    """
    given_truth = np.asarray(y_true, dtype=np.float64)
    known, truth = ~np.isnan(given_truth), np.nan_to_num(given_truth) > 0
    p = np.asarray(probabilities, dtype=np.float64)
    given = np.asarray(predicted, dtype=bool)
    if not truth.shape == p.shape == given.shape == (len(truth), len(labels)):
        raise ValueError(
            f"expected three arrays of shape (n_articles, {len(labels)}), got {truth.shape}, {p.shape}, {given.shape}"
        )
    names = [str(i) for i in range(len(truth))] if groups is None else [str(g) for g in groups]
    cluster, n_groups = clusters(names)
    weights = np.ones((1 + n_bootstrap, len(truth)))
    if n_groups:
        weights[1:] = group_draws(n_groups, n_bootstrap, np.random.default_rng(seed))[:, cluster]

    macro = tuple(labels if macro_labels is None else macro_labels)
    scores, overall = _scores(known, truth, p, given, weights, columns=[labels.index(key) for key in macro])
    return Evaluation(
        labels={key: {m: estimate(scores[m][:, k]) for m in METRICS} for k, key in enumerate(labels)},
        overall={name: estimate(values) for name, values in overall.items()},
        support={key: int(truth[:, k].sum()) for k, key in enumerate(labels)},
        n_articles=len(truth),
        n_groups=n_groups,
        macro_labels=macro,
    )


def _scores(
    known: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    p: FloatArray,
    given: NDArray[np.bool_],
    weights: FloatArray,
    *,
    columns: Sequence[int],
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return the scores per label and those over the labels in `columns`, under each row of article weights.

    Values have shapes (n_rows, n_labels) and (n_rows,).
    """
    tp, fp, fn = (weights @ x for x in (truth & given, known & ~truth & given, truth & ~given))
    rows = [known[:, k] for k in range(truth.shape[1])]
    scores = {
        "precision": ratio(tp, tp + fp, empty=0.0),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "ap": np.column_stack([_average_precision(truth[r, k], p[r, k], weights[:, r]) for k, r in enumerate(rows)]),
        "ece": np.column_stack([_calibration_errors(truth[r, k], p[r, k], weights[:, r]) for k, r in enumerate(rows)]),
    }
    tp, fp, fn = (x[:, columns].sum(axis=1) for x in (tp, fp, fn))
    nothing = (known & ~truth)[:, columns].all(axis=1)
    alarmed = nothing & given[:, columns].any(axis=1)
    overall = {
        "f1_macro": scores["f1"][:, columns].mean(axis=1),
        "ap_macro": scores["ap"][:, columns].mean(axis=1),
        "f1_micro": ratio(2 * tp, 2 * tp + fp + fn),
        "precision_micro": ratio(tp, tp + fp, empty=0.0),
        "recall_micro": ratio(tp, tp + fn),
        "false_alarms": ratio(weights @ alarmed, weights @ nothing),
    }
    return scores, overall


def calibration_error(y: NDArray[np.bool_], p: FloatArray, *, n_bins: int = 10) -> float:
    """Return the expected calibration error over equally wide bins (Naeini et al. 2015), in [0, 1]."""
    return float(_calibration_errors(y, p, np.ones((1, len(y))), n_bins=n_bins)[0])


def _calibration_errors(y: NDArray[np.bool_], p: FloatArray, weights: FloatArray, *, n_bins: int = 10) -> FloatArray:
    """Return the calibration error under each row of article weights.

    A resample adds noise of its own to every bin, so intervals from resamples lie somewhat high.
    """
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    gaps = np.zeros((len(p), n_bins))
    gaps[np.arange(len(p)), bins] = p - y
    return ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _average_precision(y: NDArray[np.bool_], p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the average precision under each row of article weights; ties share one threshold."""
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True)) if len(p) else np.zeros(0, dtype=int)
    taken = np.cumsum(weights[:, order], axis=1)[:, ends]
    hits = np.cumsum(weights[:, order] * y[order], axis=1)[:, ends]
    precision = ratio(hits, taken, empty=0.0)
    steps = np.diff(hits, axis=1, prepend=0)
    return ratio((precision * steps).sum(axis=1), steps.sum(axis=1))
