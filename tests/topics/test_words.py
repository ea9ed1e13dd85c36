import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tppo.topics.words import class_tf_idf, content_words, roots, topic_words


@pytest.mark.parametrize(
    ("a", "b"),
    [("menangkap", "penangkapan"), ("menjual", "dijual"), ("perekrut", "merekrut"), ("pengiriman", "mengirim"),
     ("pekerja", "bekerja"), ("penyelundupan", "menyelundupkan"), ("pemulangan", "dipulangkan")],
)  # fmt: skip
def test_affixed_forms_share_a_root(a: str, b: str) -> None:
    assert roots(a) & roots(b)


@pytest.mark.parametrize(("a", "b"), [("kapal", "kapolda"), ("ginjal", "ganja"), ("migran", "mingguan")])
def test_other_words_do_not(a: str, b: str) -> None:
    assert not roots(a) & roots(b)


@given(st.text(alphabet="abdegikmnprstuy", min_size=1, max_size=14))
def test_a_word_is_among_its_own_roots(word: str) -> None:
    assert word in roots(word)


def test_stop_words_and_numbers_are_left_out() -> None:
    assert content_words("Polisi yang menangkap 12 orang pada 2023 di Batam") == ["polisi", "menangkap", "batam"]


def test_forms_are_merged_and_words_belong_to_one_topic() -> None:
    vocabulary = ["dijual", "jual", "menjual", "ginjal", "beras", "pasar"]
    counts = np.array([[5, 9, 4, 8, 0, 1], [0, 1, 0, 0, 9, 7]])
    presence = sp.csc_matrix(np.ones((4, 6)))
    first, second = topic_words(counts, [10, 10], vocabulary, presence, n_words=3)
    assert sum(word in ("dijual", "jual", "menjual") for word in first) == 1
    assert "ginjal" in first
    assert not set(first) & set(second)


def test_a_word_of_a_few_articles_does_not_stand_for_a_topic() -> None:
    counts = np.array([[40, 3, 2], [1, 0, 40]])
    assert topic_words(counts, [100, 100], ["ginjal", "langka", "beras"], None) == [["ginjal"], ["beras"]]
    assert set(topic_words(counts, [50, 100], ["ginjal", "langka", "beras"], None)[0]) == {"ginjal", "langka"}


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::SyntaxWarning", "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ImportWarning"
)
def test_weights_are_those_of_bertopic() -> None:
    from bertopic.vectorizers import ClassTfidfTransformer

    counts = np.random.default_rng(0).integers(0, 9, (4, 60))
    theirs = ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True).fit_transform(sp.csr_matrix(counts))
    np.testing.assert_allclose(class_tf_idf(counts), np.maximum(theirs.toarray(), 0), atol=1e-9)
