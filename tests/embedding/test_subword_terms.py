"""Terms over tokens and stems: the weighting, the stems, unknown words, saving."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from tppo.embedding import StaticEncoder, SubwordTerms, Tokens
from tppo.errors import ModelError

TOKENIZER = StaticEncoder().tokenizer
TEXTS = (
    "Polisi menjual ginjal.",
    "Penjualan ginjalnya dijual polisi, polisi!",
    "Harga cabai naik.",
    "Kata polisi: naik.",
)
WORDS = st.lists(
    st.sampled_from(["polisi", "menjual", "penjualan", "ginjal", "harga", "naik", "zxqv", "12", ",", "."]), max_size=12
)


@cache
def learnt(texts: tuple[str, ...] = TEXTS, **settings: int) -> SubwordTerms:
    return SubwordTerms(TOKENIZER, **{"min_df": 1, **settings}).fit(TOKENIZER.tokenize(texts))


def rows(terms: SubwordTerms, texts: list[str]) -> np.ndarray:
    return terms.transform(TOKENIZER.tokenize(texts)).toarray()


def test_the_weighting_is_that_of_scikit_learn():
    vocabulary, terms = TOKENIZER.vocabulary(), learnt()
    stems = terms._stems

    def analyse(text: str) -> list[str]:
        ids = [i for i in TOKENIZER.tokenize([text]).ids if stems[i] >= 0]
        pairs = [f"{vocabulary[stems[a]]} {vocabulary[stems[b]]}" for a, b in pairwise(ids)]
        return [vocabulary[i] for i in ids] + pairs

    theirs = TfidfVectorizer(analyzer=analyse, sublinear_tf=True).fit_transform(TEXTS).toarray()
    ours = rows(terms, TEXTS)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1), atol=1e-6)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-6)


def test_pairs_are_shared_by_forms_of_one_stem():
    a, b, c = rows(learnt(), ["menjual ginjal", "penjualan ginjalnya", "harga cabai"])
    assert a @ b > 0.1
    assert a @ c == 0


@pytest.mark.parametrize(
    ("word", "stem"), [("menjual", "jual"), ("penjualan", "jual"), ("ditipu", "tipu"), ("nikah", "nikah")]
)
def test_a_stem_is_a_word_of_the_vocabulary(word, stem):
    vocabulary = TOKENIZER.vocabulary()
    assert vocabulary[learnt()._stems[vocabulary.index(word)]] == stem


def test_punctuation_is_no_term():
    np.testing.assert_array_equal(*rows(learnt(), ["polisi, menjual!", "polisi menjual"]))


def test_unknown_words_make_a_row_shorter():
    known, half = rows(learnt(), ["polisi", "polisi kapal"])
    assert np.linalg.norm(known) == pytest.approx(1)
    assert 0 < np.linalg.norm(half) < 0.9


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_a_text_has_the_same_row_in_any_batch(texts):
    terms, joined = learnt(), [" ".join(words) for words in texts]
    alone = np.vstack([rows(terms, [text]) for text in joined])
    np.testing.assert_allclose(rows(terms, joined), alone, atol=1e-6)


@given(st.lists(WORDS, min_size=1, max_size=6), st.data())
def test_counts_of_articles_are_those_of_their_windows(texts, data):
    terms = learnt()
    counts = terms.count(TOKENIZER.tokenize([" ".join(words) for words in texts]))
    steps = data.draw(st.lists(st.integers(0, 1), min_size=len(texts) - 1, max_size=len(texts) - 1))
    bags = np.cumsum([0, *steps])
    summed = counts.summed(bags)
    for article in range(bags[-1] + 1):
        np.testing.assert_array_equal(
            summed.known[[article]].toarray()[0], counts.known.toarray()[bags == article].sum(0)
        )
        assert summed.unknown[article] == counts.unknown[bags == article].sum()


def test_rare_terms_and_terms_beyond_the_limit_are_left_out():
    assert learnt(min_df=2).n_terms < learnt().n_terms
    assert learnt(max_features=3).n_terms == 3


def test_texts_without_words_cannot_be_learnt_from():
    with pytest.raises(ModelError, match="hold no words"):
        learnt(("...", ""))


def test_terms_must_be_learnt_first():
    with pytest.raises(ModelError, match="call fit first"):
        SubwordTerms(TOKENIZER).transform(TOKENIZER.tokenize(["polisi"]))


def test_no_texts_give_no_rows():
    empty = Tokens(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert sp.csr_matrix(learnt().transform(empty)).shape == (0, learnt().n_terms)


def test_saved_terms_give_the_same_rows(tmp_path):
    terms = learnt()
    terms.save(tmp_path)
    loaded = SubwordTerms.load(tmp_path, TOKENIZER)
    assert loaded.fingerprint == terms.fingerprint
    np.testing.assert_array_equal(rows(loaded, TEXTS), rows(terms, TEXTS))


def test_terms_of_another_tokenizer_are_refused(tmp_path):
    learnt().save(tmp_path)
    (tmp_path / "terms.json").write_text('{"tokenizer": "0123456789abcdef"}')
    with pytest.raises(ModelError, match="learnt with tokenizer 0123456789abcdef"):
        SubwordTerms.load(tmp_path, TOKENIZER)
