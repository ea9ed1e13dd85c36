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
    import torch.nn.functional as F

    weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
    contrastive = (recipe.contrastive if lesson else 1.0) if pairs and recipe.contrastive else 0.0
    if lesson is None and not contrastive:
        return start
    rng = np.random.RandomState(recipe.seed)
    optimiser = torch.optim.Adam([weight], lr=recipe.learning_rate, betas=(0.9, 0.99), fused=True)

    def embed(bags: Bags, rows: IntVector) -> Any:
        ids, offsets = bags.take(rows)
        return F.embedding_bag(torch.from_numpy(ids), weight, torch.from_numpy(offsets), mode="sum")

    def distillation(bags: Bags, targets: Any, rows: IntVector) -> Any:
        own, goal = F.normalize(embed(bags, rows), dim=1), F.normalize(targets[rows], dim=1)
        itself = torch.eye(len(rows), dtype=torch.bool)
        student, teacher = (
            F.log_softmax((x @ x.T / recipe.temperature).masked_fill(itself, -1e4), 1) for x in (own, goal)
        )
        cosine = 1 - (own * goal).sum(1).mean()
        return cosine + F.kl_div(student, teacher, log_target=True, reduction="batchmean")

    def contrast(rows: IntVector) -> Any:
        a, b = embed(left, rows), embed(right, rows)
        hard_rows = rows[has_hard[rows]]
        extra = embed(hard, hard_rows) if len(hard_rows) else b[:0]
        label = torch.arange(len(rows))
        scores = F.normalize(a, dim=1) @ F.normalize(torch.cat([b, extra]), dim=1).T / recipe.temperature
        return (F.cross_entropy(scores, label) + F.cross_entropy(scores[:, : len(rows)].T, label)) / 2

    if lesson is not None:
        bags, targets = Bags(tokenizer, lesson.sentences, _SENTENCE_TOKENS), torch.from_numpy(lesson.targets)
    if contrastive:
        left, right = (Bags(tokenizer, [pair[side] for pair in pairs], _PAIR_TOKENS) for side in (0, 1))
        hard = Bags(tokenizer, [negatives.get(a, "") for a, _ in pairs], _PAIR_TOKENS)
        has_hard = np.array([a in negatives for a, _ in pairs])
    order: IntVector = np.array([], dtype=np.int64)
    with progress("train", "steps", recipe.steps) as advance:
        for step in range(recipe.steps):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * min(1.0, (step + 1) / _WARM_UP) * (1 - step / recipe.steps)
            loss = torch.zeros(())
            if lesson is not None:
                if len(order) < recipe.batch_size:
                    order = rng.permutation(len(bags))
                rows, order = order[: recipe.batch_size], order[recipe.batch_size :]
                loss = loss + distillation(bags, targets, rows)
            if contrastive:
                rows = rng.choice(len(left), min(recipe.contrastive_batch, len(left)), replace=False)
                loss = loss + contrastive * contrast(rows)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            advance(1)
            if (step + 1) % REPORT_EVERY == 0 or step + 1 == recipe.steps:
                report(step + 1, float(loss.detach()), weight.detach().numpy())
    trained: FloatMatrix = weight.detach().numpy()
    return trained
