"""Calibration of scores and choice of thresholds, on predictions for articles that were not learnt from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tppo.classify.scorer import sigmoid

__all__ = ["choose_floor", "choose_threshold", "fit_combination", "fit_platt"]

FloatArray = NDArray[np.float64]
BETA = {"best_f1": 1.0, "best_f05": 0.5}


def fit_platt(logits: FloatArray, y: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and intercept of a sigmoid calibration (Platt 1999, with his smoothed targets).

    Parameters
    ----------
    logits : ndarray of shape (n_articles,)
        Scores of articles that were held out.
    y : ndarray of shape (n_articles,), bool
        Whether they carry the label.

    Returns
    -------
    tuple of float
        Slope (at least 0, so that the ranking stands) and intercept.
    """
    n_pos = int(y.sum())
    n_neg = len(y) - n_pos
    target = np.where(y, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        """Return log loss and gradient at slope and intercept."""
        z = theta[0] * logits + theta[1]
        gradient = sigmoid(z) - target
        value = float(np.sum(np.logaddexp(0, z) - target * z))
        return value, np.array([gradient @ logits, gradient.sum()])

    start = np.array([1.0, np.log((n_pos + 1) / (n_neg + 1))])
    fit = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return float(fit.x[0]), float(fit.x[1])


def fit_combination(logits: FloatArray, y: NDArray[np.bool_], *, own: int, C: float) -> tuple[FloatArray, float]:
    """Fit how the logits of several classifiers combine into one label's logit, by logistic regression.

    Parameters
    ----------
    logits : ndarray of shape (n_articles, n_logits)
        Of articles that were held out.
    y : ndarray of shape (n_articles,), bool
        Whether they carry the label.
    own : int
        Column of the label's own logit, whose weight is at least 0: more of it never makes the label less likely.
    C : float
        Inverse strength of the L2 penalty, on logits scaled to unit variance.

    Returns
    -------
    ndarray of shape (n_logits,), float
        Weights for the logits as they are, and intercept. Without articles, the own logit alone.
    """
    if not len(y):
        return np.eye(logits.shape[1])[own], 0.0
    mean, scale = logits.mean(axis=0), logits.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    Z = (logits - mean) / scale

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        """Return penalised log loss and gradient at weights and intercept."""
        w, b = theta[:-1], theta[-1]
        z = Z @ w + b
        error = sigmoid(z) - y
        value = float(np.sum(np.logaddexp(0, z) - y * z) + 0.5 / C * w @ w)
        return value, np.append(Z.T @ error + w / C, error.sum())

    start = np.zeros(logits.shape[1] + 1)
    start[own], start[-1] = 1.0, np.log((y.sum() + 1) / (len(y) - y.sum() + 1))
    bounds = [(0, None) if k == own else (None, None) for k in range(len(start))]
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = theta[:-1] / scale
    return weights, float(theta[-1] - mean @ weights)


def choose_threshold(p: FloatArray, y: NDArray[np.bool_], *, criterion: str, target: float) -> float:
    """Choose the probability from which a label is given.

    Parameters
    ----------
    p : ndarray of shape (n_articles,), in [0, 1]
        Held-out probabilities.
    y : ndarray of shape (n_articles,), bool
        Truth.
    criterion : {"fixed", "best_f1", "best_f05", "precision", "recall"}
        ``fixed`` takes `target` itself; ``best_f1`` the highest F1; ``best_f05`` the highest F0.5, which weighs
        precision twice; ``precision`` the most recall with precision at least `target`; ``recall`` the most precision
        with recall at least `target`.
    target : float
        In (0, 1]; for ``fixed``, ``precision`` and ``recall``.

    Returns
    -------
    float
        Half-way between the last probability taken and the next below; 0.5 if there are no positives.
    """
    if criterion == "fixed":
        return target
    if not y.any():
        return 0.5
    order = np.argsort(-p, kind="stable")
    p, hits = p[order], np.cumsum(y[order])
    taken = np.arange(1, len(p) + 1)
    cut = np.flatnonzero(np.append(p[:-1] > p[1:], True))
    precision, recall = hits[cut] / taken[cut], hits[cut] / hits[-1]
    if criterion in BETA:
        beta2 = BETA[criterion] ** 2
        quality = (1 + beta2) * precision * recall / np.maximum(beta2 * precision + recall, 1e-12)
    elif criterion == "precision":
        quality = np.where(precision >= target, recall, precision - 2)
    else:
        quality = np.where(recall >= target, precision, recall - 2)
    last = cut[int(np.argmax(quality))]
    below = p[last + 1] if last + 1 < len(p) else 0.0
    return float((p[last] + below) / 2)


def choose_floor(p: FloatArray, y: NDArray[np.bool_], *, threshold: float, npv: float) -> float:
    """Choose the probability below which a label is denied outright.

    Returns
    -------
    float
        The highest value up to `threshold` such that of the articles below it at least a share `npv` lack the label.
    """
    order = np.argsort(p, kind="stable")
    p, misses = p[order], np.cumsum(y[order])
    ends = np.append(p[:-1] < p[1:], True)[: len(p)]  # equal probabilities are denied together or not at all
    ok = ends & (p < threshold) & (1 - misses / np.arange(1, len(p) + 1) >= npv)
    if not ok.any():
        return 0.0
    last = int(np.flatnonzero(ok)[-1])
    following = p[last + 1] if last + 1 < len(p) else threshold
    return float(min(threshold, following))
