"""The optimisation behind the modus classifier: penalised log loss of articles over pooled window scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from tppo.classify.scorer import FloatArray, sigmoid

__all__ = ["solve"]


def solve(
    X: Any,
    Y: FloatArray,
    bags: NDArray[np.int64],
    *,
    stated: FloatArray,
    silent: FloatArray,
    C: float,
    temperature: float,
    max_iter: int,
    tol: float,
) -> tuple[FloatArray, FloatArray, int]:
    """Minimise the penalised log loss of articles and of windows whose label is known.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_windows, n_features)
        Window features.
    Y : ndarray of shape (n_articles, n_labels)
        1, 0, or NaN where a label is not known.
    bags : ndarray of shape (n_windows,), int64
        Ascending article index of each window, from 0 without gaps.
    stated, silent : ndarray of shape (n_windows, n_labels)
        Weights of windows as examples with and without a label, beside the articles.
    C : float
        Inverse strength of the L2 penalty.
    temperature : float
        Of the pooling, see `tppo.classify.scorer.pool`.
    max_iter : int
        Most L-BFGS iterations.
    tol : float
        Relative decrease of the loss below which they stop.

    Returns
    -------
    ndarray of shape (n_features, n_labels)
        Weights.
    ndarray of shape (n_labels,)
        Bias.
    int
        Iterations, at least 1.
    """
    n_labels = Y.shape[1]
    known = ~np.isnan(Y)
    truth = np.where(known, Y, 0.0)
    starts = np.flatnonzero(np.diff(bags, prepend=-1))
    dense, sparse = _blocks(X)
    n_dense = dense.shape[1]
    dense_t, sparse_t = np.ascontiguousarray(dense.T), sparse.T.tocsr()

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        theta = theta.reshape(-1, n_labels)
        weights, bias = theta[:-1], theta[-1]
        w = weights.astype(X.dtype)
        z = (dense @ w[:n_dense] + sparse @ w[n_dense:]).astype(np.float64) + bias
        top = np.maximum.reduceat(z, starts, axis=0)
        scaled = np.exp((z - top[bags]) / temperature)
        total = np.add.reduceat(scaled, starts, axis=0)
        pooled = top + temperature * np.log(total)
        value = np.sum(known * (np.logaddexp(0, pooled) - truth * pooled))
        value += np.sum(stated * np.logaddexp(0, -z)) + np.sum(silent * np.logaddexp(0, z))
        value += 0.5 / C * np.sum(weights**2)
        error = known * (sigmoid(pooled) - truth)
        dz = (error / total)[bags] * scaled - stated * sigmoid(-z) + silent * sigmoid(z)
        pull = dz.astype(X.dtype)
        pulled = np.vstack([dense_t @ pull, sparse_t @ pull])
        gradient = np.vstack([pulled + weights / C, dz.sum(axis=0)])
        return float(value), gradient.ravel()

    start = np.zeros((X.shape[1] + 1, n_labels))
    share = (truth.sum(axis=0) + 1) / (known.sum(axis=0) + 2)
    start[-1] = np.log(share / (1 - share)) - temperature * np.log(max(1.0, len(bags) / len(starts)))
    options = {"maxiter": max_iter, "ftol": tol}
    # One thread: the products are small, several threads mostly wait for one another and add in varying order.
    with threadpool_limits(limits=1, user_api="blas"):
        fit = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    theta = fit.x.reshape(-1, n_labels)
    return theta[:-1].copy(), theta[-1].copy(), max(1, int(fit.nit))


def _blocks(X: Any) -> tuple[Any, Any]:
    """Cut a matrix into its leading filled columns, as a dense array, and the sparse rest: each is fastest alone."""
    if not sp.issparse(X):
        return X, sp.csr_matrix((X.shape[0], 0), dtype=X.dtype)
    filled = np.bincount(X.indices, minlength=X.shape[1]) > 0.5 * X.shape[0]
    n_dense = X.shape[1] if filled.all() else int(np.argmin(filled))
    return X[:, :n_dense].toarray(), X[:, n_dense:].tocsr()
