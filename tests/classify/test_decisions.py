"""Calibration and thresholds: what each criterion promises, on any data."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import fbeta_score

from tppo.classify.decisions import choose_floor, choose_threshold, fit_platt
from tppo.classify.scorer import sigmoid

Data = tuple[NDArray[np.float64], NDArray[np.bool_]]


@st.composite
def predictions(draw: st.DrawFn) -> Data:
    """Probabilities, often tied, and truths."""
    n = draw(st.integers(1, 30))
    p = draw(st.lists(st.integers(0, 20).map(lambda i: i / 20), min_size=n, max_size=n))
    y = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(p), np.array(y)


def rates(p: NDArray[np.float64], y: NDArray[np.bool_], threshold: float) -> tuple[float, float]:
    """Precision (1 when nothing is taken) and recall of taking what reaches the threshold."""
    taken = p >= threshold
    return (float(y[taken].mean()) if taken.any() else 1.0), float((y & taken).sum() / y.sum())


def attainable(data: Data) -> list[tuple[float, float]]:
    p, y = data
    return [rates(p, y, t) for t in np.unique(p)]


def f_beta(p: NDArray[np.float64], y: NDArray[np.bool_], threshold: float, beta: float) -> float:
    taken = p >= threshold
    hits = int((y & taken).sum())
    return float((1 + beta**2) * hits / (taken.sum() + beta**2 * y.sum()))


@pytest.mark.parametrize(("criterion", "beta"), [("best_f1", 1.0), ("best_f05", 0.5)])
@given(data=predictions())
def test_the_best_f_score_is_not_beaten_by_any_other_threshold(data: Data, criterion: str, beta: float) -> None:
    p, y = data
    assume(y.any())
    threshold = choose_threshold(p, y, criterion=criterion, target=0.9)
    assert f_beta(p, y, threshold, beta) == pytest.approx(max(f_beta(p, y, t, beta) for t in np.unique(p)))


def test_the_f_scores_are_those_of_scikit_learn() -> None:
    p, y = np.array([0.9, 0.8, 0.4, 0.2]), np.array([True, False, True, False])
    assert f_beta(p, y, 0.3, 0.5) == pytest.approx(fbeta_score(y, p >= 0.3, beta=0.5))


@given(predictions(), st.floats(0.05, 1))
def test_precision_reaches_the_target_with_the_most_recall_when_it_can(data: Data, target: float) -> None:
    p, y = data
    assume(y.any())
    reachable = [recall for precision, recall in attainable(data) if precision >= target]
    precision, recall = rates(p, y, choose_threshold(p, y, criterion="precision", target=target))
    if reachable:
        assert precision >= target
        assert recall == pytest.approx(max(reachable))
    else:
        assert precision == pytest.approx(max(precision for precision, _ in attainable(data)))


@given(predictions(), st.floats(0.05, 1))
def test_recall_reaches_the_target_with_the_most_precision(data: Data, target: float) -> None:
    p, y = data
    assume(y.any())
    precision, recall = rates(p, y, choose_threshold(p, y, criterion="recall", target=target))
    assert recall >= target
    assert precision == pytest.approx(max(prec for prec, rec in attainable(data) if rec >= target))


@given(predictions(), st.sampled_from(["best_f1", "precision", "recall"]))
def test_a_threshold_is_a_probability_and_does_not_depend_on_the_order(data: Data, criterion: str) -> None:
    p, y = data
    threshold = choose_threshold(p, y, criterion=criterion, target=0.8)
    assert 0 <= threshold <= 1
    assert choose_threshold(p[::-1], y[::-1], criterion=criterion, target=0.8) == threshold


def test_without_positives_the_threshold_is_one_half() -> None:
    assert choose_threshold(np.array([0.1, 0.9]), np.array([False, False]), criterion="best_f1", target=0.9) == 0.5


def test_the_threshold_stands_half_way_to_the_next_probability() -> None:
    p, y = np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False])
    assert choose_threshold(p, y, criterion="best_f1", target=0.9) == pytest.approx(0.5)


@given(predictions(), st.floats(0, 1), st.floats(0.5, 1))
@example((np.array([0.1, 0.2, 0.2]), np.array([True, False, True])), 1.0, 0.5)
def test_of_those_denied_outright_enough_lack_the_label(data: Data, threshold: float, npv: float) -> None:
    p, y = data
    denied = p < choose_floor(p, y, threshold=threshold, npv=npv)
    assert not denied.any() or 1 - y[denied].mean() >= npv


@given(predictions(), st.floats(0, 1), st.floats(0.5, 1))
def test_no_higher_floor_would_do(data: Data, threshold: float, npv: float) -> None:
    p, y = data
    floor = choose_floor(p, y, threshold=threshold, npv=npv)
    for higher in [*np.unique(p[p <= threshold]), threshold]:
        denied = p < higher
        if higher > floor and (denied.sum() > (p < floor).sum()):
            assert 1 - y[denied].mean() < npv


@given(predictions(), st.floats(0, 1), st.floats(0.5, 1))
def test_the_floor_does_not_pass_the_threshold(data: Data, threshold: float, npv: float) -> None:
    p, y = data
    assert 0 <= choose_floor(p, y, threshold=threshold, npv=npv) <= threshold


@given(predictions())
def test_calibration_keeps_the_ranking(data: Data) -> None:
    p, y = data
    slope, intercept = fit_platt(20 * p - 10, y)
    assert slope >= 0
    order = np.argsort(p, kind="stable")
    assert (np.diff(sigmoid(slope * (20 * p - 10) + intercept)[order]) >= 0).all()


def simulated(slope: float, intercept: float, n: int = 20_000) -> Any:
    draw = np.random.default_rng(0)
    logits = draw.normal(scale=2, size=n)
    return logits, draw.random(n) < sigmoid(slope * logits + intercept)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.0, 1.0)])
def test_calibration_recovers_a_known_sigmoid(slope: float, intercept: float) -> None:
    assert fit_platt(*simulated(slope, intercept)) == pytest.approx((slope, intercept), abs=0.1)


def test_scores_that_rank_upside_down_are_flattened_not_turned() -> None:
    logits, y = simulated(-1.0, 0.0)
    slope, intercept = fit_platt(logits, y)
    assert slope == pytest.approx(0, abs=1e-6)
    assert sigmoid(np.array([intercept]))[0] == pytest.approx(y.mean(), abs=0.01)


@pytest.mark.parametrize("positive", [True, False])
def test_one_class_alone_is_calibrated_short_of_certainty(positive: bool) -> None:
    logits = np.linspace(-3, 3, 20)
    slope, intercept = fit_platt(logits, np.full(20, positive))
    p = sigmoid(slope * logits + intercept)
    assert np.isfinite(p).all()
    assert ((p > 0.5) == positive).all()


def test_perfectly_separated_scores_stay_finite() -> None:
    logits = np.array([-5.0, -4.0, 4.0, 5.0])
    slope, intercept = fit_platt(logits, logits > 0)
    assert np.isfinite([slope, intercept]).all()
