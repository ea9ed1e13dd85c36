"""What a run was made with: commit, code digest and versions."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tppo.tracking import source
from tppo.tracking.card import reproduce_command


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a package in a repository of its own, committed."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path / "src" / "tppo"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("x = 1\n", encoding="utf-8")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(source, "PACKAGE", folder)
    return folder


def test_the_commit_is_that_of_the_code_wherever_one_works(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=package, capture_output=True, text=True, check=True)
    monkeypatch.chdir(package.parents[2])
    assert source.code_commit() == head.stdout.strip()


def test_changed_code_is_marked_and_other_files_do_not_matter(package: Path) -> None:
    (package.parents[1] / "notes.txt").write_text("x", encoding="utf-8")
    assert not source.code_commit().endswith("+changes")
    (package / "__init__.py").write_text("x = 2\n", encoding="utf-8")
    assert source.code_commit().endswith("+changes")


def test_a_package_that_the_repository_around_it_does_not_hold_has_no_commit(package: Path) -> None:
    subprocess.run(["git", "rm", "-q", "--cached", "__init__.py"], cwd=package, check=True)
    assert source.code_commit() == "unknown"


def test_the_digest_changes_with_the_code_only(package: Path) -> None:
    before = source.code_digest()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert source.code_digest() == before
    (package / "__init__.py").write_text("x = 2\n", encoding="utf-8")
    assert source.code_digest() != before


def test_the_environment_names_the_libraries_the_package_asks_for() -> None:
    found = source.environment()
    assert {"python", "platform", "mlflow", "scikit-learn", "torch"} <= set(found)
    assert all(found.values())


@pytest.mark.parametrize(
    ("commit", "command"),
    [
        ("abc123", "git checkout abc123 && tppo reproduce r1"),
        ("abc123+changes", "tppo reproduce r1"),
        ("unknown", "tppo reproduce r1"),
    ],
)
def test_the_command_that_makes_a_run_again_checks_out_code_that_was_committed(commit: str, command: str) -> None:
    assert reproduce_command("r1", commit) == command
