"""Copies, samples, drift, long lines and safe CSV: what a labelling job does besides labelling."""

import csv
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from small_corpus import articles, texts, write_jsonl
from tppo.classify import ModusModel
from tppo.classify.reference import Reference, stability_index
from tppo.labelling import LabelOptions, LabelSummary, label_files
from tppo.labelling.copies import marks_of, same_text
from tppo.labelling.report import drift_of, metrics_of

LONG = " ".join(texts(articles(8)))


def job(rows: list[dict[str, Any]], folder: Path, model: Any, **options: Any) -> tuple[LabelSummary, list[Any]]:
    source = write_jsonl(folder / "in.jsonl", rows)
    summary = label_files([source], folder / "out", model, model_name="m", options=LabelOptions(**options), fresh=True)
    parts = [folder / "out" / part for part in summary.parts if part.endswith(".parquet")]
    return summary, [row for part in parts for row in pq.read_table(part).to_pylist()]


def copies_of(text: str) -> list[dict[str, Any]]:
    """A text, the same with a page's furniture, the same with two words more, and another."""
    words = text.split(" ")
    changed = " ".join([*words[:40], "kemarin", "malam", *words[40:]])
    return [
        {"id": "first", "text": text},
        {"id": "other", "text": " ".join(reversed(words))},
        {"id": "same", "text": text},
        {"id": "page", "text": f"Penulis : Redaksi\n\n{text}\n\nEditor: Rina"},
        {"id": "changed", "text": changed},
    ]


def test_copies_are_marked_with_the_first_of_their_story(model: ModusModel, tmp_path: Path) -> None:
    summary, rows = job(copies_of(LONG), tmp_path, model)
    assert [row["group"] for row in rows] == ["first", "other", "first", "first", "first"]
    assert summary.copies == 3


def test_a_given_group_is_kept_and_passed_on_to_copies(model: ModusModel, tmp_path: Path) -> None:
    rows = copies_of(LONG)
    rows[0]["group"], rows[3]["group"] = "story", "own"
    assert [row["group"] for row in job(rows, tmp_path, model)[1]] == ["story", "other", "story", "own", "story"]


def test_copies_are_not_looked_for_when_ignored(model: ModusModel, tmp_path: Path) -> None:
    summary, rows = job(copies_of(LONG), tmp_path, model, copies="ignore")
    assert [row["group"] for row in rows] == [None] * 5
    assert summary.copies == 0


def test_copies_share_the_labels_of_the_first_and_quote_themselves(model: ModusModel, tmp_path: Path) -> None:
    source = copies_of(LONG)
    _, rows = job(source, tmp_path, model, copies="share", batch_size=2)
    first = rows[0]
    for row in (rows[2], rows[3], rows[4]):
        assert {k: v for k, v in row.items() if k.startswith(("p_", "decision_", "modus"))} == {
            k: v for k, v in first.items() if k.startswith(("p_", "decision_", "modus"))
        }
    assert [row["id"] for row in rows] == [row["id"] for row in source]
    for row, given in zip(rows, source):
        assert all(given["text"][e["start"] : e["end"]] == e["text"] for e in row["evidence"])


def test_a_text_that_comes_again_to_the_letter_is_labelled_once(model: ModusModel, tmp_path: Path) -> None:
    class Counting:
        keys, domain, reference, clean = model.keys, model.domain, model.reference, model.clean
        read_texts: tuple[str, ...] = ()

        def read(self, given: list[str], **more: Any) -> Any:
            self.read_texts += tuple(given)
            return model.read(given, **more)

    counting = Counting()
    summary, rows = job([{"id": f"a{n}", "text": LONG} for n in range(5)], tmp_path, counting, copies="share")
    assert (len(counting.read_texts), len(rows), summary.copies) == (1, 5, 4)


@pytest.mark.parametrize("copies", ["mark", "share"])
def test_copies_of_earlier_parts_are_known_after_a_stop(copies: str, model: ModusModel, tmp_path: Path) -> None:
    rows = [{**row, "id": f"{row['id']}-{n}"} for n in range(4) for row in copies_of(LONG)]
    whole = job(rows, tmp_path, model, copies=copies, rows_per_part=5, batch_size=2)
    (tmp_path / "out" / "manifest.json").unlink()

    class Breaking:
        keys, domain, reference, clean = model.keys, model.domain, model.reference, model.clean
        left = 5

        def read(self, *given: Any, **more: Any) -> Any:
            self.left -= 1
            if not self.left:
                raise RuntimeError("power cut")
            return model.read(*given, **more)

    options = LabelOptions(copies=copies, rows_per_part=5, batch_size=2)
    with pytest.raises(RuntimeError):
        label_files([tmp_path / "in.jsonl"], tmp_path / "b", Breaking(), model_name="m", options=options)
    summary = label_files([tmp_path / "in.jsonl"], tmp_path / "b", model, model_name="m", options=options)
    assert summary == whole[0]
    assert [r for part in summary.parts for r in pq.read_table(tmp_path / "b" / part).to_pylist()] == whole[1]


def test_marks_tell_copies_from_articles_on_the_same_subject() -> None:
    draw = random.Random(0)
    words = LONG.split()
    near = [word for word in words if draw.random() > 0.01]
    far = draw.sample(words, len(words))
    marks = marks_of([LONG, LONG.upper(), " ".join(near), " ".join(far), "", "pendek saja"])
    assert marks.keys[0] == marks.keys[1]
    assert set(marks.keys[0]) & set(marks.keys[2])
    assert same_text(marks.signatures[0], marks.signatures[2])
    assert not same_text(marks.signatures[0], marks.signatures[3])
    assert marks.keys[4] == ()
    assert len(marks.keys[5]) == 1


def test_a_sample_is_drawn_evenly_and_always_the_same(model: ModusModel, tmp_path: Path) -> None:
    rows = [{"id": f"r{n:03d}", "text": f"Warga nomor {n} bergotong royong."} for n in range(300)]
    summary, found = job(rows, tmp_path, model, sample=30)
    ids = [row["id"] for row in found]
    assert (summary.articles, len(ids), sorted(ids)) == (30, 30, ids)
    assert [row["id"] for row in job(rows, tmp_path, model, sample=30)[1]] == ids
    assert 3 <= sum(identifier < "r100" for identifier in ids) <= 17


def test_a_sample_larger_than_the_input_is_all_of_it(model: ModusModel, tmp_path: Path) -> None:
    assert len(job(articles(20), tmp_path, model, sample=100)[1]) == 20


def test_articles_like_those_of_training_have_not_drifted(model: ModusModel, tmp_path: Path) -> None:
    summary, _ = job(articles(600, seed=3), tmp_path, model)
    drift = drift_of(summary, model)
    assert drift is not None
    assert drift.outside == 0
    assert drift.new_words < 0.2
    other, _ = job([{"id": str(n), "text": f"Minyak mentah melemah {n}."} for n in range(600)], tmp_path, model)
    assert all(
        drift.scores[key] < stability_index(model.reference.shares[key], other.scores[key]) for key in model.keys
    )


def test_other_articles_have_drifted(model: ModusModel, tmp_path: Path) -> None:
    sentence = "Minyak mentah melemah seiring pasokan global bertambah menurut analis komoditas."
    rows = [{"id": str(n), "text": f"{sentence} Laporan {n}."} for n in range(300)]
    summary, _ = job(rows, tmp_path, model)
    drift = drift_of(summary, model)
    assert drift is not None
    assert (drift.outside, min(drift.scores.values()) > 0.25) == (1, True)
    assert drift.new_words > 0.5
    metrics = metrics_of(summary, drift, model.keys)
    assert metrics["drift/outside"] == 1
    assert metrics["label/articles"] == 300


def test_the_stability_index_is_zero_for_equal_shares_and_grows_with_the_difference() -> None:
    assert stability_index([0.25, 0.75], [2500, 7500]) == pytest.approx(0, abs=1e-6)
    # (0.5 - 0.25) * log(0.5 / 0.25) + (0.5 - 0.75) * log(0.5 / 0.75)
    assert stability_index([0.25, 0.75], [50_000, 50_000]) == pytest.approx(0.25 * math.log(3), abs=1e-3)
    assert math.isnan(stability_index([0.5, 0.5], [0, 0]))


def test_the_reference_has_its_own_articles_in_bins_of_like_size(tmp_path: Path) -> None:
    probabilities = np.random.default_rng(0).uniform(size=(1000, 2))
    reference = Reference.of(probabilities, ["a", "b"])
    assert reference.histogram("a", probabilities[:, 0]) == [100] * 10
    reference.save(tmp_path / "reference.json")
    assert Reference.load(tmp_path / "reference.json") == reference


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "＝", " =", "a;=", "a, -", "a|@"])
def test_no_csv_cell_is_a_formula_wherever_a_spreadsheet_splits_it(
    lead: str, model: ModusModel, tmp_path: Path
) -> None:
    row = {**articles(1)[0], "id": f"{lead}1+1", "group": f"x;{lead}cmd"}
    row["text"] = row["text"].replace("Tekong", "Tekong;=1+1").replace(" - ", f" ; {lead}2 ")
    job([row], tmp_path, model, format="csv")
    data = (tmp_path / "out" / "part-00000.csv").read_text(encoding="utf-8")
    for separator in ",;\t|":
        for quote in ('"', None):
            reader = csv.reader(data.splitlines(), delimiter=separator, quotechar=quote, quoting=0 if quote else 3)
            cells = [cell.strip().strip('"') for line in reader for cell in line]
            assert [c for c in cells if c.startswith(("=", "+", "-", "@", "＝", "\t"))] == []


def test_evidence_in_csv_means_what_it_means_elsewhere(model: ModusModel, tmp_path: Path) -> None:
    row = {**articles(1)[0]}
    row["text"] = row["text"].replace(".", "; -2 kali.")
    _, (expected,) = job([row], tmp_path, model)
    job([row], tmp_path, model, format="csv")
    with (tmp_path / "out" / "part-00000.csv").open(encoding="utf-8", newline="") as stream:
        (found,) = csv.DictReader(stream)
    assert json.loads(found["evidence"]) == expected["evidence"]


def test_a_byte_order_mark_begins_csv_only_when_asked_for(model: ModusModel, tmp_path: Path) -> None:
    for bom in (True, False):
        job(articles(2), tmp_path, model, format="csv", bom=bom)
        data = (tmp_path / "out" / "part-00000.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbfid," if bom else b"id,")


def test_an_input_that_changes_meanwhile_is_noticed(model: ModusModel, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", articles(20))

    class Meddling:
        keys, domain, reference, clean = model.keys, model.domain, model.reference, model.clean

        def read(self, *given: Any, **more: Any) -> Any:
            write_jsonl(source, articles(21))
            return model.read(*given, **more)

    with pytest.raises(Exception, match="was changed while it was labelled"):
        label_files([source], tmp_path / "out", Meddling(), model_name="m")


def test_touching_an_input_does_not_make_it_another(model: ModusModel, tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", articles(20))
    first = label_files([source], tmp_path / "out", model, model_name="m")
    source.touch()
    assert label_files([source], tmp_path / "out", model, model_name="m") == first


@pytest.mark.slow
def test_a_line_of_200_mb_is_quarantined_and_its_neighbours_labelled(model: ModusModel, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    with source.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps({"id": "a", "text": "Satu."}) + '\n{"id": "b", "text": "')
        for _ in range(200):
            stream.write("kata " * (200 * 1024))
        stream.write('"}\n' + json.dumps({"id": "c", "text": "Tiga."}) + "\n")
    summary = label_files([source], tmp_path / "out", model, model_name="m")
    assert (summary.labelled, summary.reasons) == (2, {"line is too long": 1})
