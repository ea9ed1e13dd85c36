"""Figures show what was measured and say on their axes what it is."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tppo.evaluate.figures import calibration_plot, confusion_plot, differences_plot, precision_recall_plot

LABELS = ("one", "two", "three")


def data(n: int = 60) -> tuple[Any, Any, Any]:
    draw = np.random.default_rng(0)
    y = draw.random((n, 3)) < 0.4
    p = np.clip(0.4 * y + 0.6 * draw.random((n, 3)), 0, 1)
    return y, p, p > 0.5


def figures() -> dict[str, Figure]:
    y, p, given = data()
    return {
        "precision and recall": precision_recall_plot(y, p, given, LABELS),
        "calibration": calibration_plot(y, p, LABELS),
        "confusion": confusion_plot(y, given, LABELS),
        "differences": differences_plot(["b", "c"], [(-0.1, -0.2, -0.05), (-0.01, -0.1, 0.1)], best="a", metric="F1"),
    }


@pytest.mark.parametrize("name", list(figures()))
def test_a_figure_is_drawn_and_not_empty(name: str) -> None:
    figure = figures()[name]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 10
    file = BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_the_precision_recall_plot_names_its_axes_and_labels() -> None:
    axes = figures()["precision and recall"].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Recall", "Precision")
    support = data()[0].sum(axis=0)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [f"{label} (n={n})" for label, n in zip(LABELS, support)]


def test_the_dot_on_a_precision_recall_curve_is_the_decision() -> None:
    y, _, given = data()
    axes = figures()["precision and recall"].axes[0]
    dots = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"]
    hits = (y & given).sum(axis=0)
    np.testing.assert_allclose(dots, np.column_stack([hits / y.sum(axis=0), hits / given.sum(axis=0)]))


def test_a_precision_recall_curve_ends_at_full_recall_and_the_share_of_positives() -> None:
    y, *_ = data()
    curves = [line for line in figures()["precision and recall"].axes[0].lines if line.get_marker() != "o"]
    ends = [(curve.get_xdata()[-1], curve.get_ydata()[-1]) for curve in curves]
    np.testing.assert_allclose(ends, [(1.0, share) for share in y.mean(axis=0)])


def test_a_label_that_nobody_carries_has_no_curve() -> None:
    y, p, given = data()
    y[:, 1] = False
    legend = precision_recall_plot(y, p, given, LABELS).axes[0].get_legend()
    assert [text.get_text().split(" ")[0] for text in legend.get_texts()] == ["one", "three"]


def test_a_precision_recall_plot_without_any_positives_can_be_drawn() -> None:
    y, p, given = data()
    assert precision_recall_plot(np.zeros_like(y), p, given, LABELS).axes


def test_the_calibration_plot_names_its_axes_and_labels() -> None:
    axes = figures()["calibration"].axes[0]
    assert axes.get_xlabel() == "Predicted probability"
    assert axes.get_ylabel() == "Share of articles with the label"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(LABELS)


def test_right_probabilities_lie_on_the_diagonal_of_the_calibration_plot() -> None:
    draw = np.random.default_rng(0)
    p = draw.random((20_000, 1))
    line = calibration_plot(draw.random(p.shape) < p, p, ["x"]).axes[0].lines[1]
    np.testing.assert_allclose(line.get_xdata(), line.get_ydata(), atol=0.05)


def test_the_confusion_plot_counts_truth_in_rows_and_labels_given_in_columns() -> None:
    y, _, given = data()
    for k, axes in enumerate(figures()["confusion"].axes):
        counts = [int(text.get_text()) for text in axes.texts]
        expected = [((y[:, k] == t) & (given[:, k] == g)).sum() for t in (False, True) for g in (False, True)]
        assert counts == expected
        assert (axes.get_title(), axes.get_xlabel()) == (LABELS[k], "given")
    assert figures()["confusion"].axes[0].get_ylabel() == "truth"


def test_a_single_label_can_be_drawn() -> None:
    y, p, given = (x[:, :1] for x in data())
    assert len(confusion_plot(y, given, ["x"]).axes) == 1
    assert precision_recall_plot(y, p, given, ["x"]).axes
