"""Models exported to ONNX or OpenVINO: their weights are files, which must count and must not be lost."""

from pathlib import Path

import pytest

from tppo.config import SentenceTransformerConfig, TrainConfig, compose
from tppo.embedding import SentenceTransformerEncoder

HUB = ("multilingual-e5-small", "multilingual-e5-base", "paraphrase-multilingual-mpnet", "all-indo-e5-small")


class NoTokenizer:
    def get_vocab(self) -> dict:
        return {}


class Loaded(list):
    """What sentence-transformers returns for an exported model: no tensors to look at."""

    max_seq_length = 64
    tokenizer = NoTokenizer()

    def state_dict(self) -> dict:
        return {}


@pytest.fixture
def exported(tmp_path: Path) -> SentenceTransformerEncoder:
    folder = tmp_path / "model"
    (folder / "openvino").mkdir(parents=True)
    for name in ("openvino/m.xml", "openvino/m.bin", "pytorch_model.bin", "modeling.py"):
        (folder / name).write_text(name, encoding="utf-8")
    return loaded(folder)


def loaded(folder: Path, **options: str) -> SentenceTransformerEncoder:
    encoder = SentenceTransformerEncoder(str(folder), backend="openvino", **options)
    encoder.__dict__["_st"] = Loaded()
    return encoder


def test_other_weights_have_another_fingerprint(exported):
    before = exported.fingerprint
    path = Path(exported.model) / "openvino" / "m.bin"
    assert loaded(Path(exported.model)).fingerprint == before
    path.write_text("other", encoding="utf-8")
    assert loaded(Path(exported.model)).fingerprint != before


def test_another_file_of_weights_has_another_fingerprint(exported):
    assert loaded(Path(exported.model), weights="openvino/int8.xml").fingerprint != exported.fingerprint


def test_the_weights_of_openvino_are_saved_and_pickles_are_not(exported, tmp_path):
    (tmp_path / "saved").mkdir()
    exported.save(tmp_path / "saved")
    kept = {path.name for path in (tmp_path / "saved" / "model").rglob("*") if path.is_file()}
    assert kept == {"m.xml", "m.bin"}


@pytest.mark.parametrize("name", HUB)
def test_hub_encoders_read_windows_of_several_sentences(name):
    config = compose("train", [f"embedding={name}"], TrainConfig).embedding
    assert isinstance(config, SentenceTransformerConfig)
    assert config.window.max_sentences > 1
    assert config.prompt == ("query: " if name.startswith("multilingual-e5") else "")
    assert config.revision is None or len(config.revision) == 40
