"""Embedding matrices without gradient descent: from glosses, from co-occurrence, joined, rounded to int8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.embedding import FloatMatrix
from tppo.pretrain.tokens import Bags

__all__ = ["gloss_rows", "join", "principal_axes", "quantise", "token_shares", "topic_rows", "unit"]

FloatVector = NDArray[np.float64]

_NOISE = 0.01
_FEWEST_TEXTS = 5
_COMMON_SHARE = 0.2


def unit(x: FloatMatrix) -> FloatMatrix:
    """Return the rows of `x` scaled to length 1; rows of zeros stay."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def token_shares(bags: Bags, n_tokens: int) -> FloatVector:
    """Return the share of each token in all texts, add-one smoothed; shape (n_tokens,), sum 1."""
    counts = np.bincount(bags.ids, minlength=n_tokens) + 1.0
    return np.asarray(counts / counts.sum())


def _weights(shares: FloatVector, sif: float) -> FloatVector:
    return (sif / (sif + shares))[:, None]


def _noise(n_tokens: int, dimension: int, seed: int) -> FloatMatrix:
    return np.random.RandomState(seed).randn(n_tokens, dimension).astype(np.float32) * np.float32(_NOISE)


def gloss_rows(
    tokenizer: Any, vectors: Mapping[str, FloatMatrix], shares: FloatVector, *, sif: float, seed: int
) -> FloatMatrix:
    """Return rows from the vector of each token's gloss, centred and weighted by frequency; faint noise elsewhere.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Its vocabulary orders the rows.
    vectors : mapping of str to ndarray of shape (dimension,)
        Vector of each known word.
    shares : ndarray of shape (n_tokens,)
        Share of each token in all texts.
    sif : float
        a in the weight a / (a + share).
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of shape (n_tokens, dimension), float32
    """
    matrix = _noise(len(shares), len(next(iter(vectors.values()))), seed)
    known = np.zeros(len(shares), dtype=bool)
    for token, row in tokenizer.get_vocab().items():
        if token in vectors:
            matrix[row], known[row] = vectors[token], True
    matrix[known] -= matrix[known].mean(axis=0)
    return np.asarray(matrix * _weights(shares, sif), dtype=np.float32)


def topic_rows(
    bags: Bags, shares: FloatVector, *, dimension: int, sif: float, seed: int, noise: bool = False
) -> FloatMatrix:
    """Return rows from the tokens that occur in the same texts.

    A singular value decomposition of the positive pointwise mutual information of tokens in one text, scaled to unit
    rows and weighted by frequency. Tokens of fewer than 5 texts, or of a fifth of them, get rows of zeros, or of faint
    noise if `noise`, from which training can take them elsewhere.

    Returns
    -------
    ndarray of shape (n_tokens, dimension), float32
    """
    from scipy.sparse import csr_matrix, diags
    from sklearn.utils.extmath import randomized_svd

    size, n = len(shares), len(bags)
    owner = np.repeat(np.arange(n), bags.lengths)
    x = csr_matrix((np.ones(len(bags.ids), dtype=np.float32), (owner, bags.ids)), (n, size))
    x.sum_duplicates()
    x.data[:] = 1
    texts_with = np.bincount(x.indices, minlength=size)
    usable = (texts_with >= _FEWEST_TEXTS) & (texts_with < max(_COMMON_SHARE * n, _FEWEST_TEXTS + 1))
    x = x @ diags(usable.astype(np.float32))
    together = (x.T @ x).tocoo()
    total = np.bincount(together.row, together.data, size)
    expected = total[together.row] * total[together.col] / max(total.sum(), 1)
    information = np.log(together.data / np.maximum(expected, 1e-12)) - 1
    keep = (information > 0) & (together.row != together.col) & (together.data > 1)
    table = csr_matrix((information[keep].astype(np.float32), (together.row[keep], together.col[keep])), (size, size))
    rank = min(dimension, size)
    u, s, _ = randomized_svd(table, rank, n_iter=2, random_state=seed)
    rows = _noise(size, dimension, seed) if noise else np.zeros((size, dimension), dtype=np.float32)
    rows[:, :rank] += unit(u * np.sqrt(s)) * (s.sum() > 0)
    return np.asarray(rows * _weights(shares, sif), dtype=np.float32)


def principal_axes(vectors: FloatMatrix, dimension: int) -> FloatMatrix:
    """Return the first `dimension` principal axes of vectors, not centred; shape (width, dimension), orthonormal."""
    wide = vectors.astype(np.float64)
    return np.asarray(np.linalg.svd(wide.T @ wide)[0][:, :dimension], dtype=np.float32)


def join(first: FloatMatrix, second: FloatMatrix, weight: float, bags: Bags, dimension: int) -> FloatMatrix:
    """Put two matrices side by side and rotate them onto the principal axes of the texts' vectors.

    All of it is linear, so the result is one embedding matrix under mean pooling; its leading dimensions matter most.

    Parameters
    ----------
    first, second : ndarray of shape (n_tokens, any), float32
        Rows of the same tokens.
    weight : float
        Of the second against the first, once both give text vectors of the same mean length.
    bags : Bags
        Texts that the axes are computed from (every fourth).
    dimension : int
        Length of the rows returned, at most that of both together.

    Returns
    -------
    ndarray of shape (n_tokens, dimension), float32
    """
    lengths = [float(np.linalg.norm(bags.encode(m), axis=1).mean()) for m in (first, second)]
    scale = weight * lengths[0] / max(lengths[1], 1e-9)
    joined = np.hstack([first, second * scale]).astype(np.float32)
    return np.asarray(joined @ principal_axes(unit(bags.encode(joined))[::4], dimension), dtype=np.float32)


def quantise(matrix: FloatMatrix) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 rows and one float32 scale per row, whose product is `matrix` to within half a step."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale
