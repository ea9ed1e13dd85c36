"""From pairs to an encoder's folder."""

import json
from pathlib import Path

import numpy as np
import pytest

from tppo.embedding import SentenceTransformerEncoder, StaticEncoder
from tppo.errors import UsageError
from tppo.pretrain import Recipe, find_teacher, pretrain, read_sources

pytestmark = pytest.mark.slow  # imports torch

SMALL = Recipe(
    vocab_size=300, subwords=60, dimension=16, steps=30, batch_size=32, contrastive_batch=32, ppmi_dimension=8
)
SENTENCES = ["Polisi menangkap makelar itu.", "Korban mencari paspor.", ""]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("taught", [True, False], ids=["teacher", "no teacher"])
def test_the_same_sources_give_the_same_bytes(pair_folder, tmp_path, teacher, taught):
    for name in ("one", "two"):
        sources = read_sources([pair_folder])
        pretrain(sources, tmp_path / name, recipe=SMALL, teacher=teacher if taught else None)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("taught", [True, False], ids=["teacher", "no teacher"])
def test_both_readers_of_the_folder_give_the_same_vectors(pair_folder, tmp_path, teacher, taught):
    out = pretrain(read_sources([pair_folder]), tmp_path / "out", recipe=SMALL, teacher=teacher if taught else None)
    found = StaticEncoder(out.folder).encode(SENTENCES)
    assert found.shape == (3, 16)
    np.testing.assert_allclose(found, SentenceTransformerEncoder(str(out.folder)).encode(SENTENCES), atol=1e-5)


def test_training_is_measured_while_it_goes_on(pair_folder, tmp_path, teacher):
    out = pretrain(read_sources([pair_folder]), tmp_path / "out", recipe=SMALL, teacher=teacher)
    assert [step for step, _ in out.history] == [30]
    assert set(out.history[0][1]) == {"train/loss", "eval/spearman"}
    assert out.metrics["eval/spearman"] > 0


def test_without_scored_pairs_some_pairs_are_held_out(pair_folder, tmp_path):
    (pair_folder / "stsb-tiny.jsonl").unlink()
    out = pretrain(read_sources([pair_folder]), tmp_path / "out", recipe=SMALL)
    assert 0 <= out.metrics["eval/accuracy"] <= 1


def test_a_corpus_alone_is_enough(tmp_path):
    articles = tmp_path / "articles.jsonl"
    made = [
        f"Polisi {i % 7} menangkap makelar {i % 5}. Korban {i % 3} pulang ke rumah. Kapal {i} tiba." for i in range(60)
    ]
    articles.write_text(
        "".join(json.dumps({"title": f"Kabar {i}", "text": t}) + "\n" for i, t in enumerate(made)), encoding="utf-8"
    )
    out = pretrain(read_sources([], [articles]), tmp_path / "out", recipe=SMALL)
    assert np.isfinite(StaticEncoder(out.folder).encode(made)).all()


def test_the_card_tells_recipe_and_sources(pair_folder, tmp_path, teacher):
    out = pretrain(read_sources([pair_folder]), tmp_path / "out", recipe=SMALL, teacher=teacher)
    card = json.loads((out.folder / "training.json").read_text(encoding="utf-8"))
    assert card["recipe"]["steps"] == 30
    assert set(card["files"]) == {"tiny.jsonl", "en-id-tiny.jsonl.gz", "stsb-tiny.jsonl"}


def test_a_folder_with_other_things_in_it_is_not_written_to(tmp_path, pair_folder):
    (tmp_path / "thesis.doc").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="--out must be a new folder"):
        pretrain(read_sources([pair_folder]), tmp_path, recipe=SMALL)


@pytest.mark.parametrize("field", ["dimension", "vocab_size", "learning_rate"])
def test_a_recipe_with_a_number_out_of_range_is_refused(field):
    with pytest.raises(UsageError, match=f"{field} must be positive, got 0"):
        Recipe(**{field: 0})


def test_a_teacher_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="got 'nowhere'"):
        find_teacher("nowhere")


def test_no_teacher_can_be_asked_for():
    assert find_teacher("none") is None
