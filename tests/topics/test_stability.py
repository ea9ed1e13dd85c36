import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import Corpus

from tppo.topics import TopicModel, TopicSettings, certify, inherit_ids, match_topics


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
