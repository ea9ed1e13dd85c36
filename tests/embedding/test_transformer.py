"""Any sentence-transformers model, here a tiny random one: what is read, what is refused, what tells two apart."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tppo.embedding import SentenceTransformerEncoder, cut_windows, load_encoder, save_encoder
from tppo.errors import ModelError

pytestmark = pytest.mark.slow  # importing torch and sentence-transformers alone takes seconds

HARMFUL = "pickled code"


@pytest.fixture
def encoder(tiny_st_folder: Path) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(str(tiny_st_folder))


@pytest.fixture
def changed(tiny_st_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy the tiny model, replace text in one of its files, and return the copy."""

    def change(name: str | None = None, old: str = "", new: str = "") -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(tiny_st_folder, folder)
        if name is not None:
            content = (folder / name).read_text(encoding="utf-8")
            assert old in content
            (folder / name).write_text(content.replace(old, new), encoding="utf-8")
        return folder

    return change


@pytest.fixture(scope="module")
def with_dense(tiny_st_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a dense layer to four dimensions after the pooling."""
    from sentence_transformers import SentenceTransformer

    try:
        from sentence_transformers.sentence_transformer.modules import Dense
    except ImportError:  # before version 6
        from sentence_transformers.models import Dense
    folder = tmp_path_factory.mktemp("dense")
    tiny = SentenceTransformer(str(tiny_st_folder), device="cpu")
    SentenceTransformer(modules=[*tiny, Dense(32, 4)], device="cpu").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def static_folder(tiny_st_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static model: the tiny model's tokenizer and one random matrix of width 8."""
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    try:
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    except ImportError:  # before version 6
        from sentence_transformers.models import StaticEmbedding
    tokenizer = Tokenizer.from_file(str(tiny_st_folder / "tokenizer.json"))
    weights = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), 8)).astype(np.float32)
    folder = tmp_path_factory.mktemp("static")
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder


# Vectors


def test_vectors_have_the_width_of_the_model(encoder, sentences):
    vectors = encoder.encode(sentences)
    assert (vectors.shape, vectors.dtype) == ((8, 32), np.float32)


def test_vectors_have_unit_length(encoder, sentences):
    np.testing.assert_allclose(np.linalg.norm(encoder.encode([*sentences, ""]), axis=1), 1, atol=1e-5)


def test_two_encoders_of_one_folder_give_the_same_vectors(encoder, tiny_st_folder, sentences):
    assert (SentenceTransformerEncoder(str(tiny_st_folder)).encode(sentences) == encoder.encode(sentences)).all()


def test_the_batch_size_does_not_matter(encoder, tiny_st_folder, sentences):
    one_by_one = SentenceTransformerEncoder(str(tiny_st_folder), batch_size=1).encode(sentences)
    np.testing.assert_allclose(one_by_one, encoder.encode(sentences), atol=1e-6)


def test_a_prompt_stands_before_every_text(encoder, tiny_st_folder, sentences):
    prompted = SentenceTransformerEncoder(str(tiny_st_folder), prompt="korban ").encode(sentences)
    by_hand = encoder.encode([f"korban {text}" for text in sentences])
    np.testing.assert_allclose(prompted, by_hand, atol=1e-6)


def test_nothing_stands_before_a_text_unless_asked_for(encoder, changed, sentences):
    folder = changed(
        "config_sentence_transformers.json", '"default_prompt_name": null', '"default_prompt_name": "query"'
    )
    path = folder / "config_sentence_transformers.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"query": ""', '"query": "korban "'), encoding="utf-8")
    found = SentenceTransformerEncoder(str(folder)).encode(sentences)
    np.testing.assert_allclose(found, encoder.encode(sentences), atol=1e-6)


def test_no_texts_give_a_matrix_without_rows(encoder):
    assert encoder.encode([]).shape == (0, 32)


# Tokens


def test_tokens_are_counted_without_truncation(encoder):
    assert encoder.count_tokens(["polisi " * 200]).tolist() == [200]


def test_special_tokens_are_not_counted(encoder):
    assert encoder.count_tokens(["", "polisi menangkap perekrut"]).tolist() == [0, 3]


def test_no_texts_have_no_tokens(encoder):
    assert encoder.count_tokens([]).shape == (0,)


def test_the_longest_text_leaves_room_for_the_special_tokens(encoder):
    assert encoder.max_tokens == 62


def test_the_longest_text_leaves_room_for_the_prompt(tiny_st_folder):
    assert SentenceTransformerEncoder(str(tiny_st_folder), prompt="polisi korban ").max_tokens == 60


def test_the_longest_text_can_be_set_lower(tiny_st_folder):
    assert SentenceTransformerEncoder(str(tiny_st_folder), max_tokens=16).max_tokens == 14


def test_a_text_of_the_longest_length_is_read_to_its_end(encoder):
    whole = "polisi " * (encoder.max_tokens - 1)
    assert not np.allclose(encoder.encode([whole + "polisi"]), encoder.encode([whole + "korban"]), atol=1e-6)


def test_windows_of_a_long_article_fit_the_model(encoder, sentences):
    windows = cut_windows([" ".join(sentences * 5) + " polisi" * 300], encoder, max_sentences=20)
    assert encoder.count_tokens(windows.texts).max() <= encoder.max_tokens


def test_more_tokens_than_the_model_has_positions_are_refused(tiny_st_folder):
    with pytest.raises(ModelError, match="500"):
        SentenceTransformerEncoder(str(tiny_st_folder), max_tokens=500).encode(["polisi " * 400])


# Fingerprints


def test_two_encoders_of_one_folder_have_one_fingerprint(encoder, tiny_st_folder):
    assert SentenceTransformerEncoder(str(tiny_st_folder)).fingerprint == encoder.fingerprint


def test_a_copy_elsewhere_has_the_same_fingerprint(encoder, changed):
    assert SentenceTransformerEncoder(str(changed())).fingerprint == encoder.fingerprint


@pytest.mark.parametrize("option", [{"prompt": "query: "}, {"max_tokens": 16}])
def test_an_option_that_changes_vectors_changes_the_fingerprint(encoder, tiny_st_folder, option):
    assert SentenceTransformerEncoder(str(tiny_st_folder), **option).fingerprint != encoder.fingerprint


def test_an_option_that_changes_no_vectors_keeps_the_fingerprint(encoder, tiny_st_folder):
    assert SentenceTransformerEncoder(str(tiny_st_folder), batch_size=2).fingerprint == encoder.fingerprint


def test_other_weights_have_another_fingerprint(encoder, changed):
    from safetensors.torch import load_file, save_file

    path = changed() / "model.safetensors"
    weights = load_file(path)
    weights["embeddings.word_embeddings.weight"][0, 0] += 1
    save_file(weights, path, metadata={"format": "pt"})
    assert SentenceTransformerEncoder(str(path.parent)).fingerprint != encoder.fingerprint


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("1_Pooling/config.json", '"mean"', '"cls"'),
        ("tokenizer_config.json", '"model_max_length": 64', '"model_max_length": 8'),
        ("tokenizer.json", '"lowercase": true', '"lowercase": false'),
    ],
    ids=["pooling", "longest text", "tokenizer"],
)
def test_a_configuration_that_changes_vectors_changes_the_fingerprint(encoder, changed, name, old, new):
    other = SentenceTransformerEncoder(str(changed(name, old, new)))
    text = ["Polisi menangkap perekrut pekerja migran. Korban dipulangkan dari Kamboja."]
    assert not np.allclose(other.encode(text), encoder.encode(text), atol=1e-4)
    assert other.fingerprint != encoder.fingerprint


# Saved and loaded


def test_a_loaded_encoder_gives_the_same_vectors_from_any_place(tiny_st_folder, sentences, tmp_path):
    encoder = SentenceTransformerEncoder(str(tiny_st_folder), prompt="query: ", max_tokens=20)
    (tmp_path / "here").mkdir()
    encoder.save(tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    loaded = SentenceTransformerEncoder.load(tmp_path / "there")
    assert (loaded.encode(sentences) == encoder.encode(sentences)).all()
    assert loaded.fingerprint == encoder.fingerprint


def test_pickles_and_code_beside_a_model_are_not_saved(changed, tmp_path):
    folder = changed()
    for name in ("pytorch_model.bin", "modeling.py", "old.pkl", "1_Pooling/x.pt"):
        (folder / name).write_text(HARMFUL)
    (tmp_path / "saved").mkdir()
    SentenceTransformerEncoder(str(folder)).save(tmp_path / "saved")
    assert {path.suffix for path in (tmp_path / "saved").rglob("*") if path.is_file()} <= {
        ".json",
        ".md",
        ".safetensors",
    }


def test_a_saved_model_that_was_exchanged_is_refused_with_both_fingerprints(encoder, tmp_path):
    from safetensors.torch import load_file, save_file

    encoder.save(tmp_path)
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    weights["embeddings.word_embeddings.weight"][0, 0] += 1
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=f"expected fingerprint {encoder.fingerprint}, got [0-9a-f]{{16}}"):
        SentenceTransformerEncoder.load(tmp_path)


# Refused


def test_a_missing_folder_is_named():
    with pytest.raises(ModelError, match="no such folder of a sentence-transformers model: /not/there"):
        SentenceTransformerEncoder("/not/there").encode(["a"])


def test_a_hub_model_without_a_connection_is_named_with_the_remedy():
    with pytest.raises(ModelError, match=r"'organisasi/tidak-ada' \(a hub model must be downloaded once"):
        SentenceTransformerEncoder("organisasi/tidak-ada").encode(["a"])


def test_a_folder_without_modules_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"no modules\.json"):
        SentenceTransformerEncoder(str(tmp_path)).encode(["a"])


@pytest.mark.parametrize("pickled", [[], ["pytorch_model.bin"]])
def test_a_folder_without_safetensors_is_refused(changed, pickled):
    folder = changed()
    (folder / "model.safetensors").unlink()
    for name in pickled:
        (folder / name).write_text(HARMFUL)
    with pytest.raises(ModelError, match="holds no safetensors weights"):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


def test_safetensors_elsewhere_in_the_folder_do_not_let_a_pickled_model_in(changed):
    folder = changed()
    shutil.move(folder / "model.safetensors", folder / "1_Pooling" / "model.safetensors")
    (folder / "pytorch_model.bin").write_text(HARMFUL)
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


def test_a_pickled_dense_layer_is_refused(with_dense, tmp_path):
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(with_dense, folder)
    (weights,) = folder.glob("2_Dense/*.safetensors")
    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


def test_a_dense_layer_in_safetensors_is_read(with_dense):
    assert SentenceTransformerEncoder(str(with_dense)).encode(["a"]).shape == (1, 4)


def test_a_model_that_names_foreign_code_is_refused_by_name(changed):
    folder = changed("modules.json", "sentence_transformers.sentence_transformer", "jahat.modul")
    with pytest.raises(ModelError, match=r"asks for code outside sentence-transformers, .*: jahat\.modul"):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


def test_foreign_code_in_the_folder_is_not_run(changed, tmp_path):
    folder = changed("modules.json", "sentence_transformers.base.modules.transformer.Transformer", "modeling.Custom")
    (folder / "modeling.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')")
    with pytest.raises(ModelError):
        SentenceTransformerEncoder(str(folder)).encode(["a"])
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"path": ""}]', '[{"type": 1}]'])
def test_a_damaged_list_of_modules_is_refused(changed, content):
    folder = changed()
    (folder / "modules.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"modules\.json is damaged"):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "1_Pooling/config.json", "tokenizer.json"])
def test_a_damaged_file_of_a_model_is_refused(changed, name):
    folder = changed()
    (folder / name).write_bytes(b"{")
    with pytest.raises(ModelError, match="cannot load sentence-transformers model"):
        SentenceTransformerEncoder(str(folder)).encode(["a"])


@pytest.mark.parametrize("content", [None, "", "{}", json.dumps({"fingerprint": "a", "model": "model", "x": 1})])
def test_a_folder_with_damaged_settings_is_refused(encoder, tmp_path, content):
    save_encoder(encoder, tmp_path / "e")
    path = tmp_path / "e" / "sentence_transformer.json"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=str(tmp_path / "e")):
        load_encoder(tmp_path / "e")


# Static models, the format of the shipped encoder


def test_a_static_model_reads_any_length(static_folder):
    assert SentenceTransformerEncoder(str(static_folder)).max_tokens is None


def test_tokens_of_a_static_model_are_counted_without_special_ones(static_folder):
    encoder = SentenceTransformerEncoder(str(static_folder))
    assert encoder.count_tokens(["", "polisi menangkap", "polisi " * 900]).tolist() == [0, 2, 900]


def test_vectors_of_a_static_model_have_unit_length_or_are_zero(static_folder, sentences):
    lengths = np.linalg.norm(SentenceTransformerEncoder(str(static_folder)).encode([*sentences, ""]), axis=1)
    np.testing.assert_allclose(lengths, [1] * 8 + [0], atol=1e-5)


def test_a_static_model_is_saved_and_loaded(static_folder, sentences, tmp_path):
    encoder = SentenceTransformerEncoder(str(static_folder))
    encoder.save(tmp_path)
    assert (SentenceTransformerEncoder.load(tmp_path).encode(sentences) == encoder.encode(sentences)).all()
