"""Several processes writing to one SQLite store at once."""

import subprocess
from typing import Any

import pytest
from workplace import Workplace

from small_corpus import LIGHT, articles, write_jsonl

pytestmark = pytest.mark.slow

OVERRIDES = ("split=balanced", "n_bootstrap=10", "registers=null", "classifier.n_folds=2", *LIGHT)
VECTORS_ONLY = ("classifier.terms=false", "classifier.whole=false")


def test_eight_trainings_at_once_into_one_new_store_all_finish(workplace: Workplace, monkeypatch: Any) -> None:
    write_jsonl(workplace.folder / "corpus.jsonl", articles(30))
    command = ["tppo", "train", *OVERRIDES, *VECTORS_ONLY, workplace.corpus]
    processes = [
        subprocess.Popen(
            [*command, f"classifier.C={number + 1}"],
            cwd=workplace.folder,
            env=workplace.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    said = [process.communicate(timeout=500)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, "\n".join(said)
    assert "locked" not in "".join(said)

    from tppo.tracking.registry import client

    workplace.enter(monkeypatch)
    api = client()
    runs = api.search_runs([api.get_experiment_by_name("modus").experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 8
    assert {run.data.params["classifier.C"] for run in runs} == {f"{number + 1}.0" for number in range(8)}
    versions = api.search_model_versions("name = 'tppo-modus'")
    assert sorted(int(version.version) for version in versions) == list(range(1, 9))
    assert api.get_model_version_by_alias("tppo-modus", "champion").run_id in {run.info.run_id for run in runs}
