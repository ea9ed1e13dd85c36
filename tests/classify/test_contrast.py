"""Token vectors tuned to labels: the loss is the published one, and texts of one label come to lie together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tppo.classify.contrast import TunedVectors, contrastive_loss, fine_tune
from tppo.embedding import Tokens
from tppo.errors import ModelError

N_TOKENS, DIMENSION = 60, 16


def texts(n: int = 200, seed: int = 0) -> tuple[Tokens, np.ndarray]:
    """Texts of random tokens; those of label k hold one of five tokens of its own."""
    draw = np.random.default_rng(seed)
    labels = np.zeros((n, 2), dtype=bool)
    labels[np.arange(n), np.arange(n) % 4 % 2] = np.arange(n) % 4 < 2
    ids = []
    for row in labels:
        text = list(draw.integers(10, N_TOKENS, size=3))
        text += [5 * k + draw.integers(5) for k in np.flatnonzero(row)]
        ids.append(text)
    return Tokens(np.concatenate(ids), np.array([len(text) for text in ids])), labels


def vectors(seed: int = 1) -> np.ndarray:
    """Token vectors of mean length 1."""
    rows = np.random.default_rng(seed).normal(size=(N_TOKENS, DIMENSION))
    return (rows / np.linalg.norm(rows, axis=1).mean()).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 12), temperature=st.sampled_from([0.05, 0.1, 1.0]))
def test_loss_and_gradient_are_those_of_torch(seed: int, n: int, temperature: float) -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(seed)
    sums = draw.normal(size=(n, 5)).astype(np.float32)
    labels = draw.random((n, 3)) < 0.4
    y = torch.tensor(labels, dtype=torch.float64)
    leaf = torch.tensor(sums, dtype=torch.float64, requires_grad=True)
    unit = torch.nn.functional.normalize(leaf, dim=1)
    both = y @ y.T
    alike = (both / (y.sum(1)[:, None] + y.sum(1)[None] - both).clamp(min=1)).fill_diagonal_(0)
    itself = torch.eye(n, dtype=torch.bool)
    likely = (unit @ unit.T / temperature).masked_fill(itself, -torch.inf).log_softmax(1).masked_fill(itself, 0)
    has = alike.sum(1) > 0
    expected = torch.zeros((), dtype=torch.float64) + 0 * leaf.sum()
    if has.any():
        expected = (-(alike * likely).sum(1)[has] / alike.sum(1)[has]).mean()
    expected.backward()
    loss, gradient = contrastive_loss(sums, labels, temperature)
    assert loss == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)
    assert gradient == pytest.approx(leaf.grad.numpy(), rel=1e-3, abs=1e-4)


def likeness(tuned: TunedVectors, tokens: Tokens, labels: np.ndarray) -> float:
    """Mean cosine between texts of one label less that between texts of two."""
    found = tuned.encode_tokens(tokens)[labels.any(axis=1)]
    of = labels[labels.any(axis=1)].argmax(axis=1)
    cosine, same = found @ found.T, of[:, None] == of
    np.fill_diagonal(same, False)
    return float(cosine[same].mean() - cosine[of[:, None] != of].mean())


def test_tuning_brings_unseen_texts_of_one_label_together() -> None:
    tuned = fine_tune(vectors(), *texts(), dimension=DIMENSION, n_steps=200)
    unseen = texts(seed=7)
    assert likeness(tuned, *unseen) > likeness(TunedVectors(vectors()), *unseen) + 0.3


def test_the_projection_keeps_the_cosines_of_the_texts() -> None:
    tokens, labels = texts()
    full = fine_tune(vectors(), tokens, labels, dimension=DIMENSION)
    narrow = fine_tune(vectors(), tokens, labels, dimension=8)
    assert narrow.rows.shape == (N_TOKENS, 8)
    assert likeness(narrow, tokens, labels) == pytest.approx(likeness(full, tokens, labels), abs=0.15)


def test_tokens_that_no_text_holds_stay_where_they_were() -> None:
    start = np.vstack([vectors(), np.full((3, DIMENSION), DIMENSION**-0.5, dtype=np.float32)])
    tuned = fine_tune(start, *texts(), dimension=DIMENSION)
    assert tuned.rows[-3:] == pytest.approx(start[-3:], abs=1e-3)
    assert not np.allclose(tuned.rows[:N_TOKENS], start[:N_TOKENS], atol=1e-2)


def test_the_scale_of_the_vectors_does_not_matter() -> None:
    tokens, labels = texts()
    one, ten = (fine_tune(scale * vectors(), tokens, labels, dimension=DIMENSION) for scale in (1, 10))
    assert ten.encode_tokens(tokens) == pytest.approx(one.encode_tokens(tokens), abs=1e-2)


def test_the_same_seed_gives_the_same_bits_and_the_start_is_left_alone() -> None:
    start = vectors()
    first, second, other = (fine_tune(start, *texts(), dimension=8, seed=seed) for seed in (0, 0, 1))
    assert first.rows.tobytes() == second.rows.tobytes()
    assert first.rows.tobytes() != other.rows.tobytes()
    assert (start == vectors()).all()


def test_without_a_labelled_text_nothing_is_tuned() -> None:
    tokens, labels = texts()
    tuned = fine_tune(vectors(), tokens, np.zeros_like(labels), dimension=DIMENSION)
    assert tuned.rows == pytest.approx(vectors(), abs=1e-2)


@pytest.mark.parametrize("everything", [True, False])
def test_labels_on_every_text_and_texts_without_tokens_are_learnt_from(everything: bool) -> None:
    tokens = Tokens(np.array([1, 2, 1]), np.array([1, 0, 2, 0]))
    labels = np.ones((4, 1), dtype=bool) if everything else np.array([[True], [True], [False], [False]])
    tuned = fine_tune(vectors(), tokens, labels, dimension=4)
    found = tuned.encode_tokens(tokens)
    assert np.isfinite(tuned.rows).all()
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 0, 1, 0], abs=1e-6)


def test_what_was_saved_is_read_with_the_same_bits(tmp_path: Path) -> None:
    tuned = fine_tune(vectors(), *texts(), dimension=8)
    tuned.save(tmp_path / "tuned.safetensors")
    assert TunedVectors.load(tmp_path / "tuned.safetensors").rows.tobytes() == tuned.rows.tobytes()


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tuned\.safetensors"):
        TunedVectors.load(tmp_path / "tuned.safetensors")
    (tmp_path / "tuned.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(ModelError, match=r"tuned\.safetensors"):
        TunedVectors.load(tmp_path / "tuned.safetensors")
