"""What the commands print and how they end when all goes well."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tppo.labelling.job as labelling_job
from small_corpus import MODUS, articles, write_jsonl
from tppo import __version__
from tppo.cli.show import show_training
from tppo.corpus import Rejected
from tppo.evaluate import evaluate
from tppo.tracking import LoggedRun
from tppo.train import TrainResult

Run = Callable[..., Any]


@pytest.fixture
def corpus(here: Path) -> Path:
    """Ten labelled articles."""
    return write_jsonl(here / "in.jsonl", articles(10))


def test_the_version_is_shown(tppo: Run) -> None:
    assert tppo("--version").out.strip() == f"tppo {__version__}"


@pytest.mark.parametrize("command", ["", "train", "label", "evaluate", "ui"])
def test_every_command_has_help(command: str, tppo: Run) -> None:
    answer = tppo(*command.split(), "--help")
    assert answer.code == 0
    assert "Usage: " in answer.out


def test_labelling_prints_where_every_row_went(corpus: Path, model_folder: Path, tppo: Run) -> None:
    answer = tppo("label", corpus, "--out", "out", "--model", model_folder)
    assert answer.code == 0, answer.err
    assert "10 articles = 10 labelled + 0 quarantined" in answer.out
    assert all(key in answer.out for key in (*MODUS, "tppo", "to review"))


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_the_format_option_decides_the_parts(
    format: str, corpus: Path, model_folder: Path, here: Path, tppo: Run
) -> None:
    assert tppo("label", corpus, "--out", "out", "--model", model_folder, "--format", format).code == 0
    assert [path.name for path in (here / "out").glob("part-*")] == [f"part-00000.{format}"]


def test_labelling_takes_overrides_beside_inputs(corpus: Path, model_folder: Path, here: Path, tppo: Run) -> None:
    answer = tppo("label", corpus, "rows_per_part=4", "format=jsonl", f"model={model_folder}", "--out", "out")
    assert answer.code == 0, answer.err
    assert len(list((here / "out").glob("part-*.jsonl"))) == 3


def test_a_file_with_an_equals_sign_in_its_name_is_an_input(here: Path, model_folder: Path, tppo: Run) -> None:
    (here / "year=2024").mkdir()
    write_jsonl(here / "year=2024" / "a.jsonl", articles(2))
    answer = tppo("label", "year=2024/a.jsonl", "--out", "out", "--model", model_folder)
    assert "2 labelled" in answer.out, answer.err


def test_a_glob_with_an_equals_sign_is_an_input(here: Path, model_folder: Path, tppo: Run) -> None:
    (here / "year=2024").mkdir()
    write_jsonl(here / "year=2024" / "a.jsonl", articles(2))
    answer = tppo("label", "year=2024/*.jsonl", "--out", "out", "--model", model_folder)
    assert "2 labelled" in answer.out, answer.err


def test_quarantined_rows_are_counted_by_reason(corpus: Path, model_folder: Path, tppo: Run) -> None:
    with corpus.open("a", encoding="utf-8") as stream:
        stream.write('{"id": "x"}\n{"id": "y"}\n{"id": "art-001", "text": "again"}\n')
    answer = tppo("label", corpus, "--out", "out", "--model", model_folder)
    assert "10 labelled + 3 quarantined" in answer.out
    assert "quarantined: 2 x no text" in answer.out
    assert "quarantined: 1 x duplicate id" in answer.out


def test_labelling_again_with_fresh_replaces_the_output(
    corpus: Path, model_folder: Path, here: Path, tppo: Run
) -> None:
    assert tppo("label", corpus, "--out", "out", "--model", model_folder, "--format", "csv").code == 0
    assert tppo("label", corpus, "--out", "out", "--model", model_folder, "--format", "jsonl").code == 2
    assert tppo("label", corpus, "--out", "out", "--model", model_folder, "--format", "jsonl", "--fresh").code == 0
    assert [path.suffix for path in (here / "out").glob("part-*")] == [".jsonl"]


def test_an_interrupted_job_says_how_to_go_on(
    corpus: Path, model_folder: Path, tppo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(labelling_job._Job, "_finish_part", interrupt)
        stopped = tppo("label", corpus, "--out", "out", "--model", model_folder)
    assert stopped.code == 130
    assert stopped.err == "error: interrupted; the same command goes on where it stopped\n"
    assert "10 labelled" in tppo("label", corpus, "--out", "out", "--model", model_folder).out


def test_one_article_is_shown_with_its_evidence(model_folder: Path, tppo: Run) -> None:
    row = articles()[0]
    answer = tppo("label", "--text", row["text"], "--model", model_folder)
    assert answer.code == 0, answer.err
    assert "Evidence" in answer.out
    assert all(key in answer.out for key in (*MODUS, "tppo"))


def test_one_article_is_read_from_standard_input(
    model_folder: Path, tppo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("Sapi milik warga dicuri semalam."))
    answer = tppo("label", "--text", "-", "--model", model_folder)
    assert "Sapi milik warga dicuri semalam." in answer.out


def test_showing_one_article_leaves_no_files(here: Path, model_folder: Path, tppo: Run) -> None:
    tppo("label", "--text", "x", "--model", model_folder)
    assert list(here.iterdir()) == []


def test_evaluation_prints_a_table_with_intervals(corpus: Path, model_folder: Path, tppo: Run) -> None:
    answer = tppo("evaluate", corpus, "--model", model_folder)
    assert answer.code == 0, answer.err
    assert "on 10 articles" in " ".join(answer.out.split())
    assert re.search(r"macro \(modus\).*\d\.\d{3}", answer.out)


def test_evaluation_says_which_rows_it_could_not_score(corpus: Path, model_folder: Path, tppo: Run) -> None:
    with corpus.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"id": "x", "text": "t", "labels": ["scams"]}) + "\n")
        stream.write(json.dumps({"id": "unlabelled", "text": "t"}) + "\n")
    answer = tppo("evaluate", corpus, "--model", model_folder)
    assert "unknown label 'scams'; did you mean 'scam'?" in " ".join(answer.out.split())
    assert "unlabelled: not labelled" in answer.out


def test_articles_whose_context_is_not_known_are_not_scored_on_it(here: Path, model_folder: Path, tppo: Run) -> None:
    rows = articles(20)
    write_jsonl(here / "known.jsonl", rows)
    for row in rows[10:]:
        del row["tppo"]
    write_jsonl(here / "half.jsonl", rows)
    write_jsonl(here / "first.jsonl", rows[:10])

    def context(data: str) -> list[str]:
        out = tppo("evaluate", data, "--model", model_folder).out
        line = next(line for line in out.splitlines() if re.match(r"\W*tppo\W", line))
        return re.findall(r"\d\.\d{3}", line)

    assert context("half.jsonl") == context("first.jsonl")


def result(rejected: list[Rejected]) -> TrainResult:
    y = np.eye(5, dtype=bool)
    scores = evaluate(y, y.astype(float), y, labels=[*MODUS, "tppo"], macro_labels=MODUS, n_bootstrap=20)
    return TrainResult(scores, LoggedRun("abc", 3, "champion", "the first model"), 10, 5, rejected, dict(scores.flat()))


def test_training_prints_scores_and_where_the_run_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://analyst:hunter2@db/mlflow")
    show_training(result([]))
    output = " ".join(capsys.readouterr().out.split())
    assert "model version 3, champion: the first model" in output
    assert "run abc in postgresql://analyst:***@db/mlflow" in output
    assert "hunter2" not in output


def test_training_shows_the_first_refused_row_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    show_training(result([Rejected("in.jsonl:3", "unknown label '[/b]'")]))
    assert "unknown label '[/b]'" in " ".join(capsys.readouterr().out.split())
