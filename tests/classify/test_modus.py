"""The classifier: a scikit-learn estimator, logistic regression on single windows, multiple instances on bags."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from tppo.classify.instances import Wording
from tppo.classify.modus import CRITERIA, ModusClassifier
from tppo.classify.scorer import Scorer, sigmoid
from tppo.embedding import Tokens

NOT_APPLICABLE = {
    "check_supervised_y_2d": "a target of one column is one label here, not a vector in the wrong shape to warn about",
}


@parametrize_with_checks([ModusClassifier()], expected_failed_checks=lambda _: NOT_APPLICABLE)
def test_scikit_learn_contract(estimator: Any, check: Any) -> None:
    check(estimator)


def flat(n: int = 300, n_features: int = 8, n_labels: int = 3, seed: int = 0) -> tuple[Any, Any]:
    """Articles of one window, with labels that depend on the features, noisily."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, n_features))
    y = X @ draw.normal(size=(n_features, n_labels)) + draw.normal(size=(n, n_labels)) > 0.3
    return X, y.astype(int)


def bags_with_one_witness(n: int = 240, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Articles of 1 to 12 windows of noise; in the positive ones a single window states the label.

    Returns the windows, the truth, the article of each window, and which windows state the label.
    """
    draw = np.random.default_rng(seed)
    windows, truth, bags, stated = [], [], [], []
    for article in range(n):
        size = int(draw.integers(1, 13))
        rows = draw.normal(scale=0.3, size=(size, 10))
        witness = np.zeros(size)
        if positive := article % 3 == 0:
            at = int(draw.integers(size))
            rows[at, 0] += 2.0
            witness[at] = 1
        windows.append(rows)
        truth.append(int(positive))
        bags += [article] * size
        stated.append(witness)
    return np.vstack(windows), np.array(truth)[:, None], np.array(bags), np.concatenate(stated)[:, None]


@pytest.mark.parametrize("C", [0.1, 10.0])
def test_with_one_window_per_article_it_is_logistic_regression(C: float) -> None:
    X, y = flat()
    ours = ModusClassifier(C=C, tol=1e-12, max_iter=2000, evidence_weight=0).fit(X, y).scorer_
    for k in range(y.shape[1]):
        theirs = LogisticRegression(C=C, tol=1e-8, max_iter=2000).fit(X, y[:, k])
        np.testing.assert_allclose(ours.weights[:, k], theirs.coef_[0], rtol=1e-2, atol=1e-3)
        p = sigmoid(X @ ours.weights[:, k] + ours.bias[k])
        np.testing.assert_allclose(p, theirs.predict_proba(X)[:, 1], atol=1e-3)


def test_the_default_tolerance_gives_probabilities_close_to_the_optimum() -> None:
    X, y = flat()
    close, exact = (ModusClassifier(tol=tol, max_iter=2000).fit(X, y) for tol in (ModusClassifier().tol, 1e-12))
    np.testing.assert_allclose(close.predict_proba(X), exact.predict_proba(X), atol=0.02)


def test_dense_and_sparse_features_give_the_same_model() -> None:
    X, y = flat()
    X[np.abs(X) < 1] = 0
    dense = ModusClassifier(tol=1e-10).fit(X, y).predict_proba(X)
    sparse = ModusClassifier(tol=1e-10).fit(sp.csr_matrix(X), y).predict_proba(sp.csr_matrix(X))
    np.testing.assert_allclose(dense, sparse, atol=1e-4)


def test_one_stating_window_suffices() -> None:
    X, y, bags, _ = bags_with_one_witness()
    new_X, new_y, new_bags, _ = bags_with_one_witness(seed=1)
    p = ModusClassifier().fit(X, y, bags=bags).predict_proba(new_X, bags=new_bags)
    assert average_precision_score(new_y[:, 0], p[:, 0]) > 0.95


def test_windows_that_say_nothing_do_not_drown_the_one_that_does() -> None:
    X, y, bags, _ = bags_with_one_witness()
    fitted = ModusClassifier().fit(X, y, bags=bags)
    witness, nothing = np.eye(10)[:1] * 2, np.zeros((40, 10))
    alone = fitted.predict_proba(witness, bags=[0])
    drowned = fitted.predict_proba(np.vstack([nothing, witness]), bags=[0] * 41)
    assert drowned[0, 0] >= alone[0, 0] - 0.05
    assert fitted.predict(np.vstack([nothing, witness]), bags=[0] * 41)[0, 0] == 1
    assert fitted.predict(nothing, bags=[0] * 40)[0, 0] == 0


def test_marked_windows_tell_what_states_a_label_from_what_goes_with_it() -> None:
    draw = np.random.default_rng(0)
    X, y, marks = draw.normal(scale=0.3, size=(90, 6)), np.arange(30)[:, None] % 2, np.zeros((90, 1))
    bags = np.repeat(np.arange(30), 3)
    stating, beside = (np.flatnonzero(y[bags, 0] & (np.arange(90) % 3 == place)) for place in (0, 1))
    X[stating, 0] += 2
    X[beside, 1] += 2
    marks[stating] = 1
    alone = np.array([[2.0, 0, 0, 0, 0, 0], [0, 2.0, 0, 0, 0, 0]])

    def lead(**marked: Any) -> float:
        p = ModusClassifier().fit(X, y, bags=bags, **marked).predict_proba(alone)
        return float(p[0, 0] - p[1, 0])

    assert lead(marks=marks) > lead() + 0.1


def test_windows_marked_as_silent_are_learnt_not_to_state_a_label() -> None:
    X, y, bags, marks = bags_with_one_witness(n=60)
    X[:, 1] += y[bags, 0] * 2.0  # every window of a positive article, stating or not
    silent = np.where(marks > 0, 1.0, -1.0 * y[bags])
    alone = np.array([[0.0, 2.0, *[0.0] * 8]])

    def p(silence_weight: float) -> float:
        fitted = ModusClassifier(silence_weight=silence_weight).fit(X, y, bags=bags, marks=silent)
        return float(fitted.predict_proba(alone)[0, 0])

    assert p(1.0) < p(0.0) - 0.1


def test_weights_of_zero_ignore_the_marks() -> None:
    X, y, bags, marks = bags_with_one_witness(n=60)
    with_marks = ModusClassifier(evidence_weight=0, silence_weight=0).fit(X, y, bags=bags, marks=marks)
    without = ModusClassifier().fit(X, y, bags=bags)
    np.testing.assert_array_equal(with_marks.scorer_.weights, without.scorer_.weights)


def test_unknown_targets_teach_nothing() -> None:
    X, y = flat()
    target = y.astype(float)
    target[200:, 1] = np.nan
    fitted = ModusClassifier(tol=1e-10).fit(X, target)
    known = ModusClassifier(tol=1e-10).fit(X[:200], y[:200])
    np.testing.assert_allclose(fitted.scorer_.weights[:, 1], known.scorer_.weights[:, 1], rtol=1e-2, atol=1e-3)


def test_unknown_targets_of_one_label_leave_the_others_alone() -> None:
    X, y = flat()
    target = y.astype(float)
    target[200:, 1] = np.nan
    fitted, full = ModusClassifier(tol=1e-10).fit(X, target), ModusClassifier(tol=1e-10).fit(X, y)
    np.testing.assert_allclose(fitted.scorer_.weights[:, 0], full.scorer_.weights[:, 0], rtol=1e-2, atol=1e-3)


def test_a_label_that_is_nowhere_known_is_not_given() -> None:
    X, y = flat()
    target = y.astype(float)
    target[:, 2] = np.nan
    fitted = ModusClassifier().fit(X, target)
    assert fitted.predict(X)[:, 2].sum() == 0


def test_the_article_as_a_whole_can_overrule_a_sentence() -> None:
    """Windows alone cannot tell the two halves apart; the article's own feature can."""
    X, y, bags, _ = bags_with_one_witness(n=240)
    subject = np.where(np.arange(240) % 2 == 0, 1.0, -1.0)[:, None]
    y = y * (subject > 0)
    blind = ModusClassifier().fit(X, y, bags=bags)
    seeing = ModusClassifier().fit(X, y, bags=bags, articles=subject)
    ap = [average_precision_score(y[:, 0], fitted.oof_probabilities_[:, 0]) for fitted in (blind, seeing)]
    assert ap[1] > ap[0] + 0.2


def test_articles_must_be_given_again_for_predictions() -> None:
    X, y = flat()
    fitted = ModusClassifier().fit(X, y, articles=X[:, :2])
    assert fitted.predict_proba(X, articles=X[:, :2]).shape == y.shape
    with pytest.raises(ValueError, match="expected 2 features, got 0"):
        fitted.predict(X)


def test_one_row_per_article_is_needed() -> None:
    X, y = flat()
    with pytest.raises(ValueError, match=r"one row per article \(300\), got 299"):
        ModusClassifier().fit(X, y, articles=X[1:])


def test_more_of_a_label_s_own_score_never_makes_it_less_likely() -> None:
    X, y = flat()
    combination = ModusClassifier().fit(X, y).scorer_.combination
    assert (np.diag(combination) >= 0).all()


def test_a_label_without_positives_is_not_given() -> None:
    X, y = flat()
    y[:, 2] = 0
    fitted = ModusClassifier().fit(X, y)
    assert fitted.predict(X)[:, 2].sum() == 0
    assert fitted.predict_proba(X)[:, 2].max() < 0.2


def test_the_same_seed_gives_the_same_model_bit_for_bit() -> None:
    X, y, bags, marks = bags_with_one_witness(n=60)
    one, two = (ModusClassifier(random_state=3).fit(X, y, bags=bags, marks=marks).scorer_ for _ in range(2))
    for field in fields(Scorer):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))


def test_fitting_leaves_its_inputs_as_they_were() -> None:
    X, y, bags, marks = bags_with_one_witness(n=60)
    before = [a.copy() for a in (X, y, bags, marks)]
    ModusClassifier().fit(X, y, bags=bags, marks=marks)
    for a, b in zip((X, y, bags, marks), before):
        np.testing.assert_array_equal(a, b)


def test_probabilities_are_calibrated_on_articles_not_learnt_from() -> None:
    X, y = flat(n=6000, n_features=4, n_labels=1)
    learn, new = slice(0, 2000), slice(2000, None)
    p, new_y = ModusClassifier().fit(X[learn], y[learn]).predict_proba(X[new])[:, 0], y[new]
    for low in np.arange(0, 1, 0.2):
        inside = (p >= low) & (p < low + 0.2)
        assert p[inside].mean() == pytest.approx(new_y[inside, 0].mean(), abs=0.06)


def test_articles_of_one_group_never_calibrate_each_other() -> None:
    draw = np.random.default_rng(0)
    X = np.repeat(draw.normal(size=(60, 20)), 2, axis=0)
    y = np.repeat(draw.integers(0, 2, size=(60, 1)), 2, axis=0)
    copies = np.repeat(np.arange(60), 2)
    honest = ModusClassifier(C=100.0).fit(X, y, groups=copies)
    leaking = ModusClassifier(C=100.0).fit(X, y)
    assert honest.scorer_.combination[0, 0] < 0.5 * leaking.scorer_.combination[0, 0]


@pytest.mark.parametrize(("criterion", "target"), [("precision", 0.95), ("recall", 0.95)])
def test_the_criterion_holds_on_held_out_predictions(criterion: str, target: float) -> None:
    X, y = flat()
    fitted = ModusClassifier(criterion=criterion, target=target).fit(X, y)
    given = fitted.oof_probabilities_ >= fitted.scorer_.threshold
    hits = (given & (y == 1)).sum(axis=0)
    of = given.sum(axis=0) if criterion == "precision" else y.sum(axis=0)
    assert (hits / of >= target).all()


def test_two_classes_of_any_kind_are_predicted_by_name() -> None:
    X, y = flat(n_labels=1)
    names = np.where(y[:, 0] == 1, "yes", "no")
    fitted = ModusClassifier().fit(X, names)
    assert set(fitted.predict(X)) == {"yes", "no"}
    assert (fitted.predict(X) == names).mean() > 0.8
    assert fitted.predict_proba(X).shape == (len(X), 2)


def test_the_decision_function_is_positive_where_a_label_is_given() -> None:
    X, y = flat()
    fitted = ModusClassifier().fit(X, y)
    np.testing.assert_array_equal(fitted.decision_function(X) >= 0, fitted.predict(X) == 1)


def test_a_clone_has_the_same_parameters_and_nothing_learnt() -> None:
    X, y = flat()
    copy = clone(ModusClassifier(C=2.0, temperature=0.3).fit(X, y))
    assert (copy.C, copy.temperature) == (2.0, 0.3)
    with pytest.raises(NotFittedError):
        copy.predict(X)


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        ("C", 0, "above 0"),
        ("temperature", -1.0, "above 0"),
        ("evidence_weight", -0.1, "0 or more"),
        ("silence_weight", -0.1, "0 or more"),
        ("n_folds", 1, "2 or more"),
        ("criterion", "accuracy", f"one of {', '.join(CRITERIA)}"),
        ("target", 0, "in (0, 1]"),
        ("review_npv", 1.2, "in (0, 1]"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_was_expected(parameter: str, value: Any, expected: str) -> None:
    X, y = flat(n=20)
    with pytest.raises(ValueError, match=parameter) as caught:
        ModusClassifier(**{parameter: value}).fit(X, y)
    assert f"{parameter} must be {expected}, got {value!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bags": [0] * 19}, "bags must ascend from 0 to 19"),
        ({"bags": [*range(19), 20]}, "bags must ascend"),
        ({"bags": [1, 0, *range(2, 20)]}, "bags must ascend"),
        ({"marks": np.zeros((20, 2))}, "marks must have shape (20, 3), got (20, 2)"),
        ({"groups": list("abc")}, "groups must have one entry per article (20), got 3"),
    ],
)
def test_a_wrong_shape_is_named_with_what_was_expected(given: dict[str, Any], said: str) -> None:
    X, y = flat(n=20)
    with pytest.raises(ValueError, match="must") as caught:
        ModusClassifier().fit(X, y, **given)
    assert said in str(caught.value)


def test_fewer_articles_than_windows_need_bags() -> None:
    X, y = flat(n=20)
    with pytest.raises(ValueError, match="unless bags are given, got 20 and 10"):
        ModusClassifier().fit(X, y[:10])


def test_targets_other_than_zero_and_one_are_refused() -> None:
    X, y = flat(n=20)
    with pytest.raises(ValueError, match="y must hold 0, 1 or NaN per label"):
        ModusClassifier().fit(X, y * 2)


def test_empty_bags_are_refused_when_predicting() -> None:
    X, y = flat(n=20)
    with pytest.raises(ValueError, match="bags"):
        ModusClassifier().fit(X, y).predict(X, bags=[])


# Tuned token vectors


def worded(n: int = 200, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], Wording]:
    """Articles of three windows without features; one window of the positive ones holds one of ten telling tokens.

    Returns the features, the truth, the article of each window, and the windows' words, whose vectors tell nothing.
    """
    draw = np.random.default_rng(seed)
    truth, ids = np.arange(n) % 3 == 0, []
    for positive in truth:
        windows = [list(draw.integers(30, 90, size=2)) for _ in range(3)]
        if positive:
            windows[draw.integers(3)][0] = int(draw.integers(10))
        ids += windows
    tokens = Tokens(np.concatenate(ids), np.full(3 * n, 2))
    start = np.random.default_rng(1).normal(size=(90, 20)).astype(np.float32)
    bags = np.repeat(np.arange(n), 3)
    return np.zeros((3 * n, 1)), truth[:, None].astype(int), bags, Wording(tokens, start, np.array([0]))


def test_tuned_vectors_tell_what_the_words_alone_tell() -> None:
    X, y, bags, words = worded(n=900)
    new_X, new_y, new_bags, new_words = worded(seed=5)
    fitted = ModusClassifier(tuned_dimension=20).fit(X, y, bags=bags, wording=words)
    p = fitted.predict_proba(new_X, bags=new_bags, tokens=new_words.tokens)
    assert average_precision_score(new_y, p) > 0.6
    assert average_precision_score(y, fitted.oof_probabilities_) > 0.6
    blind = ModusClassifier().fit(X, y, bags=bags).predict_proba(new_X, bags=new_bags)
    assert average_precision_score(new_y, blind) < 0.5


def test_predictions_of_tuned_vectors_need_the_tokens() -> None:
    X, y, bags, words = worded()
    fitted = ModusClassifier(tuned_dimension=20).fit(X, y, bags=bags, wording=words)
    with pytest.raises(ValueError, match="tokens must be given"):
        fitted.predict(X, bags=bags)


@pytest.mark.parametrize("sparse", [True, False])
def test_the_result_does_not_depend_on_the_number_of_threads(sparse: bool) -> None:
    X, y, bags, words = worded()
    given = sp.csr_matrix(X) if sparse else X
    one, two = (
        ModusClassifier(tuned_dimension=20, n_jobs=n).fit(given, y, bags=bags, wording=words, articles=X[::3])
        for n in (1, 2)
    )
    assert (one.oof_probabilities_ == two.oof_probabilities_).all()
    assert (one.scorer_.weights == two.scorer_.weights).all()
    assert (one.tuned_.rows == two.tuned_.rows).all()
