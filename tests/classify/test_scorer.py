"""Pooling, calibration and decision as plain arrays."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tppo.classify.scorer import NO, REVIEW, YES, Scorer, pool, sigmoid
from tppo.errors import ModelError

LOGITS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8),
    elements=st.floats(-50, 50).map(lambda x: round(x, 3)),
)


def bags_of(sizes: list[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)


@given(LOGITS)
def test_pooling_nears_the_maximum_as_the_temperature_nears_zero(logits: NDArray[np.float64]) -> None:
    pooled = pool(logits, bags_of([len(logits)]), 1e-6)
    np.testing.assert_allclose(pooled[0], logits.max(axis=0), atol=1e-4)


@given(LOGITS, st.floats(0.01, 10))
def test_pooling_lies_between_the_maximum_and_a_bound_on_the_number_of_windows(
    logits: NDArray[np.float64], temperature: float
) -> None:
    pooled = pool(logits, bags_of([len(logits)]), temperature)[0]
    assert (pooled >= logits.max(axis=0) - 1e-9).all()
    assert (pooled <= logits.max(axis=0) + temperature * np.log(len(logits)) + 1e-9).all()


@given(LOGITS, st.floats(0.01, 10))
def test_an_article_of_one_window_keeps_its_logit(logits: NDArray[np.float64], temperature: float) -> None:
    np.testing.assert_allclose(pool(logits, np.arange(len(logits)), temperature), logits, atol=1e-12)


@given(LOGITS, st.integers(0, 7), st.floats(0, 20))
def test_a_window_that_rises_never_lowers_its_article(logits: NDArray[np.float64], row: int, rise: float) -> None:
    bags = bags_of([len(logits)])
    higher = logits.copy()
    higher[row % len(logits)] += rise
    assert (pool(higher, bags, 0.5) >= pool(logits, bags, 0.5) - 1e-9).all()


def test_articles_do_not_touch_each_other() -> None:
    logits = np.random.default_rng(0).normal(size=(9, 3))
    apart = np.vstack([pool(part, bags_of([len(part)]), 0.5) for part in (logits[:2], logits[2:3], logits[3:])])
    np.testing.assert_array_equal(pool(logits, bags_of([2, 1, 6]), 0.5), apart)


@pytest.mark.parametrize("value", [-1e4, 1e4])
def test_huge_logits_do_not_overflow(value: float) -> None:
    logits = np.array([[value], [value]])
    assert np.isfinite(pool(logits, bags_of([2]), 0.01)).all()
    assert sigmoid(logits)[0, 0] == pytest.approx(float(value > 0))


def scorer() -> Scorer:
    return Scorer(
        weights=np.array([[1.0, -1.0], [0.0, 2.0]]),
        bias=np.array([0.5, 0.0]),
        temperature=np.array([0.5]),
        article_weights=np.array([[2.0, 0.0]]),
        article_bias=np.array([0.0, -3.0]),
        combination=np.array([[1.0, 0.5], [0.0, 2.0], [0.25, 0.0], [0.0, 1.0]]),
        intercept=np.array([0.0, -1.0]),
        window_slope=np.array([1.0, 2.0]),
        window_intercept=np.array([0.0, -1.0]),
        threshold=np.array([0.6, 0.5]),
        floor=np.array([0.2, 0.5]),
    )


def test_a_probability_combines_the_logits_of_windows_and_article() -> None:
    windows, article = np.array([[1.0, 1.0]]), np.array([[4.0]])  # logits 1.5 and 1; 8 and -3
    p = scorer().probabilities(scorer().window_logits(windows), np.array([0]), article)
    np.testing.assert_allclose(p, sigmoid(np.array([[1.5 + 2.0, 0.75 + 2.0 - 3.0 - 1.0]])))


def test_without_article_weights_the_pooled_logits_alone_are_combined() -> None:
    plain = replace(scorer(), article_weights=np.zeros((0, 2)), combination=np.eye(2))
    p = plain.probabilities(plain.window_logits(np.array([[1.0, 1.0]])), np.array([0]))
    np.testing.assert_allclose(p, sigmoid(np.array([[1.5, 0.0]])))


def test_a_window_alone_is_worth_its_calibrated_logit() -> None:
    p = scorer().window_probabilities(np.array([[1.5, 1.0]]))
    np.testing.assert_allclose(p, sigmoid(np.array([[1.5, 1.0]])))


def test_article_features_of_the_wrong_width_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 features, got 2"):
        scorer().probabilities(np.zeros((1, 2)), np.array([0]), np.zeros((1, 2)))


def test_the_threshold_itself_is_yes_and_the_floor_itself_is_review() -> None:
    p = np.array([[0.6, 0.5], [0.59, 0.49], [0.2, 0.1], [0.19, 0.0]])
    np.testing.assert_array_equal(scorer().decide(p), [[YES, YES], [REVIEW, NO], [REVIEW, NO], [NO, NO]])


def test_saving_and_loading_keeps_every_array(tmp_path: Path) -> None:
    scorer().save(tmp_path / "scorer.safetensors")
    loaded = Scorer.load(tmp_path / "scorer.safetensors")
    for field in fields(Scorer):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(scorer(), field.name))


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x80\x04\x95 a pickle"])
def test_a_damaged_file_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scorer.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"scorer\.safetensors"):
        Scorer.load(tmp_path / "scorer.safetensors")


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"scorer\.safetensors"):
        Scorer.load(tmp_path / "scorer.safetensors")


def test_a_file_without_one_of_the_arrays_is_a_model_error(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weights": np.zeros((2, 2))}, tmp_path / "scorer.safetensors")
    with pytest.raises(ModelError, match="bias"):
        Scorer.load(tmp_path / "scorer.safetensors")
