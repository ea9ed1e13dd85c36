"""Ten thousand rows of rubbish between good ones, in every input format: no crash, and no good row lost."""

import csv
import gzip
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from small_corpus import articles
from tppo.classify import ModusModel
from tppo.labelling import LabelOptions, label_files

MUTANTS_PER_FORMAT = 1200
GOOD = [{"id": f"good-{n:05d}", "text": row["text"]} for n, row in enumerate(articles(200))]


def label(paths: Sequence[Path], out: Path, model: ModusModel) -> tuple[set[str], int, int]:
    """Label files and return the ids labelled, and the counts of rows labelled and quarantined on disk."""
    summary = label_files(paths, out, model, model_name="m", options=LabelOptions(max_chars=20_000, rows_per_part=1000))
    tables = [pq.read_table(part, columns=["id"]) for part in sorted(out.glob("part-*"))]
    ids = [identifier for table in tables for identifier in table["id"].to_pylist()]
    quarantined = len((out / "quarantine.jsonl").read_bytes().splitlines())
    assert summary.articles == summary.labelled + summary.quarantined
    assert (summary.labelled, summary.quarantined) == (len(ids), quarantined)
    assert len(set(ids)) == len(ids)
    return set(ids), len(ids), quarantined


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Change, insert, drop or double a few bytes."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(found)) if found else 0
        kind = draw.randrange(4)
        byte = draw.choice([*b'\x00\xff\x80"\\{}[]:,;\t\r\n=', draw.randrange(256)])
        if kind == 0 and found:
            found[place] = byte
        elif kind == 1:
            found.insert(place, byte)
        elif kind == 2 and found:
            del found[place]
        elif kind == 3:
            found[place:place] = found[place : place + draw.randrange(1, 50)]
    return bytes(found)


def json_line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def csv_line(row: dict[str, Any]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerow([row["id"], row["text"]])
    return stream.getvalue().encode()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_mutated_json_lines_cost_no_other_row(suffix: str, model: ModusModel, tmp_path: Path) -> None:
    draw, lines = random.Random(suffix), []
    for number in range(MUTANTS_PER_FORMAT):
        bad = {"id": f"bad-{number}", "text": GOOD[number % len(GOOD)]["text"], "labels": ["scam"], "tppo": True}
        lines.append(mutated(json_line(bad), draw))
        if number % 6 == 0:
            lines.append(json_line(GOOD[number // 6]))
    data = b"\n".join(lines) + b"\n"
    if suffix == ".jsonl.gz":
        data = gzip.compress(data, 1)
    elif suffix == ".jsonl.zst":
        data = zstandard.compress(data)
    (tmp_path / f"in{suffix}").write_bytes(data)
    ids, _, _ = label([tmp_path / f"in{suffix}"], tmp_path / "out", model)
    assert {row["id"] for row in GOOD} <= ids


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_mutated_csv_rows_cost_no_other_row(seed: int, model: ModusModel, tmp_path: Path) -> None:
    draw, lines = random.Random(seed), [b"id,text\r\n"]
    for number in range(MUTANTS_PER_FORMAT):
        bad = {"id": f"bad-{number}", "text": GOOD[number % len(GOOD)]["text"]}
        lines.append(mutated(csv_line(bad).rstrip(), draw) + b"\r\n")
        if number % 6 == 0:
            lines.append(csv_line(GOOD[number // 6]))
    (tmp_path / "in.csv").write_bytes(b"".join(lines))
    ids, _, _ = label([tmp_path / "in.csv"], tmp_path / "out", model)
    assert {row["id"] for row in GOOD} <= ids


@pytest.mark.slow
def test_rubbish_in_parquet_cells_costs_no_other_row(model: ModusModel, tmp_path: Path) -> None:
    draw, texts, ids = random.Random(0), list[bytes](), list[str]()
    for number in range(MUTANTS_PER_FORMAT):
        texts.append(mutated(GOOD[number % len(GOOD)]["text"].encode(), draw))
        ids.append(f"bad-{number}")
        if number % 6 == 0:
            texts.append(GOOD[number // 6]["text"].encode())
            ids.append(GOOD[number // 6]["id"])
    raw = pa.array(texts, pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    pq.write_table(pa.table({"id": ids, "text": text}), tmp_path / "in.parquet", row_group_size=100)
    found, labelled, quarantined = label([tmp_path / "in.parquet"], tmp_path / "out", model)
    assert labelled + quarantined == len(ids)
    assert {row["id"] for row in GOOD} <= found


@pytest.mark.slow
def test_mutated_files_cost_no_other_file(model: ModusModel, tmp_path: Path) -> None:
    """Parquet, gzip, zstandard, text and HTML files with bytes changed anywhere, between good files."""
    draw = random.Random(1)
    table = pa.table({"id": [f"p{n}" for n in range(10)], "text": [row["text"] for row in GOOD[:10]]})
    stream = io.BytesIO()
    pq.write_table(table, stream)
    lines = b"\n".join(json_line({"id": f"z{n}", "text": row["text"]}) for n, row in enumerate(GOOD[:10]))
    text = GOOD[0]["text"]
    originals = {
        ".parquet": stream.getvalue(),
        ".jsonl.gz": gzip.compress(lines),
        ".jsonl.zst": zstandard.compress(lines),
        ".csv": b"id,text\r\n" + b"".join(csv_line(row) for row in GOOD[:3]),
        ".txt": text.encode(),
        ".html": f"<html><body><article><p>{text}</p></article></body></html>".encode(),
    }
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(MUTANTS_PER_FORMAT // 6):
        for suffix, data in originals.items():
            (folder / f"m{number:04d}{suffix}").write_bytes(mutated(data, draw))
        good = {"id": GOOD[number]["id"], "text": f"{GOOD[number]['text']} {number}"}
        (folder / f"m{number:04d}-good.jsonl").write_bytes(json_line(good))
    paths = sorted(folder.iterdir())
    ids, _, _ = label(paths, tmp_path / "out", model)
    assert {row["id"] for row in GOOD} - ids <= {row["id"] for row in GOOD[:3]}  # those stand in the CSV files as well


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.lists(st.one_of(st.text(max_size=8), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
ROWS = st.dictionaries(
    st.sampled_from(["id", "text", "title", "url", "published_at", "labels", "tppo", "group", "evidence", "else"]),
    CELLS,
    max_size=8,
)


@pytest.mark.slow
@settings(
    max_examples=60,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROWS, min_size=20, max_size=60), seed=st.integers(0, 2**32))
def test_rows_of_any_values_cost_no_other_row(
    rows: list[dict[str, Any]], seed: int, model: ModusModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    lines = [json.dumps(row).encode("utf-8") for row in rows] + [json_line(row) for row in GOOD[:10]]
    random.Random(seed).shuffle(lines)
    (folder / "in.jsonl").write_bytes(b"\n".join(lines))
    ids, labelled, quarantined = label([folder / "in.jsonl"], folder / "out", model)
    assert labelled + quarantined == len(lines)
    assert {row["id"] for row in GOOD[:10]} <= ids
