"""Term vectors are scikit-learn's, and their state is data."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer

from tppo.embedding.terms import TermVectors, words
from tppo.errors import ModelError

WORDS = ["polisi", "Korban", "pulang", "MIGRAN", "a", "2023", "café", "kerja_sama", "-", "."]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=2, max_size=8)


def sklearn_like(ngram_max: int, min_df: int = 1) -> TfidfVectorizer:
    """scikit-learn's own tokens, weights and norm."""
    return TfidfVectorizer(sublinear_tf=True, norm="l2", ngram_range=(1, ngram_max), min_df=min_df)


@pytest.mark.parametrize("ngram_max", [1, 2, 3])
def test_vectors_equal_those_of_scikit_learn(sentences, ngram_max):
    expected = sklearn_like(ngram_max).fit_transform(sentences).toarray()
    found = TermVectors(ngram_max=ngram_max, min_df=1).fit(sentences).transform(sentences).toarray()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@given(TEXTS.filter(lambda texts: any(words(text) for text in texts)), TEXTS)
def test_vectors_of_texts_without_unknown_words_equal_those_of_scikit_learn(learnt, asked):
    known = {word for text in learnt for word in words(text)}
    asked = [" ".join(word for word in words(text) if word in known) for text in asked]
    expected = sklearn_like(2).fit(learnt).transform(asked).toarray()
    found = TermVectors(ngram_max=2, min_df=1).fit(learnt).transform(asked).toarray()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_rows_of_known_words_have_unit_length(sentences):
    matrix = TermVectors(min_df=1).fit(sentences).transform(sentences)
    np.testing.assert_allclose(np.linalg.norm(matrix.toarray(), axis=1), 1, atol=1e-6)


def test_unknown_words_shorten_a_row():
    terms = TermVectors(min_df=1).fit(["kapal karam", "polisi datang"])
    alone, amid = np.linalg.norm(terms.transform(["kapal", "kapal entah apa gerangan"]).toarray(), axis=1)
    assert alone == pytest.approx(1)
    assert amid < 0.7


def test_terms_must_be_learnt_first():
    with pytest.raises(ModelError, match="call fit first"):
        TermVectors().transform(["kapal"])


@pytest.mark.parametrize("text", ["", "  \n", "tak satupun dikenal", "a . -"])
def test_a_text_without_a_known_term_is_all_zero(sentences, text):
    assert TermVectors().fit(sentences).transform([text]).nnz == 0


def test_no_texts_give_a_matrix_without_rows(sentences):
    terms = TermVectors().fit(sentences)
    assert terms.transform([]).shape == (0, terms.n_terms)


def test_the_matrix_is_of_single_precision(sentences):
    assert TermVectors().fit(sentences).transform(sentences).dtype == np.float32


def test_a_term_of_too_few_texts_is_not_learnt(sentences):
    assert TermVectors(min_df=2).fit(sentences).transform(["menjanjikan pasien"]).nnz == 0


def test_no_more_terms_are_learnt_than_asked_for(sentences):
    assert TermVectors(max_features=5).fit(sentences).n_terms == 5


def test_words_are_of_two_or_more_letters_or_digits_in_lower_case():
    assert words("Polisi (a) dan PT-7, 21 café!") == ["polisi", "dan", "pt", "21", "café"]


@pytest.mark.parametrize("texts", [[""], ["a b c", "- ."]])
def test_texts_without_a_word_are_refused_with_their_number(texts):
    with pytest.raises(ModelError, match=f"cannot learn terms from {len(texts)} texts"):
        TermVectors().fit(texts)


# Saved and loaded


@pytest.fixture
def fitted(sentences) -> TermVectors:
    return TermVectors(ngram_max=2, min_df=1).fit(sentences)


def test_loaded_terms_give_the_same_vectors(fitted, sentences, tmp_path):
    fitted.save(tmp_path)
    assert (TermVectors.load(tmp_path).transform(sentences) != fitted.transform(sentences)).nnz == 0


def test_loaded_terms_have_the_same_fingerprint(fitted, tmp_path):
    fitted.save(tmp_path)
    assert TermVectors.load(tmp_path).fingerprint == fitted.fingerprint


def test_saved_terms_are_data_only(fitted, tmp_path):
    fitted.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["terms.json", "terms.safetensors"]


def test_the_same_texts_give_the_same_fingerprint(fitted, sentences):
    assert TermVectors(ngram_max=2, min_df=1).fit(sentences).fingerprint == fitted.fingerprint


def test_other_texts_give_another_fingerprint(fitted, sentences):
    assert TermVectors(ngram_max=2, min_df=1).fit(sentences[1:]).fingerprint != fitted.fingerprint


def test_a_changed_weight_gives_another_fingerprint(fitted, tmp_path):
    fitted.save(tmp_path)
    idf = load_file(tmp_path / "terms.safetensors")["idf"].copy()
    idf[0] += 0.5
    save_file({"idf": idf}, tmp_path / "terms.safetensors")
    assert TermVectors.load(tmp_path).fingerprint != fitted.fingerprint


@pytest.mark.parametrize("change", [{"ngram_max": 1}, {"terms": "swapped"}])
def test_changed_terms_give_another_fingerprint(fitted, tmp_path, change):
    fitted.save(tmp_path)
    meta = json.loads((tmp_path / "terms.json").read_text(encoding="utf-8"))
    if "terms" in change:
        change = {"terms": [meta["terms"][1], meta["terms"][0], *meta["terms"][2:]]}
    (tmp_path / "terms.json").write_text(json.dumps({**meta, **change}), encoding="utf-8")
    assert TermVectors.load(tmp_path).fingerprint != fitted.fingerprint


def test_terms_and_weights_of_different_number_are_refused_with_both_numbers(fitted, tmp_path):
    fitted.save(tmp_path)
    save_file({"idf": np.ones(3, dtype=np.float32)}, tmp_path / "terms.safetensors")
    with pytest.raises(ModelError, match=f"{fitted.n_terms} terms but 3 weights"):
        TermVectors.load(tmp_path)
