"""The commands of the three studies run, on a small corpus: what they say there means nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from workplace import Workplace

from small_corpus import REPO, articles, write_jsonl

pytestmark = pytest.mark.slow

EXPERIMENTS = REPO / "experiments"
SMALL = ["split=balanced", "n_bootstrap=10", "registers=null", "classifier.n_folds=2"]


def small_sweep(place: Workplace, name: str, *overrides: str, **space: Any) -> Path:
    """A copy of a study's sweep on the small corpus, with part of its space."""
    config = yaml.safe_load((EXPERIMENTS / name / "sweep.yaml").read_text(encoding="utf-8"))
    config["overrides"] = [*config["overrides"], *SMALL, *overrides]
    assert set(space) <= set(config["space"])
    config["space"] |= space
    path = place.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def finished(place: Workplace, *command: str) -> subprocess.CompletedProcess[str]:
    done = place.run(*command)
    assert done.returncode == 0, done.stderr
    return done


def test_encoders_and_classifiers(workplace: Workplace) -> None:
    sweep = small_sweep(workplace, "012-encoders-classifiers", workplace.corpus, classifier=["vectors-linear"])
    said = finished(workplace, "tppo", "sweep", str(sweep)).stdout
    assert "2 trials, best oof/f1_macro" in said


def test_how_many_labels_are_enough(workplace: Workplace) -> None:
    script = str(EXPERIMENTS / "006-learning-curve" / "run.py")
    settings = [f"--set={override}" for override in (*SMALL, workplace.corpus, "classifier.whole=false")]
    said = finished(workplace, sys.executable, script, "--shares", "20", "--plot", "curve.png", *settings).stdout
    assert said.count(" articles | 0.") + said.count(" articles | 1.") == 2
    assert (workplace.folder / "curve.png").stat().st_size > 1000


def test_cleaning_and_copies(workplace: Workplace) -> None:
    rows = articles(40)
    write_jsonl(workplace.folder / "train.jsonl", [*rows[:30], {**rows[0], "id": "copy"}])
    write_jsonl(workplace.folder / "test.jsonl", rows[30:])
    sweep = small_sweep(workplace, "013-cleaning-copies", "classifier.terms=false", cleaning=["none"])
    script = str(EXPERIMENTS / "013-cleaning-copies" / "run.py")
    command = [sys.executable, script, "--train", "train.jsonl", "--test", "test.jsonl", "--sweep", str(sweep)]
    said = finished(workplace, *command).stdout
    assert "all: 31 of 31" in said
    assert "2 trials, best oof/f1_macro" in said
