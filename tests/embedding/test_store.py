"""Encoders are saved and loaded by kind; what is no encoder is refused."""

import json

import pytest
from digest_encoder import DigestEncoder

from tppo.embedding import CachedEncoder, SentenceTransformerEncoder, TfidfSvdEncoder, load_encoder, save_encoder
from tppo.errors import ModelError


@pytest.fixture
def encoder(sentences) -> TfidfSvdEncoder:
    return TfidfSvdEncoder(dimension=3, min_df=1).fit(sentences)


def test_a_loaded_encoder_is_of_the_kind_that_was_saved(encoder, tmp_path):
    save_encoder(encoder, tmp_path / "e")
    assert isinstance(load_encoder(tmp_path / "e"), TfidfSvdEncoder)


def test_a_loaded_encoder_gives_the_same_vectors(encoder, sentences, tmp_path):
    save_encoder(encoder, tmp_path / "e")
    assert (load_encoder(tmp_path / "e").encode(sentences) == encoder.encode(sentences)).all()


def test_a_cached_encoder_is_saved_without_its_cache(encoder, sentences, tmp_path):
    cached = CachedEncoder(encoder, tmp_path / "cache.db")
    save_encoder(cached, tmp_path / "deep" / "e")
    loaded = load_encoder(tmp_path / "deep" / "e")
    assert (type(loaded), loaded.fingerprint) == (TfidfSvdEncoder, encoder.fingerprint)


@pytest.mark.slow
def test_a_sentence_transformer_is_loaded_as_one(tiny_st_folder, tmp_path):
    encoder = SentenceTransformerEncoder(str(tiny_st_folder), prompt="query: ")
    save_encoder(encoder, tmp_path / "e")
    assert load_encoder(tmp_path / "e").fingerprint == encoder.fingerprint


def test_a_saved_encoder_is_no_pickle(encoder, tmp_path):
    save_encoder(encoder, tmp_path / "e")
    assert {path.suffix for path in (tmp_path / "e").rglob("*")} == {".json", ".safetensors"}


def test_an_encoder_is_not_written_over_another(encoder, tmp_path):
    save_encoder(encoder, tmp_path / "e")
    with pytest.raises(FileExistsError):
        save_encoder(encoder, tmp_path / "e")


def test_a_missing_folder_holds_no_encoder(tmp_path):
    with pytest.raises(ModelError, match="gone holds no encoder"):
        load_encoder(tmp_path / "gone")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", "\udcff"])
def test_a_damaged_description_holds_no_encoder(tmp_path, content):
    (tmp_path / "encoder.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError, match="holds no encoder"):
        load_encoder(tmp_path)


def test_an_unknown_kind_is_refused_with_the_nearest_name(tmp_path):
    (tmp_path / "encoder.json").write_text(json.dumps({"kind": "tfidf_svd"}), encoding="utf-8")
    with pytest.raises(ModelError, match="unknown kind of encoder 'tfidf_svd'; did you mean 'tfidf-svd'"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("kind", [["tfidf-svd"], {"tfidf-svd": 1}, 1, None])
def test_a_kind_that_is_no_name_is_refused(tmp_path, kind):
    (tmp_path / "encoder.json").write_text(json.dumps({"kind": kind}), encoding="utf-8")
    with pytest.raises(ModelError):
        load_encoder(tmp_path)


@pytest.mark.parametrize("name", ["terms.json", "terms.safetensors", "projection.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "cut off", "of another form"])
def test_a_folder_with_a_damaged_file_is_refused(encoder, tmp_path, name, damage):
    save_encoder(encoder, tmp_path / "e")
    file = tmp_path / "e" / name
    if damage == "missing":
        file.unlink()
    elif damage == "cut off":
        file.write_bytes(file.read_bytes()[:20])
    else:
        file.write_bytes(b"{}" if file.suffix == ".json" else b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(ModelError, match=str(tmp_path / "e")):
        load_encoder(tmp_path / "e")


def test_an_encoder_of_no_known_kind_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ModelError, match="DigestEncoder"):
        save_encoder(DigestEncoder(), tmp_path / "e")
    assert not (tmp_path / "e").exists()
