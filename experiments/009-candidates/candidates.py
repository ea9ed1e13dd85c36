"""The candidates: each takes training articles and returns a `Fitted`. Settings stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from pooling import pooled_logistic
from prepared import Fitted, Prepared, Score, calibrated, folds, per_label
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import ClassifierChain

from tppo.classify import YES
from tppo.classify.contrast import fine_tune
from tppo.corpus import Cleaner
from tppo.corpus.weak import WeakLabeller
from tppo.embedding.terms import TermVectors
from tppo.train import fit

DEFAULT = "combined, evidence learnt (the default)"
RULES, TFIDF, SETFIT = "keyword rules", "TF-IDF words + logistic", "SetFit on all-MiniLM-L6"
BOTH, VECTOR = "TF-IDF words and characters + logistic", "article vector + logistic"


@dataclass(frozen=True)
class Candidate:
    """How to train it, on how many repeats of the cross-validation, and on top of which others it stands."""

    train: Callable[..., Fitted]
    repeats: int = 2
    bases: tuple[str, ...] = ()


def rules(train: Prepared) -> Fitted:
    """The taxonomy's cues, held back where a sentence denies them; nothing is learnt."""
    labeller = WeakLabeller(train.config.taxonomy, Cleaner(train.config.cleaning))

    def read(some: Prepared) -> np.ndarray:
        return labeller.label(some.articles).labels.astype(float)

    return Fitted(read, read(train))


def tfidf(*analyzers: str) -> Callable[[Prepared], tuple[object, Callable]]:
    """TF-IDF of the clean article, of words and pairs of words, or of 3 to 5 characters within words."""
    shapes = {"word": (1, 2), "char_wb": (3, 5)}

    def features(part: Prepared) -> tuple[object, Callable]:
        fitted = [
            TfidfVectorizer(sublinear_tf=True, analyzer=a, ngram_range=shapes[a], min_df=2, max_features=60_000).fit(
                part.clean
            )
            for a in analyzers
        ]

        def transform(some: Prepared) -> object:
            return sp.hstack([v.transform(some.clean) for v in fitted], format="csr")

        return transform(part), transform

    return features


def article_vectors(part: Prepared) -> tuple[object, Callable]:
    """The shipped encoder's vector of the whole clean article, scaled so that the grid of C suits it."""
    return 5 * part.vectors, lambda some: 5 * some.vectors


def boosting(part: Prepared) -> list[Score]:
    """Gradient boosting on the vectors, one model per label."""
    models = [
        HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, max_leaf_nodes=15, random_state=0).fit(
            part.vectors, part.y[:, k]
        )
        for k in range(part.y.shape[1])
    ]
    return [lambda some: np.column_stack([m.decision_function(some.vectors) for m in models])]


def chain(part: Prepared) -> list[Score]:
    """Each label also sees those before it: the true ones while learning, the predicted ones when reading."""
    matrix, transform = tfidf("word", "char_wb")(part)
    order = [part.y.shape[1] - 1, *range(part.y.shape[1] - 1)]
    model = ClassifierChain(LogisticRegression(C=10.0, solver="liblinear"), order=order, random_state=0)
    model.fit(matrix, part.y.astype(int))
    return [lambda some: model.decision_function(transform(some))]


def fine_tuned(part: Prepared) -> Callable[[list[str]], np.ndarray]:
    """The shipped encoder, its token vectors tuned on the articles and marked sentences of `part`: SetFit's idea."""
    keys = part.config.taxonomy.modus_keys
    texts, labels = list(part.clean), [list(row[:-1]) for row in part.y]
    for article in part.articles:
        for span in article.evidence or ():
            if span.label in keys:
                texts.append(article.text[span.start : span.end])
                labels.append([key == span.label for key in keys])
    tokenizer = part.encoder.tokenizer
    tuned = fine_tune(part.encoder.rows, tokenizer.tokenize(texts), np.array(labels), dimension=part.encoder.dimension)
    return lambda some: tuned.encode_tokens(tokenizer.tokenize(some))


def windows(pooling: str, *, terms: bool = True, contrastive: bool = False) -> Callable[[Prepared], list[Score]]:
    """Score sentences and pool them; article labels only, no marked sentences."""

    def learn(part: Prepared) -> list[Score]:
        lexical = TermVectors(max_features=60_000).fit(part.windows.texts) if terms else None
        encode = fine_tuned(part) if contrastive else None

        def matrix(some: Prepared) -> object:
            vectors = some.windows.vectors if encode is None else encode(some.windows.texts)
            dense = sp.csr_matrix(np.float32(0.5 if terms else 3.0) * vectors)
            return dense if lexical is None else sp.hstack([dense, lexical.transform(some.windows.texts)], format="csr")

        score = pooled_logistic(matrix(part), part.y, part.windows.article, pooling=pooling)
        return [lambda some: score(matrix(some), some.windows.article)]

    return learn


def contrastive_article(part: Prepared) -> list[Score]:
    """Logistic regression on article vectors of an encoder tuned on the same articles."""
    encode = fine_tuned(part)

    def vectors(some: Prepared) -> np.ndarray:
        return 5 * encode(some.clean)

    return per_label(lambda some: (vectors(some), vectors), "logistic")(part)


def default(train: Prepared, **changes: object) -> Fitted:
    """What `tppo train` fits by the configuration in `configs/`, with its own calibration and thresholds.

    `changes` are made to the configuration of the classifier.
    """
    classifier = train.config.classifier.model_copy(update=changes)
    fitted = fit(train.config.model_copy(update={"classifier": classifier}), train.articles, {})

    def label(some: Prepared) -> tuple[np.ndarray, np.ndarray]:
        readings = fitted.model.read([a.text for a in some.articles])
        return readings.probabilities, readings.decisions == YES

    return Fitted(lambda some: label(some)[0], fitted.held_out, label)


def stacked(train: Prepared, *bases: Fitted) -> Fitted:
    """A logistic regression per label over the logits that the bases give all labels, learnt on held-out ones."""

    def logits(parts: list[np.ndarray]) -> np.ndarray:
        p = np.clip(np.hstack(parts), 1e-4, 1 - 1e-4)
        return np.log(p / (1 - p))

    X = logits([base.held_out for base in bases])
    labels = range(train.y.shape[1])

    def learn(index: np.ndarray) -> list[LogisticRegression]:
        return [LogisticRegression(C=0.1, max_iter=300).fit(X[index], train.y[index, k]) for k in labels]

    def read(models: list[LogisticRegression], rows: np.ndarray) -> np.ndarray:
        return np.column_stack([m.predict_proba(rows)[:, 1] for m in models])

    held_out = np.zeros(train.y.shape)
    for inside, outside in folds(train, 3, seed=1):
        held_out[outside] = read(learn(inside), X[outside])
    models = learn(np.arange(len(X)))
    return Fitted(lambda some: read(models, logits([base.read(some) for base in bases])), held_out)


def over(learn: Callable[[Prepared], list[Score]], n_inner: int = 3) -> Callable[[Prepared], Fitted]:
    return lambda train: calibrated(train, learn, n_inner)


CANDIDATES: dict[str, Candidate] = {
    DEFAULT: Candidate(default),
    "default without tuned vectors": Candidate(lambda train: default(train, tuned_dimension=0), repeats=1),
    RULES: Candidate(rules),
    TFIDF: Candidate(over(per_label(tfidf("word"), "logistic"))),
    "TF-IDF characters + logistic": Candidate(over(per_label(tfidf("char_wb"), "logistic"), 2), repeats=1),
    BOTH: Candidate(over(per_label(tfidf("word", "char_wb"), "logistic"), 2), repeats=1),
    "TF-IDF words and characters, chain": Candidate(over(chain, 2), repeats=1),
    VECTOR: Candidate(over(per_label(article_vectors, "logistic"))),
    "article vector + SVM": Candidate(over(per_label(article_vectors, "svm")), repeats=1),
    "article vector + boosting": Candidate(over(boosting, 2), repeats=1),
    "sentences, mean": Candidate(over(windows("mean"), 2), repeats=1),
    "sentences, maximum": Candidate(over(windows("max"), 2), repeats=1),
    "sentences, softmax-weighted": Candidate(over(windows("softmax"), 2), repeats=1),
    "sentences, log-sum-exp": Candidate(over(windows("lse"), 2), repeats=1),
    "sentences, log-sum-exp, vectors only": Candidate(over(windows("lse", terms=False), 2), repeats=1),
    "contrastive encoder, article + logistic": Candidate(over(contrastive_article, 2), repeats=1),
    "contrastive encoder, sentences, log-sum-exp": Candidate(over(windows("lse", contrastive=True), 2), repeats=1),
    "default, label correlations": Candidate(stacked, bases=(DEFAULT,)),
    "default stacked with TF-IDF and article vector": Candidate(stacked, bases=(DEFAULT, TFIDF, VECTOR)),
}
