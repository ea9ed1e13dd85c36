"""Articles as the candidates see them, and what all candidates share: inner folds, calibration, the linear models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from tppo.classify.decisions import fit_platt
from tppo.classify.scorer import sigmoid
from tppo.config import TrainConfig
from tppo.corpus import Article, Cleaner
from tppo.corpus.splits import balanced_folds
from tppo.dataset import truth
from tppo.embedding import StaticEncoder, Windows, cut_windows

GRID = (3.0, 30.0)


@dataclass
class Prepared:
    """Articles with what needs no labels, made when it is first asked for."""

    config: TrainConfig
    encoder: StaticEncoder
    articles: list[Article]

    @cached_property
    def y(self) -> np.ndarray:
        return truth(self.articles, self.config.taxonomy.label_keys) == 1

    @cached_property
    def groups(self) -> list[str]:
        return [a.group or a.id for a in self.articles]

    @cached_property
    def clean(self) -> list[str]:
        cleaner = Cleaner(self.config.cleaning)
        return [cleaner.clean(a.text).text for a in self.articles]

    @cached_property
    def vectors(self) -> np.ndarray:
        """Of whole articles, by the shipped encoder."""
        return self.encoder.encode(self.clean)

    @cached_property
    def windows(self) -> Windows:
        """Sentences with their vectors."""
        cut = cut_windows(self.clean, self.encoder)
        return cut.with_vectors(self.encoder.encode(cut.texts))

    def take(self, index: np.ndarray) -> Prepared:
        """Return some of the articles, with what was already made of them."""
        part = Prepared(self.config, self.encoder, [self.articles[i] for i in index])
        for name, cut in (
            ("clean", lambda rows: [rows[i] for i in index]),
            ("vectors", lambda rows: rows[index]),
            ("windows", lambda windows: windows.select(np.asarray(index))),
        ):
            if name in self.__dict__:
                part.__dict__[name] = cut(self.__dict__[name])
        return part


Score = Callable[[Prepared], np.ndarray]


@dataclass
class Fitted:
    """A trained candidate: probabilities of any articles, and held-out ones of its training articles."""

    read: Score
    held_out: np.ndarray
    decide: Callable[[Prepared], tuple[np.ndarray, np.ndarray]] | None = None

    def label(self, some: Prepared) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities and the labels given: those more likely than not, unless it decides otherwise."""
        if self.decide is not None:
            return self.decide(some)
        p = self.read(some)
        return p, p >= 0.5


def folds(train: Prepared, n: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the indices to learn from and to hold out; a syndication group is never on both sides."""
    fold = balanced_folds(train.groups, train.y, n_folds=n, seed=seed)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n)]


def macro_f1(y: np.ndarray, given: np.ndarray) -> float:
    """Over the modus: all columns but the last."""
    hits = (y & given).sum(axis=0)
    return float((2 * hits / np.maximum(y.sum(axis=0) + given.sum(axis=0), 1))[:-1].mean())


def calibrated(train: Prepared, learn: Callable[[Prepared], Sequence[Score]], n_inner: int = 3) -> Fitted:
    """Choose among the scores that `learn` offers by inner folds, calibrate on these, and learn again from all.

    `learn` returns one score per setting; the same Platt calibration and the threshold one half serve every candidate.
    """
    tried: list[np.ndarray] = []
    for inside, outside in folds(train, n_inner):
        for number, score in enumerate(learn(train.take(inside))):
            if number == len(tried):
                tried.append(np.zeros(train.y.shape))
            tried[number][outside] = score(train.take(outside))
    options = []
    for logits in tried:
        platt = np.array([fit_platt(logits[:, k], train.y[:, k]) for k in range(train.y.shape[1])]).T
        held_out = sigmoid(platt[0] * logits + platt[1])
        options.append((macro_f1(train.y, held_out >= 0.5), platt, held_out))
    best = max(range(len(options)), key=lambda number: options[number][0])
    score = learn(train)[best]
    _, (slope, intercept), held_out = options[best]
    return Fitted(lambda some: sigmoid(slope * score(some) + intercept), held_out)


def per_label(features: Callable[[Prepared], tuple[object, Callable]], kind: str) -> Callable[[Prepared], list[Score]]:
    """Return a `learn` of one logistic regression or one SVM (RBF kernel) per label, for each C of the grid.

    `features` learns from the training articles and returns their matrix and what makes the matrix of others.
    """

    def learn(part: Prepared) -> list[Score]:
        matrix, transform = features(part)
        solver = "lbfgs" if isinstance(matrix, np.ndarray) else "liblinear"
        models = [SVC(C=c) if kind == "svm" else LogisticRegression(C=c, solver=solver, max_iter=300) for c in GRID]
        fitted = [OneVsRestClassifier(model).fit(matrix, part.y.astype(int)) for model in models]
        return [lambda some, m=m: m.decision_function(transform(some)) for m in fitted]

    return learn
