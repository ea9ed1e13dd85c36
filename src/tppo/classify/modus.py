"""The modus classifier: multi-label, multiple-instance logistic regression with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tppo.classify.checks import check_articles, check_bags, check_groups, check_marks, check_targets
from tppo.classify.contrast import fine_tune
from tppo.classify.decisions import BETA, choose_floor, choose_threshold, fit_combination, fit_platt
from tppo.classify.instances import Instances, Learnt, Wording, beside, complements, learn_in_folds
from tppo.classify.scorer import YES, FloatArray, Scorer, sigmoid
from tppo.classify.solver import solve
from tppo.corpus.splits import balanced_folds
from tppo.embedding import Tokens

__all__ = ["ModusClassifier"]

CRITERIA = ("fixed", *BETA, "precision", "recall")


class ModusClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Label articles from the vectors of their windows.

    Every window gets a linear score per label; an article's score is the smooth maximum over its windows, so one
    sentence suffices for a label (multiple-instance learning with a log-sum-exp pooling, Ramon and De Raedt 2000).
    Where the sentences that state a label are marked, they are learnt from as well. Token vectors can be tuned on the
    labels first; the windows' vectors by these are features beside the given ones. Probabilities are calibrated and
    thresholds chosen on predictions for held-out folds, of which nothing was learnt. With one window per article and no
    tuning this is plain L2-penalised logistic regression, one label against the rest.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty, as in scikit-learn.
    temperature : float
        Of the pooling, see `tppo.classify.scorer.pool`.
    evidence_weight : float
        Weight of a window that states a label relative to an article; 0 ignores these marks.
    silence_weight : float
        Weight of an unmarked window in an article whose stating windows are marked; 0 ignores these.
    combination_C : float
        Inverse strength of the L2 penalty on how the scores of labels combine, see
        `tppo.classify.decisions.fit_combination`.
    tuned_dimension : int
        Of the vectors tuned on the labels, at least 1; they are tuned if `fit` gets the windows' wording.
    tuned_weight : float
        Length of these vectors.
    n_folds : int
        Folds for calibration and thresholds, at least 2; fewer are used if there are fewer groups.
    criterion : {"fixed", "best_f1", "best_f05", "precision", "recall"}
        What thresholds are chosen by.
    target : float
        The threshold itself, or the least precision or recall, for those criteria.
    review_npv : float
        Share of articles without the label among those denied outright.
    max_iter : int
        Most L-BFGS iterations.
    tol : float
        Relative decrease of the loss below which they stop.
    n_jobs : int
        Threads that fit the folds; the result does not depend on it.
    random_state : int
        Decides the folds, and the batches of the tuning.

    Attributes
    ----------
    scorer_ : Scorer
        All that was learnt, but for the tuned token vectors.
    tuned_ : TunedVectors or None
        These, if there are any; their features stand before the given ones.
    classes_ : ndarray
        The two classes (1-D target) or the label indices (2-D target).
    oof_probabilities_ : ndarray of shape (n_articles, n_labels)
        Held-out probabilities of the training articles.
    n_features_in_ : int
        Width of the features.
    n_iter_ : int
        L-BFGS iterations of the final fit.
    """

    def __init__(
        self,
        *,
        C: float = 30.0,
        temperature: float = 0.3,
        evidence_weight: float = 1.0,
        silence_weight: float = 0.3,
        combination_C: float = 1.0,
        tuned_dimension: int = 64,
        tuned_weight: float = 0.5,
        n_folds: int = 5,
        criterion: str = "fixed",
        target: float = 0.5,
        review_npv: float = 0.99,
        max_iter: int = 300,
        tol: float = 1e-4,
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.temperature = temperature
        self.evidence_weight = evidence_weight
        self.silence_weight = silence_weight
        self.combination_C = combination_C
        self.tuned_dimension = tuned_dimension
        self.tuned_weight = tuned_weight
        self.n_folds = n_folds
        self.criterion = criterion
        self.target = target
        self.review_npv = review_npv
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        bags: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        marks: ArrayLike | None = None,
        articles: Any = None,
        wording: Wording | None = None,
    ) -> Self:
        """Learn weights, calibration and thresholds.

        Parameters
        ----------
        X : array-like or sparse of shape (n_windows, n_features)
            Window features.
        y : array-like of shape (n_articles, n_labels) or (n_articles,)
            Truth as 0/1 per label, NaN where a label is not known (2-D only), or two classes (1-D).
        bags : array-like of shape (n_windows,), optional
            Ascending article index of each window; by default every window is an article.
        groups : array-like of shape (n_articles,), optional
            Articles of one group share a fold.
        marks : array-like of shape (n_windows, n_labels), optional
            1 where a window is known to state a label, -1 where it is known not to, 0 where neither is known.
        articles : array-like or sparse of shape (n_articles, n_article_features), optional
            Features of the articles as a whole; then they must be given for predictions, too.
        wording : Wording, optional
            The windows' tokens, to tune token vectors on; then predictions need the tokens, too.

        Returns
        -------
        ModusClassifier
            This estimator.

        Raises
        ------
        ValueError
            If a parameter or a shape is wrong.
        """
        self._check_parameters()
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32])
        Y, self.classes_, self._multi_label = check_targets(y)
        bags = check_bags(bags, X.shape[0], len(Y))
        mark = check_marks(marks, (X.shape[0], Y.shape[1]))
        names = check_groups(groups, len(Y))
        wholes = None if articles is None else check_articles(articles, len(Y), X.dtype)

        fold = self._folds(Y, names)
        stages = [Instances(X, Y, bags, mark, wording)]
        if wholes is not None:
            stages.append(Instances(wholes, Y, np.arange(len(Y)), np.zeros_like(Y)))
        learnt, held_out = learn_in_folds(stages, fold, self._learn, temperature=self.temperature, n_jobs=self.n_jobs)
        logits = np.hstack(held_out)
        nothing = Learnt(np.zeros((0, Y.shape[1])), np.zeros(Y.shape[1]))
        windows, whole = (*learnt, nothing)[:2]
        self.n_iter_, self.tuned_ = windows.n_iter, windows.tuned
        self.oof_probabilities_ = self._held_out_probabilities(logits, Y, fold)
        combination, intercept = self._combine(logits, Y)
        slope, offset = _calibrate(logits, Y)
        threshold, floor = self._thresholds(self.oof_probabilities_, Y)
        self.scorer_ = Scorer(
            weights=windows.weights,
            bias=windows.bias,
            temperature=np.array([self.temperature]),
            article_weights=whole.weights,
            article_bias=whole.bias,
            combination=combination,
            intercept=intercept,
            window_slope=slope,
            window_intercept=offset,
            threshold=threshold,
            floor=floor,
        )
        return self

    def decision_function(
        self, X: Any, *, bags: ArrayLike | None = None, articles: Any = None, tokens: Tokens | None = None
    ) -> FloatArray:
        """Return calibrated article logits less those of the thresholds: a label is given from 0 up.

        Returns
        -------
        ndarray of shape (n_articles, n_labels), or (n_articles,) after a fit on two classes
        """
        p = np.clip(self._probabilities(X, bags, articles, tokens), 1e-15, 1 - 1e-15)
        t = np.clip(self.scorer_.threshold, 1e-15, 1 - 1e-15)
        margin = np.log(p / (1 - p)) - np.log(t / (1 - t))
        return margin if self._multi_label else margin[:, 0]

    def predict_proba(
        self, X: Any, *, bags: ArrayLike | None = None, articles: Any = None, tokens: Tokens | None = None
    ) -> FloatArray:
        """Return label probabilities of shape (n_articles, n_labels), or (n_articles, 2) after a fit on two classes."""
        p = self._probabilities(X, bags, articles, tokens)
        return p if self._multi_label else np.column_stack([1 - p[:, 0], p[:, 0]])

    def predict(
        self, X: Any, *, bags: ArrayLike | None = None, articles: Any = None, tokens: Tokens | None = None
    ) -> NDArray[Any]:
        """Return 0/1 labels of shape (n_articles, n_labels), or each article's class after a fit on two classes."""
        probabilities = self._probabilities(X, bags, articles, tokens)
        given = (self.scorer_.decide(probabilities) == YES).astype(np.int64)
        return given if self._multi_label else np.asarray(self.classes_[given[:, 0]])

    def _probabilities(self, X: Any, bags: ArrayLike | None, articles: Any, tokens: Tokens | None) -> FloatArray:
        """Return label probabilities of shape (n_articles, n_labels), also after a fit on two classes."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        n_articles = X.shape[0] if bags is None else int(np.max(bags, initial=-1)) + 1
        blocks = () if articles is None else (articles,)
        bags = check_bags(bags, X.shape[0], n_articles)
        logits = self.scorer_.window_logits(beside(self.tuned_, self.tuned_weight, tokens, X))
        return self.scorer_.probabilities(logits, bags, *blocks)

    def _check_parameters(self) -> None:
        """Refuse a parameter out of its range, as scikit-learn does: when fitting, not in the constructor."""
        for name, ok, expected in (
            ("C", self.C > 0, "above 0"),
            ("temperature", self.temperature > 0, "above 0"),
            ("evidence_weight", self.evidence_weight >= 0, "0 or more"),
            ("silence_weight", self.silence_weight >= 0, "0 or more"),
            ("combination_C", self.combination_C > 0, "above 0"),
            ("tuned_dimension", self.tuned_dimension >= 1, "1 or more"),
            ("tuned_weight", self.tuned_weight > 0, "above 0"),
            ("n_jobs", self.n_jobs >= 1, "1 or more"),
            ("n_folds", self.n_folds >= 2, "2 or more"),
            ("criterion", self.criterion in CRITERIA, f"one of {', '.join(CRITERIA)}"),
            ("target", 0 < self.target <= 1, "in (0, 1]"),
            ("review_npv", 0 < self.review_npv <= 1, "in (0, 1]"),
        ):
            if not ok:
                raise ValueError(f"{name} must be {expected}, got {getattr(self, name)!r}")

    def _folds(self, Y: FloatArray, groups: NDArray[Any]) -> NDArray[np.int64]:
        """Return the fold of every training article; a group lies in one fold."""
        n_folds = min(self.n_folds, len(np.unique(groups)))
        return balanced_folds([str(g) for g in groups], Y == 1, n_folds=n_folds, seed=self.random_state)

    def _learn(self, rows: Instances) -> Learnt:
        """Tune token vectors, if the rows' words are known, and learn linear scores."""
        tuned = None
        X = rows.X
        if rows.wording is not None:
            tokens, labels = rows.texts()
            tuned = fine_tune(
                rows.wording.start, tokens, labels, dimension=self.tuned_dimension, seed=self.random_state
            )
            X = beside(tuned, self.tuned_weight, rows.wording.tokens, X)
        weights, bias, n_iter = solve(
            X,
            rows.Y,
            rows.bags,
            stated=np.where(rows.marks > 0, float(self.evidence_weight), 0.0),
            silent=np.where(rows.marks < 0, float(self.silence_weight), 0.0),
            C=self.C,
            temperature=self.temperature,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        return Learnt(weights, bias, n_iter, tuned, self.tuned_weight)

    def _combine(self, logits: FloatArray, Y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Fit how the articles' logits combine into each label's; return weights and intercepts."""
        weights, intercept = np.zeros((logits.shape[1], Y.shape[1])), np.zeros(Y.shape[1])
        for k, known, truth in _known_truth(Y):
            weights[:, k], intercept[k] = fit_combination(logits[known], truth, own=k, C=self.combination_C)
        return weights, intercept

    def _held_out_probabilities(self, logits: FloatArray, Y: FloatArray, fold: NDArray[np.int64]) -> FloatArray:
        """Return the probabilities of every training article from a combination that did not see its fold."""
        combined = np.zeros_like(Y)
        for outside in complements(fold):
            weights, intercept = self._combine(logits[outside], Y[outside])
            combined[~outside] = logits[~outside] @ weights + intercept
        return sigmoid(combined)

    def _thresholds(self, probabilities: FloatArray, Y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Choose each label's threshold and floor on held-out probabilities; two arrays of shape (n_labels,)."""
        threshold, floor = np.zeros(Y.shape[1]), np.zeros(Y.shape[1])
        for k, known, truth in _known_truth(Y):
            p = probabilities[known, k]
            if truth.any():
                threshold[k] = choose_threshold(p, truth, criterion=self.criterion, target=self.target)
            else:  # a label that no article carries, or that is nowhere known, is never given
                threshold[k] = 1.0
            floor[k] = choose_floor(p, truth, threshold=threshold[k], npv=self.review_npv)
        return threshold, floor


def _known_truth(Y: FloatArray) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield each label's column, the articles for which it is known, and its truth for these."""
    for k in range(Y.shape[1]):
        known = ~np.isnan(Y[:, k])
        yield k, known, Y[known, k] > 0.5


def _calibrate(logits: FloatArray, Y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Calibrate each label's own held-out logit; return slopes and intercepts of shape (n_labels,)."""
    slope, intercept = np.zeros(Y.shape[1]), np.zeros(Y.shape[1])
    for k, known, truth in _known_truth(Y):
        slope[k], intercept[k] = fit_platt(logits[known, k], truth)
    return slope, intercept
