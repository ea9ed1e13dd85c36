"""Checks of what a modus classifier is given: shapes, and what stands in for what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from tppo.classify.scorer import FloatArray

__all__ = ["check_articles", "check_bags", "check_groups", "check_marks", "check_targets"]


def check_bags(bags: ArrayLike | None, n_windows: int, n_articles: int) -> NDArray[np.int64]:
    """Return the article index of each window as int64, shape (n_windows,); each window's own if none are given."""
    if bags is None:
        if n_windows != n_articles:
            raise ValueError(f"X and y must have as many rows unless bags are given, got {n_windows} and {n_articles}")
        return np.arange(n_windows, dtype=np.int64)
    checked = np.asarray(bags, dtype=np.int64)
    steps = np.diff(checked, prepend=-1)
    if len(checked) != n_windows or checked[-1] != n_articles - 1 or steps[0] != 1 or not np.isin(steps, (0, 1)).all():
        raise ValueError(
            f"bags must ascend from 0 to {n_articles - 1} without gaps, one entry for each of {n_windows} windows"
        )
    return checked


def check_marks(marks: ArrayLike | None, shape: tuple[int, int]) -> FloatArray:
    """Return the marks as floats, shape (n_windows, n_labels); all 0 if none are given."""
    checked = np.zeros(shape) if marks is None else np.asarray(marks, dtype=np.float64)
    if checked.shape != shape:
        raise ValueError(f"marks must have shape {shape}, got {checked.shape}")
    return checked


def check_groups(groups: ArrayLike | None, n_articles: int) -> NDArray[Any]:
    """Return the group of each article, shape (n_articles,); each its own if none are given."""
    checked = np.arange(n_articles) if groups is None else np.asarray(groups)
    if len(checked) != n_articles:
        raise ValueError(f"groups must have one entry per article ({n_articles}), got {len(checked)}")
    return checked


def check_articles(articles: Any, n_articles: int, dtype: Any) -> Any:
    """Return the features of the articles as a whole, as an array or CSR matrix of `dtype`."""
    checked = check_array(articles, accept_sparse="csr", dtype=dtype)
    if checked.shape[0] != n_articles:
        raise ValueError(f"articles must have one row per article ({n_articles}), got {checked.shape[0]}")
    return checked


def check_targets(y: ArrayLike) -> tuple[FloatArray, NDArray[Any], bool]:
    """Return what is to be learnt.

    Returns
    -------
    ndarray of shape (n_articles, n_labels)
        1, 0, or NaN where a label is not known.
    ndarray
        The two classes of a 1-D target, or the label indices of a 2-D one.
    bool
        Whether it is 2-D.
    """
    if y is None:
        raise ValueError("y must be given: this estimator requires y to be passed, but the target y is None")
    target: NDArray[Any] = np.asarray(y)
    if target.ndim == 2 and np.issubdtype(target.dtype, np.number):
        target = target.astype(np.float64)
        if not np.isin(target[~np.isnan(target)], (0, 1)).all():
            raise ValueError(f"y must hold 0, 1 or NaN per label, got {np.unique(target)[:5]}")
        return target, np.arange(target.shape[1]), True
    if target.dtype.kind == "f":
        assert_all_finite(target, input_name="y")
    check_classification_targets(target)
    if type_of_target(target) not in ("binary", "multiclass"):
        raise ValueError(f"Unknown label type: {type_of_target(target)}")
    classes, codes = np.unique(target.ravel(), return_inverse=True)
    if len(classes) > 2:
        raise ValueError(f"Only binary classification is supported for a 1-D y, got {len(classes)} classes")
    if len(classes) < 2:
        raise ValueError(f"y must hold two classes, got only one class: {classes[0]!r}")
    return codes[:, None].astype(np.float64), classes, False
