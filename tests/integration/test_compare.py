"""Finding runs and comparing them in a real MLflow store."""

import csv
import io
import json
from typing import Any

import pytest

from tppo.errors import DataError, UsageError
from tppo.tracking.comparison import compare_runs, log_comparison
from tppo.tracking.lookup import find_run, read_predictions, read_text

pytestmark = pytest.mark.slow


def test_a_run_is_found_by_id_by_its_beginning_by_version_and_by_standing(in_store: Any) -> None:
    weak, strong = in_store.weak.run.run_id, in_store.strong.run.run_id
    for spec in (weak, weak[:8], "1", "models:/tppo-modus/1"):
        assert find_run(spec).run_id == weak
    for spec in ("champion", "models:/tppo-modus@champion", "latest"):
        assert find_run(spec).run_id == strong


def test_a_run_is_found_by_its_name_if_only_one_has_it(in_store: Any) -> None:
    name = find_run(in_store.strong.run.run_id).name
    assert find_run(name).run_id == in_store.strong.run.run_id
    shared = find_run(in_store.weak.run.run_id).name
    with pytest.raises(
        UsageError, match=rf"2 runs answer to .*{in_store.again.run.run_id[:8]}, {in_store.weak.run.run_id[:8]}"
    ):
        find_run(shared)


@pytest.mark.parametrize("spec", ["nobody", "0" * 32, "99", "abcdef1", "it's", "models:/other@champion", "challengers"])
def test_a_run_that_is_not_there_is_refused(spec: str, in_store: Any) -> None:
    with pytest.raises(UsageError, match=r"no (training )?run "):
        find_run(spec)


@pytest.mark.parametrize("part", ["test", "oof"])
def test_the_comparison_scores_both_as_the_runs_did(part: str, in_store: Any) -> None:
    weak, strong = find_run("1"), find_run("3")
    found = compare_runs(weak, strong, part=part, n_bootstrap=200).result
    for run, score in ((weak, found.f1_macro.first), (strong, found.f1_macro.second)):
        assert score == pytest.approx(run.metrics[f"{part}/f1_macro"])
    assert found.labels["scam"].f1.second == pytest.approx(strong.metrics[f"{part}/f1/scam"])
    assert found.n_articles == getattr(in_store.weak, {"test": "n_test", "oof": "n_train"}[part])


def test_the_same_training_twice_differs_in_nothing(in_store: Any) -> None:
    found = compare_runs(find_run("1"), find_run("2"), n_bootstrap=200).result
    assert (found.f1_macro.difference.value, found.f1_macro.p) == (0, 1)


def test_a_comparison_is_written_to_the_second_run_as_json_csv_and_markdown(in_store: Any) -> None:
    weak, strong = find_run("1"), find_run("3")
    comparison = compare_runs(weak, strong, n_bootstrap=200)
    folder = log_comparison(comparison)
    record = json.loads(read_text(strong, f"{folder}/comparison.json"))
    assert record["first"]["run_id"] == weak.run_id
    assert record["f1_macro"]["difference"]["value"] == comparison.result.f1_macro.difference.value
    rows = list(csv.DictReader(io.StringIO(read_text(strong, f"{folder}/comparison.csv"))))
    assert [row["label"] for row in rows] == [*comparison.result.labels, "macro (modus)"]
    assert float(rows[-1]["difference"]) == comparison.result.f1_macro.difference.value
    page = read_text(strong, f"{folder}/comparison.md")
    assert all(f"| {key} |" in page for key in comparison.result.labels)
    tag = find_run("3").tags[f"tppo.vs.{weak.run_id[:8]}"]
    assert weak.name in tag
    assert "macro-F1 +" in tag


def test_runs_on_other_articles_are_refused_by_name(in_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tppo.tracking import comparison

    weak, strong = find_run("1"), find_run("3")

    def fewer(run: Any, part: str) -> Any:
        found = read_predictions(run, part)
        return found.take(range(1, len(found.ids))) if run.run_id == strong.run_id else found

    monkeypatch.setattr(comparison, "read_predictions", fewer)
    with pytest.raises(DataError, match=r"different articles .* 1 only in .* \(art-000\)") as refused:
        compare_runs(weak, strong)
    assert weak.shown in str(refused.value)


def test_the_command_prints_the_table_and_writes_nothing_when_asked_not_to(in_store: Any) -> None:
    answer = in_store.run("tppo", "compare", "2", "1", "--no-log", "--resamples", "100")
    assert answer.returncode == 0, answer.stderr
    assert "macro-F1 +0.0000 (+0.0000 to +0.0000), p = 1.0000: no difference beyond chance" in answer.stdout
    assert "…" not in answer.stdout
    assert f"tppo.vs.{in_store.again.run.run_id[:8]}" not in find_run("1").tags


def test_the_command_refuses_an_unknown_run_in_one_line(in_store: Any) -> None:
    answer = in_store.run("tppo", "compare", "1", "nobody")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("error: no training run 'nobody'")
    assert "Traceback" not in answer.stderr
