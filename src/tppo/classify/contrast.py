"""Token vectors tuned to the labels: the encoder's own, moved until texts of one label lie together.

As SetFit (Tunstall et al. 2022) tunes a transformer: a supervised contrastive loss (Khosla et al. 2020) over labelled
texts moves the rows of the tokens that they hold. The gradient is short and written out here (tested against torch's),
so that training neither waits for torch nor depends on its threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tppo.embedding import FloatMatrix, Tokens, mean_vectors, token_counts
from tppo.errors import ModelError

__all__ = ["TunedVectors", "contrastive_loss", "fine_tune"]

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba 2015)


@dataclass(frozen=True)
class TunedVectors:
    """Token vectors tuned to labels.

    Parameters
    ----------
    rows : ndarray of shape (n_tokens, dimension), float32
        One row per token of the tokenizer they were tuned with; half precision in files, so every value is one.
    """

    rows: FloatMatrix

    def encode_tokens(self, tokens: Tokens) -> FloatMatrix:
        """Return unit-length vectors of shape (n_texts, dimension), float32; all zero for a text without tokens."""
        return mean_vectors(tokens, self.rows)

    def save(self, path: Path) -> None:
        """Write the rows as safetensors, in half precision."""
        save_file({"rows": self.rows.astype(np.float16)}, path)

    @classmethod
    def load(cls, path: Path) -> TunedVectors:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        try:
            return cls(load_file(path)["rows"].astype(np.float32))
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise ModelError(f"cannot read the tuned token vectors {path}: {error}") from None


def fine_tune(
    start: FloatMatrix,
    tokens: Tokens,
    labels: NDArray[np.bool_],
    *,
    dimension: int,
    n_steps: int = 60,
    batch_size: int = 128,
    learning_rate: float = 0.005,
    temperature: float = 0.1,
    seed: int = 0,
) -> TunedVectors:
    """Tune token vectors on labelled texts.

    Parameters
    ----------
    start : ndarray of shape (n_tokens, start_dimension), float32
        An encoder's token vectors; scaled to a mean length of 1, which the learning rate is made for.
    tokens : Tokens
        Token ids of the texts.
    labels : ndarray of shape (n_texts, n_labels), bool
        The labels of each text. Three quarters of a batch are texts with a label; those without are only pushed away.
    dimension : int
        Of the tuned vectors: they are projected on the principal axes of the texts' vectors. At least 1; nothing is
        projected if it is not below `start_dimension`.
    n_steps, batch_size : int
        Steps of Adam, and texts in each.
    learning_rate : float
        Of Adam; a token is moved only in the steps in which it occurs.
    temperature : float
        Of the contrastive loss, see `contrastive_loss`.
    seed : int
        Decides the batches.
    """
    rows = start.astype(np.float32) / np.linalg.norm(start, axis=1).mean()
    counts = token_counts(tokens, len(rows))
    draw = np.random.default_rng(seed)
    with_label, without = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(~labels.any(axis=1))
    moments = np.zeros((2, *rows.shape), dtype=np.float32)
    for step in range(1, n_steps + 1) if len(with_label) else ():
        drawn = [draw.choice(with_label, 3 * batch_size // 4)]
        if len(without):
            drawn.append(draw.choice(without, batch_size // 4))
        batch = np.concatenate(drawn)
        texts = counts[batch]
        used = np.unique(texts.indices)
        texts = texts[:, used]
        _, pull = contrastive_loss(texts @ rows[used], labels[batch], temperature)
        gradient = texts.T @ pull
        first = moments[0, used] = _FIRST * moments[0, used] + (1 - _FIRST) * gradient
        second = moments[1, used] = _SECOND * moments[1, used] + (1 - _SECOND) * gradient**2
        rate = learning_rate * np.sqrt(1 - _SECOND**step) / (1 - _FIRST**step)
        rows[used] -= rate * first / (np.sqrt(second) + _EPSILON)
    if dimension < rows.shape[1]:
        vectors = mean_vectors(tokens, rows).astype(np.float64)
        _, axes = np.linalg.eigh(vectors.T @ vectors)  # in ascending order
        rows = rows @ axes[:, ::-1][:, :dimension].astype(np.float32)
    return TunedVectors(rows.astype(np.float16).astype(np.float32))


def contrastive_loss(sums: FloatMatrix, labels: NDArray[np.bool_], temperature: float) -> tuple[float, FloatMatrix]:
    """Return the supervised contrastive loss of a batch of texts, and its gradient.

    For each text with a label: the cross-entropy between how likely the others are to be its neighbour, the softmax of
    cosine similarities over `temperature`, and how alike their labels are (Jaccard, scaled to sum to 1). Two texts
    without labels are not alike.

    Parameters
    ----------
    sums : ndarray of shape (n_texts, dimension), float32
        The texts' vectors, of any length.
    labels : ndarray of shape (n_texts, n_labels), bool
        Their labels.
    temperature : float
        Above 0; the smaller, the more the nearest texts count.

    Returns
    -------
    float
        Mean over the texts that have any like text.
    ndarray of shape (n_texts, dimension), float32
        Its gradient with respect to `sums`.
    """
    y = labels.astype(np.float32)
    both, size = y @ y.T, y.sum(axis=1)
    alike = both / np.maximum(size[:, None] + size - both, 1)
    np.fill_diagonal(alike, 0)
    weight = alike.sum(axis=1, keepdims=True)
    counted = weight > 0
    share = np.divide(alike, weight, out=np.zeros_like(alike), where=counted)

    length = np.linalg.norm(sums, axis=1, keepdims=True)
    length[length == 0] = 1
    unit = sums / length
    logits = unit @ unit.T / temperature
    np.fill_diagonal(logits, -np.inf)
    top = logits.max(axis=1, keepdims=True)
    likely = np.exp(logits - top)
    total = likely.sum(axis=1, keepdims=True)
    np.fill_diagonal(logits, 0)  # its share is 0
    loss = -(share * (logits - top - np.log(total))).sum() / max(1, counted.sum())

    pull = counted * (likely / total - share) / max(1, counted.sum())
    pull = (pull + pull.T) @ unit / temperature
    gradient = (pull - unit * (pull * unit).sum(axis=1, keepdims=True)) / length
    return float(loss), gradient.astype(np.float32)
