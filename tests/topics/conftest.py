"""Fixtures for the topic tests: a tiny corpus of four subjects, and a model of it."""

import pytest
from tiny_corpus import Corpus, make_corpus

from tppo.topics import TopicModel, TopicSettings


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return make_corpus()


@pytest.fixture
def model(corpus: Corpus) -> TopicModel:
    settings = TopicSettings(n_topics=4, n_runs=5, outliers=0.0, min_df=2)
    return TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings, fingerprint="test")
