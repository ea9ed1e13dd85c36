import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import Corpus

from tppo.topics import count_terms
from tppo.topics.metrics import c_v, diversity, npmi, pair_npmi, stability


def test_npmi_of_known_cases() -> None:
    presence = sp.csc_matrix(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]]))
    table = pair_npmi(presence)
    assert table[0, 1] == pytest.approx(1.0)
    assert table[0, 2] == -1.0
    assert npmi([["a", "b"]], ["a", "b", "c"], presence) == pytest.approx(1.0)
    assert npmi([["a"]], ["a", "b", "c"], presence) != npmi([["a", "b"]], ["a", "b", "c"], presence)


def test_npmi_against_the_formula(corpus: Corpus) -> None:
    terms = count_terms(corpus.texts, min_df=2)
    topics = [["ginjal", "pendonor", "harga"], ["gol", "liga", "laut"]]
    held = [set(text.lower().replace(".", "").split()) for text in corpus.texts]
    expected = []
    for topic in topics:
        pairs = []
        for i, a in enumerate(topic):
            for b in topic[:i]:
                pa, pb = (np.mean([w in h for h in held]) for w in (a, b))
                both = np.mean([a in h and b in h for h in held])
                pairs.append(np.log(both / (pa * pb)) / -np.log(both) if both else -1.0)
        expected.append(np.mean(pairs))
    assert npmi(topics, terms.vocabulary, terms.presence) == pytest.approx(np.mean(expected))


def test_npmi_against_gensim(corpus: Corpus) -> None:
    models = pytest.importorskip("gensim.models.coherencemodel")
    from gensim.corpora import Dictionary

    from tppo.topics.words import content_words

    rng = np.random.default_rng(1)
    texts = [list(rng.permutation(content_words(text))[:12]) for text in corpus.texts]
    terms = count_terms([" ".join(t) for t in texts], min_df=1)
    topics = [["ginjal", "pendonor", "operasi"], ["gol", "liga", "pemain"], ["beras", "harga", "petani"]]
    theirs = models.CoherenceModel(
        topics=topics, texts=texts, dictionary=Dictionary(texts), coherence="c_npmi", window_size=1000, processes=1
    ).get_coherence()
    assert npmi(topics, terms.vocabulary, terms.presence) == pytest.approx(theirs, abs=1e-6)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=4))
def test_diversity_is_a_share(topics: list[list[str]]) -> None:
    assert 0 < diversity(topics) <= 1


@given(st.lists(st.integers(0, 3), min_size=4, max_size=30))
def test_a_labeling_agrees_with_itself_under_other_names(labels: list[int]) -> None:
    a = np.array(labels, dtype=np.int64)
    assert stability([a, 3 - a]) == pytest.approx(1.0)


def test_c_v_is_higher_for_words_that_belong_together(corpus: Corpus) -> None:
    terms = count_terms(corpus.texts, min_df=2)
    good = c_v([["ginjal", "pendonor", "operasi"]], terms.vocabulary, terms.presence)
    assert good > c_v([["ginjal", "liga", "beras"]], terms.vocabulary, terms.presence)
