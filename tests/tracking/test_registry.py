"""Finding models: what is refused, and that secrets stay out of messages."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tppo.classify import folder_digest
from tppo.errors import ModelError, UsageError
from tppo.tracking import PAYLOAD, resolve_model, tracking_uri, without_secrets
from tppo.tracking.registry import _from_sqlite, again_if_overtaken, alone_in_store, serve_ui


def test_the_store_is_a_file_in_the_working_folder_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == "sqlite:///mlflow.db"


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri() == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://analyst:hunter2@db:5432/mlflow", "postgresql://analyst:***@db:5432/mlflow"),
        ("https://analyst:hunter2@mlflow.example", "https://analyst:***@mlflow.example"),
        ("postgresql://analyst:hunt@r2@db/mlflow", "postgresql://analyst:***@db/mlflow"),
        ("postgresql://analyst:hunt/r2@db/mlflow", "postgresql://analyst:***@db/mlflow"),
        ("https://ghp_token@mlflow.example/x", "https://***@mlflow.example/x"),
        ("postgresql://db/mlflow?user=a&password=hunter2&x=1", "postgresql://db/mlflow?user=a&password=***&x=1"),
        ("no route to http://a:hunter2@h:1/x, ask admin@h", "no route to http://a:***@h:1/x, ask admin@h"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ],
)
def test_a_password_is_not_shown(uri: str, shown: str) -> None:
    assert without_secrets(uri) == shown


def test_a_folder_is_a_model_with_the_digest_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    stored = resolve_model(str(tmp_path))
    assert (stored.name, stored.folder, stored.digest) == (str(tmp_path), tmp_path, folder_digest(tmp_path))


def test_a_folder_as_mlflow_lays_it_out_leads_to_the_files_inside(tmp_path: Path) -> None:
    (tmp_path / PAYLOAD).mkdir(parents=True)
    assert resolve_model(str(tmp_path)).folder == tmp_path / PAYLOAD


@pytest.mark.parametrize("uri", ["nope", "models", "http://x/y"])
def test_what_is_neither_folder_nor_model_uri_is_refused(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="neither a folder nor a URI such as models:/tppo-modus@champion"):
        resolve_model(uri)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(ModelError, match=r"there is no MLflow store .* train one with `tppo train`"):
        resolve_model("models:/tppo-modus@champion")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["models:/m@champion", "models:/m/1", "runs:/abc/model", "models:/m/latest"])
def test_a_store_without_the_expected_tables_is_left_to_mlflow(uri: str, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").close()
    (tmp_path / "text.db").write_text("no database", encoding="utf-8")
    assert _from_sqlite(uri, tmp_path / "other.db") is None
    assert _from_sqlite(uri, tmp_path / "text.db") is None


def test_the_ui_of_a_server_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://analyst:hunter2@mlflow.example")
    with pytest.raises(UsageError, match=r"open https://analyst:\*\*\*@mlflow.example in a browser"):
        serve_ui(5000)


def test_the_ui_listens_on_this_machine_only_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, command: called.append(command))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://analyst:hunter2@db/mlflow")
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    serve_ui(5001)
    (command,) = called
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    assert "hunter2" not in " ".join(command)


def try_lock(folder: Path) -> int:
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    return subprocess.run([sys.executable, "-c", code, str(folder)], stderr=subprocess.DEVNULL, check=False).returncode


def test_one_process_at_a_time_writes_to_an_sqlite_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with alone_in_store():
        with alone_in_store():
            assert try_lock(tmp_path) != 0
        assert try_lock(tmp_path) != 0
    assert try_lock(tmp_path) == 0


def overtaken(times: int, message: str = "(sqlite3.IntegrityError) UNIQUE constraint failed: datasets.name") -> Any:
    from mlflow.exceptions import MlflowException

    errors = [MlflowException(message)] * times

    def call() -> str:
        if errors:
            raise errors.pop()
        return "done"

    return call


def test_a_row_that_another_process_added_meanwhile_is_found_at_the_next_call() -> None:
    assert again_if_overtaken(overtaken(2)) == "done"


@pytest.mark.parametrize("call", [overtaken(3), overtaken(1, "no such run")])
def test_other_errors_and_repeated_ones_are_passed_on(call: Any) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException):
        again_if_overtaken(call)
