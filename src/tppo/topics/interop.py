"""A topic model as a `bertopic.BERTopic`, for those who want its methods and plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tppo.embedding import FloatMatrix, IntVector
from tppo.errors import DataError
from tppo.topics.base import OUTLIER
from tppo.topics.consensus import Reduction
from tppo.topics.model import TopicModel
from tppo.topics.words import class_tf_idf, content_words

__all__ = ["to_bertopic"]


class _Reducer:
    """The model's reduction in the place of BERTopic's UMAP."""

    def __init__(self, reduction: Reduction) -> None:
        self.reduction = reduction

    def fit(self, vectors: FloatMatrix, y: Any = None) -> _Reducer:
        return self

    def transform(self, vectors: FloatMatrix) -> FloatMatrix:
        return self.reduction.apply(np.asarray(vectors, dtype=np.float32))


class _Nearest:
    """The model's nearest-topic rule in the place of BERTopic's HDBSCAN."""

    def __init__(self, model: TopicModel) -> None:
        self.model = model
        self.labels_: IntVector = np.zeros(0, dtype=np.int64)

    def fit(self, points: FloatMatrix, y: Any = None) -> _Nearest:
        self.labels_ = self.predict(points)
        return self

    def predict(self, points: FloatMatrix) -> IntVector:
        return self.model.assign_points(np.asarray(points, dtype=np.float32))


def to_bertopic(
    model: TopicModel, texts: Sequence[str], vectors: FloatMatrix, *, embedding_model: Any = None
) -> tuple[Any, dict[int, int]]:
    """Build a fitted `bertopic.BERTopic` that assigns the same topics as the model.

    Parameters
    ----------
    model : TopicModel
        With or without hidden topics; articles of a hidden topic get none.
    texts : sequence of str, length n_articles
        Clean texts for BERTopic's tables and plots; every shown topic must be among them.
    vectors : ndarray of shape (n_articles, dimension), float32
        Of the same articles.
    embedding_model : optional
        Anything BERTopic accepts; only for methods that embed words or queries.

    Returns
    -------
    topic_model : bertopic.BERTopic
        Fitted; ``transform(texts, vectors)`` uses the model's own reduction and nearest-topic rule.
    ids : dict of int to int
        BERTopic's topic numbers (it counts topics by size) to those of the model; -1 to -1.

    Raises
    ------
    DataError
        If a topic has none of the articles: BERTopic would then call its later articles outliers.
    """
    from bertopic import BERTopic
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    labels = model.assign(vectors)
    missing = sorted({t.id for t in model.topics if not t.hidden} - set(labels.tolist()))
    if missing or len(texts) != len(labels):
        raise DataError(
            f"expected {len(labels)} texts that cover all topics, got {len(texts)} without an article of {missing}"
        )
    topic_model = BERTopic(
        embedding_model=embedding_model,
        umap_model=_Reducer(model.reduction),
        hdbscan_model=_Nearest(model),
        vectorizer_model=CountVectorizer(analyzer=content_words, vocabulary=model.vocabulary),
        ctfidf_model=ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True),
    )
    numbers, _ = topic_model.fit_transform(list(texts), vectors)
    ids = {int(b): int(t) for b, t in zip(numbers, labels)}
    weights = class_tf_idf(model.counts)
    column = {word: i for i, word in enumerate(model.vocabulary)}
    rows = {t.id: i for i, t in enumerate(model.topics)}
    for number, topic in ids.items():
        if topic != OUTLIER:
            chosen = model.topics[rows[topic]].words
            topic_model.topic_representations_[number] = [(w, float(weights[rows[topic], column[w]])) for w in chosen]
    topic_model.set_topic_labels({b: f"{t}: {model.topics[rows[t]].name}" for b, t in ids.items() if t != OUTLIER})
    return topic_model, ids
