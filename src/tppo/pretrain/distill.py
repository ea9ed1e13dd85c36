"""Gradient descent on an embedding matrix: towards a teacher's vectors, and towards the partners of pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tppo.console import progress
from tppo.embedding import FloatMatrix, IntVector
from tppo.pretrain.pairs import Pair
from tppo.pretrain.recipe import Recipe
from tppo.pretrain.tokens import Bags

__all__ = ["Lesson", "train"]

_SENTENCE_TOKENS = 96
_PAIR_TOKENS = 128
_WARM_UP = 50
REPORT_EVERY = 100

_Loss = Callable[[Any, np.random.RandomState], Any]  # of the matrix, on a batch drawn


@dataclass(frozen=True)
class Lesson:
    """Sentences with the teacher's vectors.

    Parameters
    ----------
    sentences : sequence of str
        Indonesian sentences.
    targets : ndarray of shape (n_sentences, dimension), float32
        Unit vectors that the student should give for them.
    """

    sentences: Sequence[str]
    targets: FloatMatrix


def train(
    start: FloatMatrix,
    tokenizer: Any,
    lesson: Lesson | None,
    pairs: Sequence[Pair],
    negatives: Mapping[str, str],
    recipe: Recipe,
    report: Callable[[int, float, FloatMatrix], None],
) -> FloatMatrix:
    """Train an embedding matrix.

    Parameters
    ----------
    start : ndarray of shape (n_tokens, dimension), float32
        Where training begins.
    tokenizer : tokenizers.Tokenizer
        Orders the rows.
    lesson : Lesson or None
        With one the loss is cosine distance to the teacher plus the divergence of similarities inside a batch from the
        teacher's; the contrastive loss over `pairs` is added with weight `recipe.contrastive`. Without one the
        contrastive loss is all there is.
    pairs : sequence of (str, str)
        Texts whose partners should be nearest to them among the partners in a batch.
    negatives : mapping of str to str
        For some first texts of `pairs`, one more wrong partner.
    recipe : Recipe
        Steps, batches, learning rate, temperature, seed.
    report : callable
        Gets step, loss and matrix every 100 steps.

    Returns
    -------
    ndarray of shape (n_tokens, dimension), float32
    """
    import torch

    contrastive = (recipe.contrastive if lesson else 1.0) if pairs and recipe.contrastive else 0.0
    losses: list[tuple[float, _Loss]] = []
    if lesson is not None:
        losses.append((1.0, _Distillation(tokenizer, lesson, recipe)))
    if contrastive:
        losses.append((contrastive, _Contrast(tokenizer, pairs, negatives, recipe)))
    if not losses:
        return start
    weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
    rng = np.random.RandomState(recipe.seed)
    optimiser = torch.optim.Adam([weight], lr=recipe.learning_rate, betas=(0.9, 0.99), fused=True)
    with progress("train", "steps", recipe.steps) as advance:
        for step in range(recipe.steps):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * min(1.0, (step + 1) / _WARM_UP) * (1 - step / recipe.steps)
            loss = torch.zeros(())
            for share, part in losses:
                loss = loss + share * part(weight, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            advance(1)
            if (step + 1) % REPORT_EVERY == 0 or step + 1 == recipe.steps:
                report(step + 1, float(loss.detach()), weight.detach().numpy())
    trained: FloatMatrix = weight.detach().numpy()
    return trained


class _Distillation:
    """Distance to the teacher on the next sentences of a random order, which begins anew when it is used up."""

    def __init__(self, tokenizer: Any, lesson: Lesson, recipe: Recipe) -> None:
        import torch

        self._bags = Bags(tokenizer, lesson.sentences, _SENTENCE_TOKENS)
        self._targets = torch.from_numpy(lesson.targets)
        self._size, self._temperature = recipe.batch_size, recipe.temperature
        self._order: IntVector = np.array([], dtype=np.int64)

    def __call__(self, weight: Any, rng: np.random.RandomState) -> Any:
        import torch
        import torch.nn.functional as F

        rows = self._draw(rng)
        own, goal = F.normalize(_embed(weight, self._bags, rows), dim=1), F.normalize(self._targets[rows], dim=1)
        itself = torch.eye(len(rows), dtype=torch.bool)
        student, teacher = (
            F.log_softmax((x @ x.T / self._temperature).masked_fill(itself, -1e4), 1) for x in (own, goal)
        )
        cosine = 1 - (own * goal).sum(1).mean()
        return cosine + F.kl_div(student, teacher, log_target=True, reduction="batchmean")

    def _draw(self, rng: np.random.RandomState) -> IntVector:
        """Return the numbers of the next sentences."""
        if len(self._order) < self._size:
            self._order = rng.permutation(len(self._bags))
        rows, self._order = self._order[: self._size], self._order[self._size :]
        return rows


class _Contrast:
    """How far the partners in randomly drawn pairs are from being nearest to each other, by cross-entropy both ways."""

    def __init__(self, tokenizer: Any, pairs: Sequence[Pair], negatives: Mapping[str, str], recipe: Recipe) -> None:
        self._left, self._right = (Bags(tokenizer, [pair[side] for pair in pairs], _PAIR_TOKENS) for side in (0, 1))
        self._hard = Bags(tokenizer, [negatives.get(a, "") for a, _ in pairs], _PAIR_TOKENS)
        self._has_hard = np.array([a in negatives for a, _ in pairs])
        self._size, self._temperature = min(recipe.contrastive_batch, len(pairs)), recipe.temperature

    def __call__(self, weight: Any, rng: np.random.RandomState) -> Any:
        import torch
        import torch.nn.functional as F

        rows = rng.choice(len(self._left), self._size, replace=False)
        a, b = _embed(weight, self._left, rows), _embed(weight, self._right, rows)
        hard_rows = rows[self._has_hard[rows]]
        extra = _embed(weight, self._hard, hard_rows) if len(hard_rows) else b[:0]
        label = torch.arange(len(rows))
        scores = F.normalize(a, dim=1) @ F.normalize(torch.cat([b, extra]), dim=1).T / self._temperature
        return (F.cross_entropy(scores, label) + F.cross_entropy(scores[:, : len(rows)].T, label)) / 2


def _embed(weight: Any, bags: Bags, rows: IntVector) -> Any:
    """Return the sum of each text's rows of `weight`, as a tensor of shape (n_rows, dimension)."""
    import torch
    import torch.nn.functional as F

    ids, offsets = bags.take(rows)
    return F.embedding_bag(torch.from_numpy(ids), weight, torch.from_numpy(offsets), mode="sum")
