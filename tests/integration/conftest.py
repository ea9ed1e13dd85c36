"""A folder with a small corpus and an MLflow store in which three models were trained."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from small_corpus import REPO, articles, train_config, write_jsonl
from tppo.train import TrainResult, train

BIN = Path(sys.executable).parent
# Two columns of meaning: labels can be told apart, but badly.
WEAK = ("embedding.dimension=2", "classifier.vectors=true", "classifier.terms=false")


@dataclass(frozen=True)
class Workplace:
    """A folder to work in and its MLflow store."""

    folder: Path

    @property
    def uri(self) -> str:
        """Of the store."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def corpus(self) -> str:
        """The override that names the corpus."""
        return f"corpus.paths=[{self.folder / 'corpus.jsonl'}]"

    def environment(self, **more: str) -> dict[str, str]:
        """For a process that works here: the store, the shipped configuration, the venv's programs, few threads."""
        return {
            **os.environ,
            "MLFLOW_TRACKING_URI": self.uri,
            "TPPO_CONFIG_DIR": str(REPO / "configs"),
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "OMP_NUM_THREADS": "1",
            **more,
        }

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program here to its end."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**more), capture_output=True, text=True, timeout=300
        )

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make this the working folder of this process, and its store the one that is used."""
        monkeypatch.chdir(self.folder)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", self.uri)
        monkeypatch.setenv("TPPO_CONFIG_DIR", str(REPO / "configs"))


@dataclass(frozen=True)
class Store(Workplace):
    """A workplace in which a weak model was trained twice, then a better one."""

    weak: TrainResult
    again: TrainResult
    strong: TrainResult


def new_workplace(folder: Path) -> Workplace:
    write_jsonl(folder / "corpus.jsonl", articles())
    return Workplace(folder)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Do not train in it."""
    place = new_workplace(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        place.enter(monkeypatch)
        weak, again = (train(train_config(place.corpus, *WEAK)) for _ in range(2))
        strong = train(train_config(place.corpus))
    yield Store(place.folder, weak, again, strong)
    shutil.rmtree(place.folder)


@pytest.fixture
def in_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store, entered."""
    store.enter(monkeypatch)
    return store


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A corpus and nothing else."""
    return new_workplace(tmp_path)


@pytest.fixture
def api(in_store: Store) -> Any:
    """An MLflow client of the store."""
    from tppo.tracking.registry import client

    return client()


Run = Callable[..., subprocess.CompletedProcess[str]]
