from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import Corpus

from tppo.errors import UsageError
from tppo.topics import OUTLIER, TopicModel, TopicSettings, certify, hide_unstable, inherit_ids, match_topics


def test_clear_topics_come_back(corpus: Corpus, model: TopicModel) -> None:
    certificate = certify(model, corpus.vectors, n_seeds=2, n_subsamples=3)
    assert certificate.seeds == 1.0
    assert certificate.subsamples == 1.0
    assert all(certificate.is_stable(t.id) and t.certificate == 1.0 for t in model.topics)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=40), st.permutations(range(5)))
def test_matching_undoes_a_renaming(labels: list[int], names: list[int]) -> None:
    a = np.array(labels, dtype=np.int64)
    matched = match_topics(a, np.array(names, dtype=np.int64)[a])
    assert matched == {int(t): (names[t], 1.0) for t in np.unique(a)}


def test_a_new_fit_inherits_ids(corpus: Corpus, model: TopicModel) -> None:
    settings = TopicSettings(n_topics=5, n_runs=5, outliers=0.0, seed=9)
    later = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings)
    events = inherit_ids(later, model, corpus.vectors)
    assert {e["topic"] for e in events if e["event"] == "continued"} == {0, 1, 2, 3}
    assert {e["topic"] for e in events if e["event"] == "new"} <= {4}
    matched = match_topics(model.assign(corpus.vectors), later.assign(corpus.vectors))
    assert all(old == new for old, (new, overlap) in matched.items() if overlap > 0.5)


def test_unstable_topics_can_be_hidden(corpus: Corpus, model: TopicModel) -> None:
    with pytest.raises(UsageError, match="run certify first"):
        hide_unstable(model)
    before = model.assign(corpus.vectors)
    model.topics = [replace(t, certificate=0.3 if t.id == 2 else 0.9) for t in model.topics]
    assert hide_unstable(model) == [2]
    hidden = model.assign(corpus.vectors)
    assert (hidden[before == 2] == OUTLIER).all()
    np.testing.assert_array_equal(hidden[before != 2], before[before != 2])
    assert [t.id for t in model.shown().topics] == [0, 1, 3]
    # Articles of a hidden topic are not strays that make a topic.
    model.add(corpus.vectors, corpus.texts, corpus.ids)
    assert [t.id for t in model.topics] == [0, 1, 2, 3]
    assert hide_unstable(model, least=0.2) == []
    np.testing.assert_array_equal(model.assign(corpus.vectors), before)
