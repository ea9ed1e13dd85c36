"""How good an embedding matrix is, while it is trained and after."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from tppo.embedding import FloatMatrix
from tppo.pretrain.matrices import unit
from tppo.pretrain.pairs import Pair, Sources
from tppo.pretrain.tokens import Bags

__all__ = ["Yardstick", "held_out"]

_HELD_OUT = 500
_HELD_OUT_SHARE = 0.05


class Yardstick:
    """Measures embedding matrices on pairs that they are not trained on.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Orders the rows of the matrices.
    sources : Sources
        Its scored pairs give ``eval/spearman``: rank correlation of cosine and human score, in [-1, 1].
    held_out : sequence of (str, str)
        These give ``eval/accuracy``: share of first texts whose partner is the nearest of all, in [0, 1].
    """

    def __init__(self, tokenizer: Any, sources: Sources, held_out: Sequence[Pair]) -> None:
        self._scores = [score for _, _, score in sources.scored]
        sides = ([a for a, _, _ in sources.scored], [b for _, b, _ in sources.scored])
        self._scored = [Bags(tokenizer, side) for side in sides if side]
        self._pairs = [Bags(tokenizer, [pair[side] for pair in held_out], 128) for side in (0, 1) if held_out]

    def __call__(self, matrix: FloatMatrix) -> dict[str, float]:
        """Return the metrics of a matrix by name."""
        from scipy.stats import spearmanr

        metrics = {}
        if self._scored:
            a, b = (unit(bags.encode(matrix)) for bags in self._scored)
            metrics["eval/spearman"] = float(spearmanr((a * b).sum(axis=1), self._scores)[0])
        if self._pairs:
            a, b = (unit(bags.encode(matrix)) for bags in self._pairs)
            metrics["eval/accuracy"] = float(((a @ b.T).argmax(axis=1) == np.arange(len(a))).mean())
        return metrics


def held_out(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """Draw up to 500 pairs (at most a twentieth) with distinct first texts to measure on."""
    size = min(_HELD_OUT, int(len(pairs) * _HELD_OUT_SHARE))
    return random.Random(seed).sample(list(dict(pairs).items()), min(size, len(dict(pairs))))
