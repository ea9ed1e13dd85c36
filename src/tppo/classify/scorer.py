"""The learnt part of a modus classifier as plain arrays: linear scores of windows and article, combined, decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tppo.errors import ModelError

__all__ = ["NO", "REVIEW", "YES", "Scorer", "pool", "sigmoid"]

FloatArray = NDArray[np.float64]

NO, REVIEW, YES = 0, 1, 2


def sigmoid(x: FloatArray) -> FloatArray:
    """Return the logistic function of `x` without overflow; same shape."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def pool(logits: FloatArray, bags: NDArray[np.int64], temperature: float) -> FloatArray:
    """Pool window logits into article logits by a smooth maximum.

    ``t * log(sum(exp(logits / t)))`` over an article's windows: the highest window decides, agreeing windows add a
    little, and an article of one window keeps its logit.

    Parameters
    ----------
    logits : ndarray of shape (n_windows, n_labels)
        Window logits.
    bags : ndarray of shape (n_windows,), int64
        Ascending article index of each window, from 0 without gaps.
    temperature : float
        Above 0; the nearer to 0, the nearer to the maximum.

    Returns
    -------
    ndarray of shape (n_articles, n_labels)
        Article logits.
    """
    starts = np.flatnonzero(np.diff(bags, prepend=-1))
    top = np.maximum.reduceat(logits, starts, axis=0)
    total = np.add.reduceat(np.exp((logits - top[bags]) / temperature), starts, axis=0)
    return np.asarray(top + temperature * np.log(total))


@dataclass(frozen=True)
class Scorer:
    """Weights, calibration and thresholds of one trained classifier.

    An article's windows are scored and pooled; the pooled logits of all labels, and the logits of the article as a
    whole, are combined into one logit per label (stacking, Wolpert 1992). So a sentence that looks like a modus counts
    for less in an article that is about something else.

    Parameters
    ----------
    weights : ndarray of shape (n_features, n_labels)
        Linear window weights.
    bias : ndarray of shape (n_labels,)
        Linear window bias.
    temperature : ndarray of shape (1,)
        Of the pooling, see `pool`.
    article_weights : ndarray of shape (n_article_features, n_labels)
        Linear weights of the article as a whole; no rows if it is not scored.
    article_bias : ndarray of shape (n_labels,)
        Its bias.
    combination : ndarray of shape (n_labels or 2 * n_labels, n_labels)
        What the pooled logits, and the article's if there are any, weigh in each label's logit.
    intercept : ndarray of shape (n_labels,)
        Of that logit.
    window_slope, window_intercept : ndarray of shape (n_labels,)
        Platt calibration of one pooled logit alone: what a window by itself is worth, for the evidence.
    threshold : ndarray of shape (n_labels,), in [0, 1]
        Probability from which a label is given.
    floor : ndarray of shape (n_labels,), in [0, threshold]
        Probability below which a label is denied; between floor and threshold it is for review.
    """

    weights: FloatArray
    bias: FloatArray
    temperature: FloatArray
    article_weights: FloatArray
    article_bias: FloatArray
    combination: FloatArray
    intercept: FloatArray
    window_slope: FloatArray
    window_intercept: FloatArray
    threshold: FloatArray
    floor: FloatArray

    def window_logits(self, *blocks: Any) -> FloatArray:
        """Return the logits of windows.

        Parameters
        ----------
        *blocks : array or sparse matrix of shape (n_windows, ...)
            The features, in one matrix or in several that stand side by side.

        Returns
        -------
        ndarray of shape (n_windows, n_labels), float64
        """
        return _linear(blocks, self.weights, self.bias)

    def window_probabilities(self, window_logits: FloatArray) -> FloatArray:
        """Return what each window alone would be worth as an article; shape (n_windows, n_labels), in [0, 1]."""
        return sigmoid(self.window_slope * window_logits + self.window_intercept)

    def probabilities(self, window_logits: FloatArray, bags: NDArray[np.int64], *article_blocks: Any) -> FloatArray:
        """Return label probabilities.

        Parameters
        ----------
        window_logits : ndarray of shape (n_windows, n_labels)
            From `window_logits`.
        bags : ndarray of shape (n_windows,), int64
            Ascending article index of each window, from 0 without gaps.
        *article_blocks : array or sparse matrix of shape (n_articles, ...)
            Features of the articles as a whole, if the classifier was fitted with them.

        Returns
        -------
        ndarray of shape (n_articles, n_labels), in [0, 1]
        """
        logits = pool(window_logits, bags, float(self.temperature[0]))
        if len(self.article_weights):
            logits = np.hstack([logits, _linear(article_blocks, self.article_weights, self.article_bias)])
        return sigmoid(logits @ self.combination + self.intercept)

    def decide(self, probabilities: FloatArray) -> NDArray[np.int8]:
        """Return `NO`, `REVIEW` or `YES` for each probability; same shape, int8."""
        return np.where(probabilities >= self.threshold, YES, np.where(probabilities >= self.floor, REVIEW, NO)).astype(
            np.int8
        )

    def save(self, path: Path) -> None:
        """Write the arrays as safetensors."""
        save_file({f.name: np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}, path)

    @classmethod
    def load(cls, path: Path) -> Scorer:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is damaged or not a scorer.
        """
        try:
            arrays = load_file(path)
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(f"cannot read the classifier's weights {path}: {error}") from None
        except Exception as error:  # safetensors raises its own SafetensorError
            raise ModelError(f"damaged weights file {path}: {error}") from None


def _linear(blocks: Sequence[Any], weights: FloatArray, bias: FloatArray) -> FloatArray:
    """Return linear scores of features in blocks side by side, shape (n_rows, n_labels)."""
    n_features = sum(block.shape[1] for block in blocks)
    if n_features != len(weights):
        raise ValueError(f"expected {len(weights)} features, got {n_features}")
    logits = np.zeros((blocks[0].shape[0], len(bias))) + bias
    first = 0
    for block in blocks:
        logits += block @ weights[first : first + block.shape[1]]
        first += block.shape[1]
    return logits
