"""Scores and intervals against scikit-learn's, and what the clustered bootstrap promises."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from tppo.evaluate import METRICS, calibration_error, evaluate

LABELS = ("a", "b", "c", "context")
MACRO = LABELS[:3]


def data(n: int = 200, seed: int = 0, ties: bool = False) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Truth, probabilities that know something about it, and the labels given."""
    draw = np.random.default_rng(seed)
    y = draw.random((n, len(LABELS))) < [0.1, 0.3, 0.5, 0.6]
    p = np.clip(0.3 * y + draw.random((n, len(LABELS))) * 0.7, 0, 1)
    p = p.round(1) if ties else p
    return y, p, p >= 0.5


def scores(seed: int = 0, ties: bool = False, **options: Any) -> Any:
    return evaluate(*data(seed=seed, ties=ties), labels=LABELS, macro_labels=MACRO, **{"n_bootstrap": 0, **options})


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_scores_of_each_label_are_those_of_scikit_learn(seed: int, ties: bool) -> None:
    y, p, given_ = data(seed=seed, ties=ties)
    found = scores(seed, ties).labels
    for k, label in enumerate(LABELS):
        assert found[label]["precision"].value == pytest.approx(precision_score(y[:, k], given_[:, k]))
        assert found[label]["recall"].value == pytest.approx(recall_score(y[:, k], given_[:, k]))
        assert found[label]["f1"].value == pytest.approx(f1_score(y[:, k], given_[:, k]))
        assert found[label]["ap"].value == pytest.approx(average_precision_score(y[:, k], p[:, k]))


@pytest.mark.parametrize("seed", range(5))
def test_macro_and_micro_scores_run_over_the_macro_labels_only(seed: int) -> None:
    y, p, given_ = (x[:, :3] for x in data(seed=seed))
    found = scores(seed).overall
    assert found["f1_macro"].value == pytest.approx(f1_score(y, given_, average="macro"))
    assert found["ap_macro"].value == pytest.approx(average_precision_score(y, p, average="macro"))
    assert found["f1_micro"].value == pytest.approx(f1_score(y, given_, average="micro"))
    assert found["precision_micro"].value == pytest.approx(precision_score(y, given_, average="micro"))
    assert found["recall_micro"].value == pytest.approx(recall_score(y, given_, average="micro"))


def test_false_alarms_are_a_share_of_the_articles_without_any_modus() -> None:
    y, _, given_ = data()
    nothing = ~y[:, :3].any(axis=1)
    assert scores().overall["false_alarms"].value == pytest.approx(given_[nothing, :3].any(axis=1).mean())


@given(st.integers(0, 1000))
def test_scores_do_not_depend_on_the_order_of_articles(seed: int) -> None:
    y, p, given_ = data(n=30, seed=seed, ties=True)
    order = np.random.default_rng(seed).permutation(30)
    one = evaluate(y, p, given_, labels=LABELS, n_bootstrap=0)
    two = evaluate(y[order], p[order], given_[order], labels=LABELS, n_bootstrap=0)
    assert dict(one.flat()) == pytest.approx(dict(two.flat()))


def test_intervals_hold_the_estimate() -> None:
    found = scores(n_bootstrap=300)
    for estimate in [*found.overall.values(), *(e for metrics in found.labels.values() for e in metrics.values())]:
        assert estimate.low <= estimate.value <= estimate.high


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    draw = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        y = draw.random((150, 1)) < 0.5
        given_ = np.where(draw.random((150, 1)) < 0.8, y, ~y)
        e = evaluate(y, given_.astype(float), given_, labels=["x"], n_bootstrap=300).labels["x"]["recall"]
        inside += e.low <= 0.8 <= e.high
    assert 0.89 <= inside / 200 <= 1


def test_copies_of_a_story_in_one_group_widen_the_interval() -> None:
    y, p, given_ = (np.repeat(x, 4, axis=0) for x in data(n=60))
    stories = np.repeat(np.arange(60), 4).astype(str)
    clustered = evaluate(y, p, given_, labels=LABELS, groups=stories).overall["f1_macro"]
    apart = evaluate(y, p, given_, labels=LABELS).overall["f1_macro"]
    assert clustered.value == apart.value
    assert clustered.high - clustered.low > 1.5 * (apart.high - apart.low)


def test_copies_in_groups_give_the_interval_of_the_originals() -> None:
    y, p, given_ = data(n=60)
    once = evaluate(y, p, given_, labels=LABELS, groups=[f"{i:03d}" for i in range(60)])
    y, p, given_ = (np.repeat(x, 4, axis=0) for x in (y, p, given_))
    copies = evaluate(y, p, given_, labels=LABELS, groups=[f"{i:03d}" for i in range(60) for _ in range(4)])
    one, four = once.overall["f1_macro"], copies.overall["f1_macro"]
    assert (four.value, four.low, four.high) == pytest.approx((one.value, one.low, one.high))


def test_groups_are_counted() -> None:
    found = scores(groups=[str(i // 4) for i in range(200)])
    assert (found.n_articles, found.n_groups) == (200, 50)


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, two = (dict(scores(n_bootstrap=50, seed=0).flat()) for _ in range(2))
    assert one == two


def test_another_seed_gives_other_intervals_and_the_same_estimates() -> None:
    y, p, given_ = data()
    one, two = (evaluate(y, p, given_, labels=LABELS, n_bootstrap=50, seed=s).overall["f1_macro"] for s in (0, 1))
    assert one.value == two.value
    assert (one.low, one.high) != (two.low, two.high)


def test_without_resamples_there_are_no_intervals() -> None:
    found = scores(n_bootstrap=0)
    assert np.isnan(found.overall["f1_macro"].low)
    assert not [name for name, _ in found.flat() if name.endswith(("_lo", "_hi"))]


def test_a_label_that_nobody_carries_and_nobody_is_given_has_no_score() -> None:
    y, p, given_ = data()
    y[:, 0] = given_[:, 0] = False
    found = evaluate(y, p, given_, labels=LABELS, n_bootstrap=20).labels["a"]
    assert np.isnan([found["recall"].value, found["f1"].value, found["ap"].value]).all()


def test_a_label_that_nobody_carries_but_some_are_given_scores_zero() -> None:
    y, p, given_ = data()
    y[:, 0], given_[:, 0] = False, True
    found = evaluate(y, p, given_, labels=LABELS, n_bootstrap=0).labels["a"]
    assert (found["precision"].value, found["f1"].value) == (0.0, 0.0)


def test_a_label_carried_but_never_given_scores_zero() -> None:
    y, p, given_ = data()
    given_[:, 0] = False
    found = evaluate(y, p, given_, labels=LABELS, n_bootstrap=0).labels["a"]
    assert [found[m].value for m in ("precision", "recall", "f1")] == [0.0, 0.0, 0.0]


def test_a_rare_label_that_some_resamples_miss_still_has_an_interval() -> None:
    y, p, given_ = data(n=30)
    y[:, 0] = np.arange(30) == 0
    found = evaluate(y, p, given_, labels=LABELS, n_bootstrap=200).labels["a"]["ap"]
    assert np.isfinite([found.value, found.low, found.high]).all()


def test_undefined_scores_are_not_tracked() -> None:
    y, p, given_ = data()
    y[:, 0] = given_[:, 0] = False
    tracked = dict(evaluate(y, p, given_, labels=LABELS, n_bootstrap=20).flat())
    assert "recall/a" not in tracked
    assert all(value == value for value in tracked.values())


def test_no_articles_at_all_give_no_scores() -> None:
    nothing = np.zeros((0, len(LABELS)))
    found = evaluate(nothing, nothing, nothing, labels=LABELS, n_bootstrap=10)
    assert (found.n_articles, found.n_groups) == (0, 0)
    assert np.isnan(found.overall["f1_macro"].value)


def test_metrics_are_tracked_by_name_with_their_bounds() -> None:
    tracked = dict(scores(n_bootstrap=20).flat())
    for name in ["f1_macro", "ap_macro", "f1_micro", *(f"{m}/{label}" for m in METRICS for label in LABELS)]:
        assert {name, f"{name}_lo", f"{name}_hi"} <= set(tracked)


def test_support_counts_the_articles_that_carry_a_label() -> None:
    assert list(scores().support.values()) == data()[0].sum(axis=0).tolist()


def test_arrays_of_different_shapes_are_refused_with_their_shapes() -> None:
    y, p, given_ = data(n=10)
    with pytest.raises(ValueError, match=r"\(n_articles, 4\), got \(10, 4\), \(9, 4\), \(10, 4\)"):
        evaluate(y, p[:9], given_, labels=LABELS)
    with pytest.raises(ValueError, match=r"\(n_articles, 2\)"):
        evaluate(y, p, given_, labels=LABELS[:2])


def test_right_probabilities_have_no_calibration_error() -> None:
    draw = np.random.default_rng(0)
    p = draw.random(100_000)
    assert calibration_error(draw.random(100_000) < p, p) == pytest.approx(0, abs=0.01)


def test_certainty_about_the_wrong_thing_has_the_whole_calibration_error() -> None:
    assert calibration_error(np.zeros(10, dtype=bool), np.ones(10)) == 1


def test_calibration_error_is_the_mean_gap_over_bins() -> None:
    p, y = np.array([0.25, 0.25, 0.85, 0.85]), np.array([False, True, True, True])
    assert calibration_error(y, p) == pytest.approx(0.5 * 0.25 + 0.5 * 0.15)
