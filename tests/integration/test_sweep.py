"""`tppo sweep`: several workers, a kill in the middle, going on without repeating or leaving anything behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from workplace import Workplace, new_workplace

from small_corpus import LIGHT, articles, write_jsonl

CONFIG = {
    "name": "kill-test",
    "space": {
        "classifier.C": [1, 2, 3, 4, 6, 8],
        "classifier.temperature": [0.1, 0.3],
        "classifier.vector_weight": [0.5, 1.0],
    },
    "overrides": [
        "split=balanced",
        "n_bootstrap=0",
        "registers=null",
        "classifier.n_folds=2",
        "classifier.terms=false",
        "classifier.whole=false",
        *LIGHT,
    ],
}


def write_sweep(place: Workplace, **changes: Any) -> Path:
    config = {**CONFIG, **changes}
    config["overrides"] = [*config["overrides"], place.corpus]
    path = place.folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    place = new_workplace(tmp_path)
    write_jsonl(tmp_path / "corpus.jsonl", articles(30))
    place.enter(monkeypatch)
    return place


def runs_of(api: Any, query: str) -> list[Any]:
    experiment = api.get_experiment_by_name("sweeps")
    return list(api.search_runs([experiment.experiment_id], query)) if experiment else []


def wait_for(what: str, condition: Any, seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in {seconds} s"
        time.sleep(0.1)


def alive_in_session(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_killed_sweep_goes_on_without_repeating_a_trial(place: Workplace) -> None:
    from tppo.tracking.registry import client
    from tppo.tracking.sweeps import EXPERIMENT, finished_trials

    command = ["tppo", "sweep", str(write_sweep(place)), "--workers", "2"]
    api = client()
    first = subprocess.Popen(
        command, cwd=place.folder, env=place.environment(), start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    assert first.stderr is not None
    said = []
    for line in first.stderr:
        said.append(line)
        if line.startswith("trial 4 "):
            break
    else:
        pytest.fail(f"the sweep ended before its fourth trial: {''.join(said)}")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    first.stderr.close()
    wait_for("the end of the workers", lambda: not alive_in_session(first.pid))
    (parent,) = runs_of(api, "tags.`tppo.sweep` = 'kill-test'")
    before = {trial.run_id for trial in finished_trials(parent.info.run_id)}
    assert 4 <= len(before) < 24
    place_id = api.get_experiment_by_name(EXPERIMENT).experiment_id  # what a kill while a trial is logged leaves
    orphan = api.create_run(place_id, tags={"mlflow.parentRunId": parent.info.run_id}).info.run_id

    second = place.run(*command)
    assert second.returncode == 0, second.stderr
    assert "24 trials, best oof/f1_macro" in second.stdout
    assert [run.info.run_id for run in runs_of(api, "tags.`tppo.sweep` = 'kill-test'")] == [parent.info.run_id]
    trials = finished_trials(parent.info.run_id)
    assert len(trials) == len({json.dumps(trial.values) for trial in trials}) == 24
    assert before <= {trial.run_id for trial in trials}
    assert runs_of(api, "attributes.status = 'RUNNING'") == []
    assert api.get_run(orphan).info.status == "KILLED"
    assert api.get_run(parent.info.run_id).info.status == "FINISHED"
    assert "| p (Holm) |" in api.get_run(parent.info.run_id).data.tags["mlflow.note.content"]
    assert {file.path for file in api.list_artifacts(parent.info.run_id)} == {"trials.md", "trials.png"}
