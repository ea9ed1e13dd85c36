"""Logistic regression on pooled sentence scores, for every way of pooling: what they differ in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from tppo.classify.scorer import sigmoid

POOLINGS = ("mean", "max", "softmax", "lse")
TEMPERATURE = 0.3


def pool_with_shares(z: np.ndarray, bags: np.ndarray, pooling: str) -> tuple[np.ndarray, np.ndarray]:
    """Return article scores, and the derivative of each article's score by each of its sentences' scores.

    ``mean``; ``max``; ``softmax``, the mean weighted by ``exp(z / t)``; ``lse``, ``t log(sum(exp(z / t)))``.
    """
    starts = np.flatnonzero(np.diff(bags, prepend=-1))
    size = np.diff(np.append(starts, len(bags)))[bags][:, None]
    if pooling == "mean":
        return np.add.reduceat(z, starts, axis=0) / size[starts], np.broadcast_to(1 / size, z.shape)
    top = np.maximum.reduceat(z, starts, axis=0)
    if pooling == "max":
        ties = z == top[bags]
        return top, ties / np.add.reduceat(ties.astype(float), starts, axis=0)[bags]
    weight = np.exp((z - top[bags]) / TEMPERATURE)
    total = np.add.reduceat(weight, starts, axis=0)
    share = weight / total[bags]
    if pooling == "lse":
        return top + TEMPERATURE * np.log(total), share
    pooled = np.add.reduceat(share * z, starts, axis=0)
    return pooled, share * (1 + (z - pooled[bags]) / TEMPERATURE)


def pooled_logistic(
    X: object, y: np.ndarray, bags: np.ndarray, *, pooling: str, C: float = 10.0
) -> Callable[[object, np.ndarray], np.ndarray]:
    """Fit L2-penalised logistic regression on pooled scores; return what scores other articles."""
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
    n_labels = y.shape[1]
    transposed = X.T.tocsr()
    truth = y.astype(float)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        theta = theta.reshape(-1, n_labels)
        weights, bias = theta[:-1], theta[-1]
        z = np.asarray(X @ weights.astype(X.dtype), dtype=np.float64) + bias
        pooled, share = pool_with_shares(z, bags, pooling)
        value = np.sum(np.logaddexp(0, pooled) - truth * pooled) + 0.5 / C * np.sum(weights**2)
        dz = (sigmoid(pooled) - truth)[bags] * share
        gradient = np.vstack([transposed @ dz.astype(X.dtype) + weights / C, dz.sum(axis=0)])
        return float(value), gradient.ravel()

    start = np.zeros((X.shape[1] + 1, n_labels))
    start[-1] = -2.0
    fitted = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-5})
    theta = fitted.x.reshape(-1, n_labels)
    return lambda X, bags: pool_with_shares(X @ theta[:-1] + theta[-1], bags, pooling)[0]
