"""The TF-IDF + SVD encoder."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tppo.embedding import TfidfSvdEncoder, TrainableEncoder
from tppo.errors import ModelError


@pytest.fixture
def encoder(sentences) -> TfidfSvdEncoder:
    return TfidfSvdEncoder(dimension=4, min_df=1, seed=3).fit(sentences)


def test_it_learns_before_it_encodes():
    assert isinstance(TfidfSvdEncoder(), TrainableEncoder)


def test_vectors_have_the_dimension_asked_for(encoder, sentences):
    vectors = encoder.encode(sentences)
    assert (vectors.shape, vectors.dtype) == ((8, 4), np.float32)


def test_vectors_have_unit_length(encoder, sentences):
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(sentences), axis=1), 1, atol=1e-6)


def test_a_text_without_a_known_term_is_all_zero(encoder):
    assert not encoder.encode(["", "xyzzy"]).any()


def test_no_texts_give_a_matrix_without_rows(encoder):
    assert encoder.encode([]).shape == (0, 4)


def test_a_text_is_encoded_alike_alone_and_in_company(encoder, sentences):
    assert (encoder.encode(sentences)[5] == encoder.encode([sentences[5]])[0]).all()


def test_the_nearest_sentence_is_on_the_same_matter(encoder, sentences):
    query = encoder.encode(["Ginjal pendonor dijual makelar."])
    assert "injal" in sentences[int(np.argmax(encoder.encode(sentences) @ query[0]))]


def test_the_dimension_is_bounded_by_the_texts(sentences):
    assert TfidfSvdEncoder(dimension=256, min_df=1).fit(sentences).encode(sentences).shape == (8, 7)


def test_a_single_text_is_refused_with_the_counts():
    with pytest.raises(ModelError, match="cannot learn an SVD from 1 texts with 3 terms"):
        TfidfSvdEncoder(min_df=1).fit(["polisi korban"])


def test_words_are_its_tokens_and_it_reads_any_length(encoder):
    assert encoder.count_tokens(["", "Polisi dan korban.", "kata " * 900]).tolist() == [0, 3, 900]
    assert encoder.max_tokens is None


def test_the_same_seed_gives_the_same_vectors(encoder, sentences):
    again = TfidfSvdEncoder(dimension=4, min_df=1, seed=3).fit(sentences)
    assert (again.encode(sentences) == encoder.encode(sentences)).all()
    assert again.fingerprint == encoder.fingerprint


def test_other_texts_give_another_fingerprint(encoder, sentences):
    other = TfidfSvdEncoder(dimension=4, min_df=1, seed=3).fit(sentences[:-1])
    assert other.fingerprint != encoder.fingerprint


def test_another_dimension_gives_another_fingerprint(encoder, sentences):
    assert TfidfSvdEncoder(dimension=3, min_df=1, seed=3).fit(sentences).fingerprint != encoder.fingerprint


def test_a_loaded_encoder_gives_the_same_vectors(encoder, sentences, tmp_path):
    encoder.save(tmp_path)
    assert (TfidfSvdEncoder.load(tmp_path).encode(sentences) == encoder.encode(sentences)).all()


def test_a_loaded_encoder_has_the_same_fingerprint(encoder, tmp_path):
    encoder.save(tmp_path)
    assert TfidfSvdEncoder.load(tmp_path).fingerprint == encoder.fingerprint


def test_a_changed_projection_gives_another_fingerprint(encoder, tmp_path):
    encoder.save(tmp_path)
    path = tmp_path / "projection.safetensors"
    save_file({"projection": -load_file(path)["projection"]}, path)
    assert TfidfSvdEncoder.load(tmp_path).fingerprint != encoder.fingerprint


def test_a_projection_that_does_not_fit_the_terms_is_refused_with_both_numbers(encoder, tmp_path):
    encoder.save(tmp_path)
    save_file({"projection": np.ones((2, 4), dtype=np.float32)}, tmp_path / "projection.safetensors")
    with pytest.raises(ModelError, match="terms but 2 rows"):
        TfidfSvdEncoder.load(tmp_path)
