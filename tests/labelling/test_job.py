"""A labelling job: every row accounted for, in order, whatever the format and however often it is interrupted."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from small_corpus import articles, write_jsonl
from tppo.classify import ModusModel, Readings
from tppo.classify.table import column_names
from tppo.corpus import CleanText
from tppo.errors import DataError, UsageError
from tppo.labelling import LabelOptions, LabelSummary, label_files

GOOD = [f"art-{number:03d}" for number in range(40) if number % 10 != 4]
BAD = [f"bad-{number}" for number in range(4, 40, 10)]


class Breaking:
    """A model that fails at its n-th batch, as a power cut would."""

    def __init__(self, model: ModusModel, at: int) -> None:
        self.model, self.left, self.keys = model, at, model.keys
        self.clean, self.domain, self.reference = model.clean, model.domain, model.reference

    def read(self, texts: Sequence[str], *, clean: Sequence[CleanText] | None = None) -> Readings:
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("power cut")
        return self.model.read(texts, clean=clean)


def job(
    inputs: Path, out: Path, model: Any, *, model_name: str = "m", fresh: bool = False, **more: Any
) -> LabelSummary:
    options = LabelOptions(**{"format": "jsonl", "rows_per_part": 10, "batch_size": 4, **more})
    return label_files([inputs], out, model, model_name=model_name, options=options, fresh=fresh)


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows_of(out: Path) -> list[dict[str, Any]]:
    """The rows of all parts of any format, lists and numbers as such."""
    rows: list[dict[str, Any]] = []
    for part in sorted(out.glob("part-*")):
        if part.suffix == ".parquet":
            rows += pq.read_table(part).to_pylist()
        elif part.suffix == ".jsonl":
            rows += json_lines(part)
        else:
            with part.open(encoding="utf-8", newline="") as stream:
                rows += [{key: typed(key, value) for key, value in row.items()} for row in csv.DictReader(stream)]
    return rows


def typed(key: str, value: str) -> Any:
    if key in ("modus", "evidence"):
        return json.loads(value)
    if key.startswith("p_"):
        return float(value)
    if key.startswith("n_"):
        return int(value)
    return {"": None, "True": True, "False": False}.get(value, value)


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_every_row_is_labelled_or_quarantined(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    summary = job(mixed, tmp_path / "out", model)
    assert (summary.articles, summary.labelled, summary.quarantined) == (40, 36, 4)
    assert [row["id"] for row in rows_of(tmp_path / "out")] == GOOD
    assert [row["id"] for row in json_lines(tmp_path / "out" / "quarantine.jsonl")] == BAD


def test_a_quarantined_row_says_where_it_stood_and_why(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    first = json_lines(tmp_path / "out" / "quarantine.jsonl")[0]
    assert first["source"] == f"{mixed}:5"
    assert first["reason"].startswith("no text")


def test_parts_hold_the_rows_of_equally_long_stretches_of_the_input(
    mixed: Path, model: ModusModel, tmp_path: Path
) -> None:
    summary = job(mixed, tmp_path / "out", model)
    assert summary.parts == [f"part-{n:05d}.jsonl" for n in range(4)]
    assert [len(json_lines(tmp_path / "out" / part)) for part in summary.parts] == [9, 9, 9, 9]


def test_a_row_has_the_columns_of_the_output_contract(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    for row in rows_of(tmp_path / "out"):
        assert list(row) == column_names(model.keys)
        assert row["model"] == "m"
        assert row["error"] is None
        assert row["modus"] == [key for key in model.keys[:-1] if row[f"decision_{key}"] == "yes"]
        assert row["tppo"] == (row["decision_tppo"] == "yes")
        assert all(0 <= row[f"p_{key}"] <= 1 for key in model.keys)
        assert all(row[f"decision_{key}"] in ("no", "review", "yes") for key in model.keys)


def test_evidence_offsets_point_into_the_input_text(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    originals = {row["id"]: row["text"] for row in json_lines(mixed)}
    quotes = [(originals[row["id"]], e) for row in rows_of(tmp_path / "out") for e in row["evidence"]]
    assert quotes
    assert all(text[e["start"] : e["end"]] == e["text"] for text, e in quotes)


def test_groups_are_passed_on(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    groups = [row["group"] for row in rows_of(tmp_path / "out")]
    assert groups[:5] == ["story-0", "story-0", "story-1", "story-1", "story-2"]


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_all_formats_hold_the_same_rows(format: str, mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "jsonl", model)
    job(mixed, tmp_path / format, model, format=format)
    assert rows_of(tmp_path / format) == rows_of(tmp_path / "jsonl")


def test_the_batch_size_changes_no_row(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "small", model, batch_size=1)
    job(mixed, tmp_path / "large", model, batch_size=100)
    for one, two in zip(rows_of(tmp_path / "small"), rows_of(tmp_path / "large"), strict=True):
        for key in one:
            assert one[key] == (pytest.approx(two[key], abs=2e-6) if key.startswith("p_") else two[key])


def test_the_manifest_tells_settings_and_counts(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    summary = job(mixed, tmp_path / "out", model)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["model"] == "m"
    assert manifest["settings"]["inputs"][0][0] == str(mixed)
    assert LabelSummary(**manifest["summary"]) == summary
    assert summary.reasons == {"no text": 4}


def test_the_summary_counts_what_the_rows_say(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    summary = job(mixed, tmp_path / "out", model)
    rows = rows_of(tmp_path / "out")
    for key in model.keys:
        assert summary.modus.get(key, 0) == sum(row[f"decision_{key}"] == "yes" for row in rows)
    assert summary.reviews == sum(any(row[f"decision_{key}"] == "review" for key in model.keys) for row in rows)
    assert summary.n_tokens == sum(row["n_tokens"] for row in rows)


def test_only_the_contract_is_left_in_the_folder(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    summary = job(mixed, tmp_path / "out", model)
    assert set(contents(tmp_path / "out")) == {"manifest.json", "quarantine.jsonl", *summary.parts}


def test_several_inputs_are_labelled_in_the_order_given(model: ModusModel, tmp_path: Path) -> None:
    second = write_jsonl(tmp_path / "a.jsonl", articles(3))
    first = write_jsonl(tmp_path / "b.jsonl", [{**row, "id": f"b{i}"} for i, row in enumerate(articles(3))])
    options = LabelOptions(format="jsonl")
    label_files([first, second], tmp_path / "out", model, model_name="m", options=options)
    assert [row["id"] for row in rows_of(tmp_path / "out")] == ["b0", "b1", "b2", "art-000", "art-001", "art-002"]


def test_bad_rows_alone_give_no_parts(model: ModusModel, tmp_path: Path) -> None:
    bad = write_jsonl(tmp_path / "bad.jsonl", [{"id": "1"}, {"id": "2"}])
    summary = job(bad, tmp_path / "out", model)
    assert (summary.labelled, summary.quarantined, summary.parts) == (0, 2, [])


def test_an_empty_file_gives_an_empty_job(model: ModusModel, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    summary = job(tmp_path / "empty.jsonl", tmp_path / "out", model)
    assert (summary.articles, summary.parts) == (0, [])
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("at", [1, 2, 4, 7, 10])
@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_job_taken_up_again_ends_like_one_that_was_not_stopped(
    at: int, format: str, mixed: Path, model: ModusModel, tmp_path: Path
) -> None:
    whole = job(mixed, tmp_path / "whole", model, format=format)
    with pytest.raises(RuntimeError, match="power cut"):
        job(mixed, tmp_path / "stopped", Breaking(model, at), format=format)
    assert not (tmp_path / "stopped" / "manifest.json").exists()
    assert job(mixed, tmp_path / "stopped", model, format=format) == whole
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_job_stopped_again_and_again_still_ends(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    whole = job(mixed, tmp_path / "whole", model)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            job(mixed, tmp_path / "stopped", Breaking(model, 4))
    assert job(mixed, tmp_path / "stopped", model) == whole
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_what_was_labelled_before_the_stop_is_not_labelled_again(
    mixed: Path, model: ModusModel, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError):
        job(mixed, tmp_path / "out", Breaking(model, 4))
    before = {part: part.stat().st_mtime_ns for part in (tmp_path / "out").glob("part-*")}
    assert before
    job(mixed, tmp_path / "out", model)
    assert {part: part.stat().st_mtime_ns for part in before} == before


@pytest.mark.parametrize(
    "leftover", ["a part written but not recorded", "a half-written part", "a torn quarantine row"]
)
def test_a_stop_while_writing_leaves_no_trace(leftover: str, mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "whole", model)
    with pytest.raises(RuntimeError):
        job(mixed, tmp_path / "out", Breaking(model, 4))
    if leftover == "a part written but not recorded":
        (tmp_path / "out" / "part-00001.jsonl").write_text("{}\n", encoding="utf-8")
    elif leftover == "a half-written part":
        (tmp_path / "out" / ".part-00001.jsonl.tmp").write_text("{", encoding="utf-8")
    else:
        with (tmp_path / "out" / "quarantine.jsonl").open("a", encoding="utf-8") as stream:
            stream.write('{"source": "x')
    job(mixed, tmp_path / "out", model)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_finished_job_is_not_run_again(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    done = job(mixed, tmp_path / "out", model)
    before = contents(tmp_path / "out")
    assert job(mixed, tmp_path / "out", Breaking(model, 1)) == done
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("other", "named"),
    [({"model_name": "other"}, "model"), ({"format": "csv"}, "format"), ({"rows_per_part": 7}, "rows_per_part")],
)
@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_of_another_job_is_refused(
    other: dict[str, Any], named: str, finished: bool, mixed: Path, model: ModusModel, tmp_path: Path
) -> None:
    if finished:
        job(mixed, tmp_path / "out", model)
    else:
        with pytest.raises(RuntimeError):
            job(mixed, tmp_path / "out", Breaking(model, 4))
    before = contents(tmp_path / "out")
    with pytest.raises(UsageError, match=rf"different {named}: .* then, .* now\); use --fresh"):
        job(mixed, tmp_path / "out", model, **other)
    assert contents(tmp_path / "out") == before


def test_changed_inputs_are_another_job(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    write_jsonl(mixed, articles(10))
    with pytest.raises(UsageError, match="different inputs"):
        job(mixed, tmp_path / "out", model)


def test_fresh_replaces_another_job(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model, format="csv", rows_per_part=5)
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    job(mixed, tmp_path / "whole", model)
    job(mixed, tmp_path / "out", model, fresh=True)
    left = contents(tmp_path / "out")
    assert left.pop("notes.txt") == b"mine"
    assert left == contents(tmp_path / "whole")


def test_parts_of_unknown_origin_are_refused(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-00000.jsonl").write_text("precious", encoding="utf-8")
    with pytest.raises(UsageError, match="holds parts but no manifest"):
        job(mixed, tmp_path / "out", model)
    assert (tmp_path / "out" / "part-00000.jsonl").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"settings": {}}', '{"settings": {}, "summary": {"x": 1}}'])
def test_a_damaged_record_is_refused(content: str, mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "state.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"state\.json is damaged .*--fresh"):
        job(mixed, tmp_path / "out", model)


def test_a_part_that_was_deleted_is_not_passed_over_in_silence(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    job(mixed, tmp_path / "out", model)
    (tmp_path / "out" / "part-00001.jsonl").unlink()
    with pytest.raises((UsageError, DataError), match="part-00001"):
        job(mixed, tmp_path / "out", model)


@pytest.mark.parametrize("beginning", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_csv_cell_is_a_formula(beginning: str, model: ModusModel, tmp_path: Path) -> None:
    row = {"id": "a", "text": "Polisi menangkap calo.", "group": f"{beginning.strip()}x" if beginning.strip() else "x"}
    rows = [row, {**row, "id": "=HYPERLINK(1)"}]
    job(write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out", model, format="csv", model_name=beginning)
    with (tmp_path / "out" / "part-00000.csv").open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert f"'{beginning}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_text_with_commas_quotes_and_line_breaks_survives_csv(model: ModusModel, tmp_path: Path) -> None:
    row = {
        "id": 'a,"b"\u2028c',
        "text": 'Tekong, katanya "resmi",\nmemberangkatkan pekerja migran ilegal.',
        "group": "x,y",
    }
    job(write_jsonl(tmp_path / "in.jsonl", [row]), tmp_path / "out", model, format="csv")
    (found,) = rows_of(tmp_path / "out")
    assert (found["id"], found["group"]) == (row["id"], row["group"])


def test_a_folder_that_cannot_be_made_is_a_data_error(mixed: Path, model: ModusModel, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="cannot write to"):
            job(mixed, out, model)
