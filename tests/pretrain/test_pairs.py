"""What counts as a pair, and what is mined from articles."""

import json
from pathlib import Path

import pytest

from tppo.errors import DataError
from tppo.pretrain import read_sources


def pair_file(folder: Path, *rows: dict, name: str = "pairs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_label_says_whether_two_texts_belong_together(tmp_path):
    rows = [{"a": "a", "b": "b", "label": label} for label in ("entailment", "neutral", 1)]
    rows += [{"a": "c", "b": "d"}, {"a": "a", "b": "z", "label": 0}]
    found = read_sources([pair_file(tmp_path, *rows)])
    assert found.pairs == [("a", "b"), ("c", "d")]
    assert found.negatives == {"a": "z"}
    assert found.texts == ["a", "b", "c", "d", "z"]


def test_an_unknown_label_is_refused_with_its_place(tmp_path):
    path = pair_file(tmp_path, {"a": "a", "b": "b", "label": "mungkin"})
    with pytest.raises(DataError, match=r"pairs\.jsonl:1: unknown label 'mungkin'; expected none, or one of 0, 1"):
        read_sources([path])


@pytest.mark.parametrize("line", ["{", "[1]", '{"a": "x"}', '{"a": 1, "b": "x"}'])
def test_a_row_that_is_no_pair_is_refused_with_its_place(tmp_path, line):
    path = tmp_path / "pairs.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"pairs\.jsonl:1: "):
        read_sources([path])


def test_pairs_in_another_format_are_refused(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"\.jsonl or \.jsonl\.gz, got .*pairs\.csv"):
        read_sources([path])


def test_the_english_side_of_translations_is_no_indonesian_text(tmp_path):
    found = read_sources([pair_file(tmp_path, {"a": "Selamat pagi.", "b": "Good morning."}, name="en-id-x.jsonl")])
    assert (found.parallel, found.texts, found.pairs) == ([("Selamat pagi.", "Good morning.")], ["Selamat pagi."], [])


def test_what_is_measured_on_is_never_trained_on(tmp_path):
    pair_file(tmp_path, {"a": "Kapal itu.", "b": "Perahu itu.", "label": 4.5}, name="stsb-x.jsonl")
    pair_file(tmp_path, {"a": "Kapal itu.", "b": "Rumah."}, {"a": "Satu.", "b": "Dua."})
    found = read_sources([tmp_path])
    assert found.scored == [("Kapal itu.", "Perahu itu.", 4.5)]
    assert (found.pairs, found.texts) == ([("Satu.", "Dua.")], ["Rumah.", "Satu.", "Dua."])


def test_articles_give_title_and_beginning_and_neighbouring_sentences(tmp_path):
    path = pair_file(tmp_path, {"title": "Judul", "text": "Satu. Dua. Tiga."}, name="articles.jsonl")
    found = read_sources([], [path])
    assert found.pairs == [("Satu.", "Dua."), ("Dua.", "Tiga."), ("Judul", "Satu. Dua. Tiga.")]


def test_a_lone_sentence_of_a_corpus_gives_a_text_and_no_pair(tmp_path):
    found = read_sources([], [pair_file(tmp_path, {"text": "Satu. Dua."})])
    assert (found.texts, found.pairs) == (["Satu. Dua."], [])


def test_no_text_at_all_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no Indonesian text to learn from in no files"):
        read_sources()


def test_files_are_recorded_by_digest(tmp_path):
    found = read_sources([pair_file(tmp_path, {"a": "a", "b": "b"})])
    assert list(found.files) == ["pairs.jsonl"]
    assert len(found.files["pairs.jsonl"]) == 64
