"""Runs and registry in PostgreSQL, artifacts on disk: train, label and compare against a real server."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from workplace import Workplace, new_workplace

from small_corpus import LIGHT

pytestmark = pytest.mark.slow

PASSWORD = "kata-sandi"
SMALL = ("split=balanced", "n_bootstrap=10", "registers=null", "classifier.n_folds=2", "classifier.whole=false", *LIGHT)


def find_program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install postgresql)")
    return found


def as_other_user() -> dict[str, object]:
    """Arguments for subprocess by which a server that refuses to run as root runs as another user."""
    if os.getuid() != 0:
        return {}
    import pwd

    user = next((entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name), None)
    if user is None:
        pytest.skip("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture
def server() -> Iterator[str]:
    """A new PostgreSQL server on a free port of 127.0.0.1; its URI."""
    pytest.importorskip("psycopg", reason="the Python package psycopg is not installed")
    initdb, postgres, ready = map(find_program, ("initdb", "postgres", "pg_isready"))
    other = as_other_user()
    folder = Path(tempfile.mkdtemp(prefix="tppo-pg-"))  # short, and not below tmp_path, which is root's alone
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    if other:
        for path in (folder, secret):
            shutil.chown(path, other["user"], other["group"])  # type: ignore[call-overload]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        made = [
            initdb,
            "-D",
            data,
            "-U",
            "tppo",
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(made, cwd=folder, check=True, capture_output=True, **other)  # type: ignore[call-overload]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", "", "-F"]
        with subprocess.Popen(  # type: ignore[call-overload]
            [postgres, "-D", data, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **other
        ) as process:
            try:
                wait_until_ready([ready, "-h", "127.0.0.1", "-p", str(port)])
                yield f"postgresql://tppo:{PASSWORD}@127.0.0.1:{port}/postgres"
            finally:
                process.terminate()
                process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_ready(command: list[str]) -> None:
    for _ in range(300):
        if subprocess.run(command, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("the PostgreSQL server did not start in 30 s")


@dataclass(frozen=True)
class PostgresPlace(Workplace):
    """A workplace whose store is in PostgreSQL."""

    store: str

    @property
    def uri(self) -> str:
        return self.store


def test_train_label_and_compare_with_postgresql(server: str, tmp_path: Path) -> None:
    place = PostgresPlace(new_workplace(tmp_path).folder, server)
    for terms in ("false", "true"):
        trained = place.run("tppo", "train", *SMALL, place.corpus, f"classifier.terms={terms}")
        assert trained.returncode == 0, trained.stderr
        assert PASSWORD not in trained.stdout + trained.stderr
    labelled = place.run("tppo", "label", "corpus.jsonl", "--out", "out", "--model", "models:/tppo-modus/2")
    assert labelled.returncode == 0, labelled.stderr
    assert list((tmp_path / "out").glob("part-*.parquet"))
    compared = place.run("tppo", "compare", "1", "2", "--resamples", "100")
    assert compared.returncode == 0, compared.stderr
    assert "macro" in compared.stdout
    assert not (tmp_path / "mlflow.db").exists()
    assert list((tmp_path / "mlruns").rglob("model-card.md")), "artifacts lie on disk"
