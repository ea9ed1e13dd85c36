"""A folder to work in, with a small corpus and an MLflow store of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from small_corpus import REPO, articles, write_jsonl

BIN = Path(sys.executable).parent


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


def new_workplace(folder: Path) -> Workplace:
    write_jsonl(folder / "corpus.jsonl", articles())
    return Workplace(folder)
