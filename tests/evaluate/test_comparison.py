"""Comparing two sets of predictions: known values, and what holds for any two."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import f1_score

from tppo.errors import DataError
from tppo.evaluate import Predictions, align, compare
from tppo.evaluate.comparison import holm, mcnemar

LABELS = ("a", "b", "context")
MACRO = LABELS[:2]


def predictions(seed: int, *, skill: float = 0.3, n: int = 60, n_groups: int = 40, unknown: float = 0.0) -> Predictions:
    """Predictions for the same articles whatever seed and skill are; the more skill, the more often right."""
    articles, draw = np.random.default_rng(99), np.random.default_rng(seed)
    truth = (articles.random((n, len(LABELS))) < [0.3, 0.5, 0.6]).astype(float)
    truth[articles.random(n) < unknown, -1] = np.nan
    p = np.clip(skill * np.nan_to_num(truth) + draw.random(truth.shape) * (1 - skill), 0, 1)
    groups = tuple(f"g{g}" for g in articles.integers(0, n_groups, n))
    ids = tuple(f"art-{i:03d}" for i in range(n))
    return Predictions(LABELS, ids, groups, ids, truth, p, p >= 0.5)


def run(first: Predictions, second: Predictions, **options: Any) -> Any:
    return compare(first, second, macro_labels=MACRO, **{"n_bootstrap": 200, **options})


SEEDS = st.integers(0, 10_000)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_nothing_differs_from_itself(seed: int) -> None:
    found = run(predictions(seed, unknown=0.2), predictions(seed, unknown=0.2))
    assert (found.f1_macro.difference.value, found.f1_macro.difference.low, found.f1_macro.difference.high) == (0, 0, 0)
    assert found.f1_macro.p == 1
    for label in found.labels.values():
        assert label.f1.difference.value == 0
        assert (label.f1_p_holm, label.right_p_holm) == (1, 1)
        assert (label.right.only_first, label.right.only_second) == (0, 0)
        assert (label.right.odds_ratio, label.right.cohen_g) == (1, 0)
    assert found.worse() == []


@given(SEEDS, SEEDS)
@settings(max_examples=20, deadline=None)
def test_the_other_way_round_the_differences_change_sign_and_the_p_values_stay(one: int, two: int) -> None:
    a, b = predictions(one), predictions(two, skill=0.5)
    there, back = run(a, b), run(b, a)
    pairs = [(there.f1_macro, back.f1_macro), *((there.labels[k].f1, back.labels[k].f1) for k in LABELS)]
    for x, y in pairs:
        assert (x.first, x.second, x.p) == (y.second, y.first, y.p)
        assert x.difference.value == -y.difference.value
        assert (x.difference.low, x.difference.high) == pytest.approx((-y.difference.high, -y.difference.low))
    for key in LABELS:
        x, y = there.labels[key].right, back.labels[key].right
        assert (x.only_first, x.only_second, x.p) == (y.only_second, y.only_first, y.p)
        assert x.cohen_g == -y.cohen_g


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_articles_does_not_matter(seed: int) -> None:
    a, b = predictions(seed), predictions(seed + 1)
    rows = np.random.default_rng(seed).permutation(len(a.ids))
    assert run(a.take(rows), b.take(rows)) == run(a, b)


def test_the_scores_are_those_of_scikit_learn_where_the_label_is_known() -> None:
    a, b = predictions(1, unknown=0.3), predictions(2, unknown=0.3)
    found = run(a, b)
    for k, key in enumerate(LABELS):
        known = ~np.isnan(a.truth[:, k])
        assert found.labels[key].f1.first == pytest.approx(f1_score(a.truth[known, k], a.given[known, k]))
        assert found.labels[key].f1.second == pytest.approx(f1_score(b.truth[known, k], b.given[known, k]))
    assert found.f1_macro.first == pytest.approx(np.mean([found.labels[k].f1.first for k in MACRO]))


def test_the_interval_is_that_of_a_bootstrap_done_by_hand() -> None:
    a, b = predictions(1), predictions(2, skill=0.5)
    names = sorted(set(a.groups))
    members = {g: [i for i, other in enumerate(a.groups) if other == g] for g in names}
    draw, differences = np.random.default_rng(5), []

    def f1(x: Predictions, rows: list[int], k: int) -> float:
        y, labels = x.truth[rows, k] == 1, x.given[rows, k]
        return float(2 * (y & labels).sum() / (y.sum() + labels.sum()))

    for _ in range(2000):
        rows = [i for g in draw.choice(names, len(names)) for i in members[g]]
        scores = [(f1(x, rows, 0) + f1(x, rows, 1)) / 2 for x in (a, b)]
        differences.append(scores[1] - scores[0])
    found = run(a, b, n_bootstrap=20_000).f1_macro
    assert (found.difference.low, found.difference.high) == pytest.approx(
        np.percentile(differences, [2.5, 97.5]), abs=0.02
    )
    by_hand = 2 * min(np.mean(np.array(differences) <= 0), np.mean(np.array(differences) >= 0))
    assert found.p == pytest.approx(by_hand, abs=0.02)


def test_copies_of_one_story_make_a_difference_no_surer() -> None:
    a, b = predictions(1, n_groups=10_000), predictions(2, skill=0.35, n_groups=10_000)
    ten = [i for i in range(len(a.ids)) for _ in range(10)]
    ids = tuple(str(i) for i in range(len(ten)))
    copied = [replace(x.take(ten), ids=ids) for x in (a, b)]
    assert run(*copied).f1_macro == run(a, b).f1_macro
    independent = [replace(x, groups=ids) for x in copied]
    assert run(*independent).f1_macro.p < run(a, b).f1_macro.p


def test_a_much_better_model_is_significantly_better_and_the_other_worse_on_every_label() -> None:
    bad, good = predictions(1, skill=0.0, n=200, n_groups=150), predictions(2, skill=0.9, n=200, n_groups=150)
    found = run(bad, good)
    assert found.f1_macro.p < 0.05
    assert found.worse() == []
    assert run(good, bad).worse() == list(MACRO)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_p_values_lie_between_zero_and_one_and_correction_only_raises_them(seed: int) -> None:
    found = run(predictions(seed), predictions(seed + 20_000))
    assert 0 < found.f1_macro.p <= 1
    assert all(0 < c.f1.p <= c.f1_p_holm <= 1 and 0 < c.right.p <= c.right_p_holm <= 1 for c in found.labels.values())


def test_a_label_that_nobody_carries_or_gives_has_no_difference() -> None:
    a, b = predictions(1), predictions(2)
    for x in (a, b):
        x.truth[:, 0], x.given[:, 0] = 0, False
    found = run(a, b).labels
    assert np.isnan([found["a"].f1.first, found["a"].f1.difference.value, found["a"].f1.p]).all()
    assert found["b"].f1_p_holm == pytest.approx(
        min(1, max(2 * min(found[k].f1.p for k in LABELS[1:]), found["b"].f1.p))
    )


def test_no_articles_are_compared_without_a_crash() -> None:
    found = run(predictions(1).take([]), predictions(2).take([]))
    assert found.n_articles == 0
    assert np.isnan(found.f1_macro.p)


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (0, 1), (3, 9), (9, 3), (5, 5), (0, 12)])
def test_mcnemar_is_the_binomial_test_of_the_discordant_articles(only_first: int, only_second: int) -> None:
    first = np.array([True] * only_first + [False] * only_second + [True, False] * 7)
    second = np.array([False] * only_first + [True] * only_second + [True, False] * 7)
    found, n = mcnemar(first, second), only_first + only_second
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p == pytest.approx(min(1.0, 2 * binom.cdf(min(only_first, only_second), n, 0.5)))


def test_mcnemar_of_three_against_nine_worked_out_by_hand() -> None:
    first, second = np.array([True] * 3 + [False] * 9), np.array([False] * 3 + [True] * 9)
    found = mcnemar(first, second)
    assert found.p == pytest.approx(2 * (1 + 12 + 66 + 220) / 2**12)
    assert (found.odds_ratio, found.cohen_g) == (3, 0.25)


def test_holm_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_out_what_is_not_defined_and_never_passes_one() -> None:
    assert holm([0.8, float("nan"), 0.6]) == pytest.approx([1, float("nan"), 1], nan_ok=True)
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p: list[float]) -> None:
    corrected = np.array(holm(p))
    assert (corrected >= np.array(p)).all()
    assert (corrected <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_predictions_come_back_from_a_file_as_they_were(seed: int) -> None:
    written = predictions(seed, n=20, unknown=0.3)
    read = Predictions.from_csv(written.to_csv())
    assert (read.labels, read.ids, read.groups, read.digests) == (
        written.labels,
        written.ids,
        written.groups,
        written.digests,
    )
    np.testing.assert_array_equal(read.truth, written.truth)
    np.testing.assert_array_equal(read.probabilities, written.probabilities)
    np.testing.assert_array_equal(read.given, written.given)


def test_ids_that_look_like_numbers_or_nothing_stay_what_they_are() -> None:
    written = replace(predictions(1, n=3), ids=("007", "NA", "1e5"))
    assert Predictions.from_csv(written.to_csv()).ids == ("007", "NA", "1e5")


@pytest.mark.parametrize(
    "content", ["", "id,group\n1,1\n", "id,group,text_sha256,true_a,p_a,given_a\n1,1,x,yes,no,1\n"]
)
def test_a_file_that_is_no_table_of_predictions_is_refused(content: str) -> None:
    with pytest.raises(DataError, match="not a table of predictions"):
        Predictions.from_csv(content)


def test_aligning_puts_the_second_in_the_order_of_the_first() -> None:
    a = predictions(1)
    b = predictions(2).take(np.arange(60)[::-1])
    assert align(a, b).ids == a.ids
    np.testing.assert_array_equal(align(a, b).given, predictions(2).given)


def changed(field: str, row: int = 4) -> Predictions:
    b = predictions(2)
    if field == "truth":
        b.truth[row, 0] = 1 - b.truth[row, 0]
        return b
    values = list(getattr(b, field))
    values[row] = "other"
    return replace(b, **{field: tuple(values)})


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("ids", r"59 in both, 1 only in A \(art-004\), 1 only in B \(other\)"),
        ("digests", r"the texts of 1 of 60 differ \(art-004\)"),
        ("groups", r"the syndication groups of 1 of 60 differ \(art-004\)"),
        ("truth", r"the true labels of 1 of 60 differ \(art-004\)"),
        ("labels", "different labels .*: A has a, b, context; B has a, b, other"),
    ],
)
def test_other_articles_are_refused_with_the_difference(field: str, said: str) -> None:
    other = changed(field, 2 if field == "labels" else 4)
    with pytest.raises(DataError, match=said):
        align(predictions(1), other, names=("A", "B"))


def test_articles_that_are_not_aligned_are_refused() -> None:
    with pytest.raises(ValueError, match="align them"):
        run(predictions(1), predictions(2).take(np.arange(60)[::-1]))
