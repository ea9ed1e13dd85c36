"""The optimisation behind the modus classifier: penalised log loss of articles over pooled window scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

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
    loss = _Loss(X, Y, bags, stated=stated, silent=silent, C=C, temperature=temperature)
    options = {"maxiter": max_iter, "ftol": tol, "maxcor": 5}  # a longer memory costs more than it saves
    fit = minimize(loss, loss.start().ravel(), jac=True, method="L-BFGS-B", options=options)
    theta = fit.x.reshape(-1, Y.shape[1])
    return theta[:-1].copy(), theta[-1].copy(), max(1, int(fit.nit))


class _Loss:
    """The penalised log loss as a function of the parameters; takes the data as `solve` does."""

    def __init__(
        self,
        X: Any,
        Y: FloatArray,
        bags: NDArray[np.int64],
        *,
        stated: FloatArray,
        silent: FloatArray,
        C: float,
        temperature: float,
    ) -> None:
        self._known = ~np.isnan(Y)
        self._truth = np.where(self._known, Y, 0.0)
        self._bags, self._starts = bags, np.flatnonzero(np.diff(bags, prepend=-1))
        self._marked = np.flatnonzero((stated + silent).any(axis=1))
        self._stated, self._silent = stated[self._marked], silent[self._marked]
        self._C, self._temperature = C, temperature
        self._dtype = X.dtype
        self._dense, self._sparse = _blocks(X)
        self._dense_t, self._sparse_t = np.ascontiguousarray(self._dense.T), self._sparse.T.tocsr()

    def start(self) -> FloatArray:
        """Return parameters of shape (n_features + 1, n_labels): no weights, the bias of each label's share."""
        start = np.zeros((self._dense.shape[1] + self._sparse.shape[1] + 1, self._truth.shape[1]))
        share = (self._truth.sum(axis=0) + 1) / (self._known.sum(axis=0) + 2)
        windows = max(1.0, len(self._bags) / len(self._starts))  # of an article, on average
        start[-1] = np.log(share / (1 - share)) - self._temperature * np.log(windows)
        return start

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss and its gradient; both are over flat parameters, a row per feature and one of the biases."""
        known, truth, bags, starts = self._known, self._truth, self._bags, self._starts
        theta = theta.reshape(-1, truth.shape[1])
        weights, bias = theta[:-1], theta[-1]
        z = self._scores(weights) + bias
        # The pooling of `tppo.classify.scorer.pool`; its parts serve the gradient, too.
        top = np.maximum.reduceat(z, starts, axis=0)
        scaled = np.exp((z - top[bags]) / self._temperature)
        total = np.add.reduceat(scaled, starts, axis=0)
        pooled = top + self._temperature * np.log(total)
        value = np.sum(known * (np.logaddexp(0, pooled) - truth * pooled))
        marked = z[self._marked]
        small = np.exp(-np.abs(marked))
        softplus = np.maximum(marked, 0) + np.log1p(small)
        share = np.where(marked >= 0, 1, small) / (1 + small)  # the sigmoid, from the same exponential
        value += np.sum(self._stated * (softplus - marked)) + np.sum(self._silent * softplus)
        value += 0.5 / self._C * np.sum(weights**2)
        error = known * (sigmoid(pooled) - truth)
        dz = (error / total)[bags] * scaled
        dz[self._marked] += self._silent * share - self._stated * (1 - share)
        gradient = np.vstack([self._pulled(dz) + weights / self._C, dz.sum(axis=0)])
        return float(value), gradient.ravel()

    def _scores(self, weights: FloatArray) -> FloatArray:
        """Return ``X @ weights``, computed in the precision of X."""
        w, n_dense = weights.astype(self._dtype), self._dense.shape[1]
        return np.asarray(self._dense @ w[:n_dense] + self._sparse @ w[n_dense:], dtype=np.float64)

    def _pulled(self, dz: FloatArray) -> FloatArray:
        """Return ``X.T @ dz``, computed in the precision of X."""
        pull = dz.astype(self._dtype)
        return np.vstack([self._dense_t @ pull, self._sparse_t @ pull])


def _blocks(X: Any) -> tuple[Any, Any]:
    """Cut a matrix into its leading filled columns, as a dense array, and the sparse rest: each is fastest alone."""
    if not sp.issparse(X):
        return X, sp.csr_matrix((X.shape[0], 0), dtype=X.dtype)
    filled = np.bincount(X.indices, minlength=X.shape[1]) > 0.5 * X.shape[0]
    n_dense = X.shape[1] if filled.all() else int(np.argmin(filled))
    return X[:, :n_dense].toarray(), X[:, n_dense:].tocsr()
