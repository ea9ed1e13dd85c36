"""Workers: the same bytes from any number of processes, and no work left hanging when one dies."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from small_corpus import articles, write_jsonl
from tppo.classify import ModusModel
from tppo.errors import DataError, UsageError
from tppo.labelling import LabelOptions, label_files, pool


@pytest.fixture(scope="module")
def model_folder(model: ModusModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows with a duplicate id, a copy, a bad row."""
    rows = articles(120)
    rows[50] = {"id": "bad", "text": ""}
    rows[60] = {**rows[60], "id": rows[3]["id"]}
    rows[70] = {**rows[70], "text": rows[2]["text"]}
    return write_jsonl(tmp_path / "in.jsonl", rows)


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(
    source: Path, model: ModusModel, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SMALL_JOB", 20)
    options = LabelOptions(rows_per_part=50, batch_size=8, copies="share")
    found = {}
    for workers in (1, 2, 3):
        out = tmp_path / f"out{workers}"
        label_files([source], out, model, model_name="m", options=options, workers=workers, model_folder=model_folder)
        found[workers] = contents(out)
    assert found[1] == found[2] == found[3]


def test_a_small_job_starts_no_processes(
    source: Path, model: ModusModel, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pool(*_: Any, **__: Any) -> None:
        raise AssertionError("processes were started")

    monkeypatch.setattr(pool, "ProcessPoolExecutor", no_pool)
    summary = label_files([source], tmp_path / "out", model, model_name="m", workers=2, model_folder=model_folder)
    assert summary.articles == 120


def test_workers_need_to_know_where_the_model_lies(source: Path, model: ModusModel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 workers need model_folder"):
        label_files([source], tmp_path / "out", model, model_name="m", workers=2)


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_job_and_the_next_sitting_completes_it(
    source: Path, model: ModusModel, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SMALL_JOB", 20)
    options = LabelOptions(rows_per_part=20, batch_size=4)
    finished = pool._in_order

    def killing(executor: Any, batches: Any, ahead: int) -> Any:
        for number, one in enumerate(finished(executor, batches, ahead)):
            if number == 12:
                os.kill(next(iter(executor._processes)), signal.SIGKILL)
            yield one

    with monkeypatch.context() as patched:
        patched.setattr(pool, "_in_order", killing)
        with pytest.raises(DataError, match="a worker process died"):
            label_files(
                [source],
                tmp_path / "out",
                model,
                model_name="m",
                options=options,
                workers=2,
                model_folder=model_folder,
            )
    assert json.loads((tmp_path / "out" / "state.json").read_text(encoding="utf-8"))["summary"]["articles"] >= 40
    label_files([source], tmp_path / "out", model, model_name="m", options=options)
    label_files([source], tmp_path / "whole", model, model_name="m", options=options)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
