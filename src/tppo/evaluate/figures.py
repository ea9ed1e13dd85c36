"""Figures of an evaluation: precision-recall curves, calibration, confusion per label, differences to the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

__all__ = ["calibration_plot", "confusion_plot", "differences_plot", "precision_recall_plot"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Okabe and Ito's colours, told apart by colour-blind readers.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def _axes(width: float = 6.4, height: float = 5.0) -> tuple[Figure, Any]:
    """Return an empty figure and its axes, without pyplot's global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def precision_recall_plot(
    y_true: BoolArray, probabilities: FloatArray, predicted: BoolArray, labels: Sequence[str]
) -> Figure:
    """Draw a precision-recall curve per label, a dot at the decision threshold.

    Parameters
    ----------
    y_true, predicted : ndarray of shape (n_articles, n_labels), bool
        Truth and labels given.
    probabilities : ndarray of shape (n_articles, n_labels), in [0, 1]
        What the curve runs over.
    labels : sequence of str, length n_labels
        Names in the legend.
    """
    figure, axes = _axes()
    for k, label in enumerate(labels):
        y, colour = y_true[:, k], _COLOURS[k % len(_COLOURS)]
        if not y.any():
            continue
        hits = np.cumsum(y[np.argsort(-probabilities[:, k], kind="stable")])
        precision, recall = hits / np.arange(1, len(y) + 1), hits / hits[-1]
        ends = np.flatnonzero(np.append(np.diff(np.sort(-probabilities[:, k])) != 0, True))
        axes.step(recall[ends], precision[ends], where="post", color=colour, label=f"{label} (n={int(y.sum())})")
        given = predicted[:, k]
        if given.any():
            axes.plot((y & given).sum() / y.sum(), (y & given).sum() / given.sum(), "o", color=colour, markersize=7)
    axes.set(
        xlabel="Recall",
        ylabel="Precision",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        title="Precision and recall (dot: decision)",
    )
    if axes.lines:
        axes.legend(loc="lower left", frameon=False)
    return figure


def calibration_plot(
    y_true: BoolArray, probabilities: FloatArray, labels: Sequence[str], *, n_bins: int = 10
) -> Figure:
    """Draw the share of positives against the mean predicted probability, per label; dot areas follow bin sizes."""
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    for k, label in enumerate(labels):
        colour = _COLOURS[k % len(_COLOURS)]
        bins = np.minimum((probabilities[:, k] * n_bins).astype(int), n_bins - 1)
        size = np.bincount(bins, minlength=n_bins)
        used = size > 0
        mean = np.bincount(bins, weights=probabilities[:, k], minlength=n_bins)[used] / size[used]
        share = np.bincount(bins, weights=y_true[:, k], minlength=n_bins)[used] / size[used]
        axes.plot(mean, share, color=colour, linewidth=1, alpha=0.7, label=label)
        axes.scatter(mean, share, s=8 + 120 * size[used] / max(1, size.max()), color=colour, alpha=0.8)
    axes.set(
        xlabel="Predicted probability",
        ylabel="Share of articles with the label",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    axes.set_title("Calibration (dot area: articles in the bin)")
    axes.legend(loc="upper left", frameon=False)
    return figure


def confusion_plot(y_true: BoolArray, predicted: BoolArray, labels: Sequence[str]) -> Figure:
    """Draw a two-by-two table per label: truth in rows, the label given in columns."""
    figure = Figure(figsize=(2.3 * len(labels), 2.9), layout="constrained")
    for k, (label, axes) in enumerate(zip(labels, np.atleast_1d(figure.subplots(1, len(labels))))):
        table = np.zeros((2, 2), dtype=int)
        np.add.at(table, (y_true[:, k].astype(int), predicted[:, k].astype(int)), 1)
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.3)
        for row in range(2):
            for column in range(2):
                axes.text(column, row, str(table[row, column]), ha="center", va="center", fontsize=12)
        axes.set_xticks([0, 1], ["no", "yes"])
        axes.set_yticks([0, 1], ["no", "yes"])
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("given", fontsize=8)
        if k == 0:
            axes.set_ylabel("truth", fontsize=8)
    return figure


def differences_plot(
    names: Sequence[str], differences: Sequence[tuple[float, float, float]], *, best: str, metric: str
) -> Figure:
    """Draw how far each of several settings is from the best one.

    Parameters
    ----------
    names : sequence of str
        Of the settings, from top to bottom.
    differences : sequence of (float, float, float)
        Difference to the best and the ends of its interval, for each name.
    best, metric : str
        Name of the best, and what is compared.
    """
    figure, axes = _axes(width=7.6, height=1.6 + 0.28 * len(names))
    value, low, high = np.array(differences, dtype=np.float64).reshape(-1, 3).T
    places = np.arange(len(names))
    certain = (low > 0) | (high < 0)
    for chosen, colour in ((certain, _COLOURS[1]), (~certain, _COLOURS[0])):
        bars = (value - low, high - value)
        axes.errorbar(
            value[chosen], places[chosen], xerr=[bar[chosen] for bar in bars], fmt="o", color=colour, capsize=3
        )
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(f"{metric} less that of the best, 95 % interval")
    axes.set_title(f"best: {best}", fontsize=9)
    return figure
