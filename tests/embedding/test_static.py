"""The shipped encoder: what it gives, without torch, the same as sentence-transformers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tppo.embedding import StaticEncoder, load_encoder, save_encoder
from tppo.embedding.static import shipped_folder
from tppo.errors import ModelError

REPO = Path(__file__).parents[2]
REFERENCE = Tokenizer.from_file(str(shipped_folder() / "tokenizer.json"))
ODD = ["", "   ", "😀 zxqv", "Rp1.500.000,- (satu setengah juta)", "“Korban” — ujarnya…", "é ü ñ", "12345", "a" * 60]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return StaticEncoder()


def test_vectors_have_unit_length_or_are_zero(encoder, sentences):
    lengths = np.linalg.norm(encoder.encode([*sentences, ""]), axis=1)
    np.testing.assert_allclose(lengths, [1] * 8 + [0], atol=1e-5)


def test_related_sentences_are_nearer_than_others(encoder):
    a, b, c = encoder.encode(["Polisi menangkap penjual ginjal.", "Makelar organ ditahan.", "Harga cabai naik."])
    assert a @ b > a @ c + 0.1


def test_a_text_has_the_same_vector_in_any_batch(encoder, sentences):
    alone = np.concatenate([encoder.encode([text]) for text in sentences])
    np.testing.assert_array_equal(encoder.encode(sentences * 100)[:8], alone)


@given(st.text(max_size=60) | st.text(alphabet="aZ9 .,-'“”—…•é\x00\n\x7f[UNK]", max_size=60))
def test_remembered_words_have_the_ids_the_tokenizer_gives(encoder, text):
    tokens = encoder.tokenize([text, "Polisi menangkap"])
    expected = REFERENCE.encode(text, add_special_tokens=False).ids
    assert tokens.ids[: tokens.lengths[0]].tolist() == expected


def test_no_texts_give_a_matrix_without_rows(encoder):
    assert encoder.encode([]).shape == (0, 256)


def test_tokens_are_counted(encoder):
    assert encoder.count_tokens(["", "polisi menangkap"]).tolist() == [0, 2]


@pytest.mark.slow
def test_vectors_equal_those_of_sentence_transformers(encoder, sentences):
    from sentence_transformers import SentenceTransformer

    texts = [*sentences, *ODD, " ".join(sentences * 40)]
    reference = SentenceTransformer(str(shipped_folder()), device="cpu").encode(texts)
    np.testing.assert_allclose(encoder.encode(texts), reference, atol=1e-5)


def test_encoding_imports_no_torch():
    code = (
        "import sys; from tppo.embedding import StaticEncoder; StaticEncoder().encode(['Polisi.']); "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_shipped_weights_are_at_most_12_mb():
    assert sum(path.stat().st_size for path in shipped_folder().rglob("*")) <= 12_000_000


def test_a_saved_model_names_the_shipped_encoder_and_checks_it(encoder, tmp_path):
    save_encoder(encoder, tmp_path / "e")
    assert load_encoder(tmp_path / "e").fingerprint == encoder.fingerprint
    state = tmp_path / "e" / "static.json"
    state.write_text(state.read_text(encoding="utf-8").replace(encoder.fingerprint, "0" * 16), encoding="utf-8")
    with pytest.raises(
        ModelError, match=f"static encoder {'0' * 16}, this version of tppo ships {encoder.fingerprint}"
    ):
        load_encoder(tmp_path / "e")


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds no static encoder"):
        StaticEncoder(tmp_path)


@pytest.mark.slow
def test_the_wheel_holds_the_weights(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", str(REPO), "--no-deps", "--wheel-dir", str(tmp_path), "--quiet"]
    subprocess.run([*command, "--disable-pip-version-check"], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist() if "static_id" in item.filename}
        assert (
            archive.read("tppo/embedding/static_id/model.safetensors")
            == (shipped_folder() / "model.safetensors").read_bytes()
        )
    assert sum(sizes.values()) <= 12_000_000
