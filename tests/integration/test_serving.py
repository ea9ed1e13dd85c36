"""A server started from the registered model, as `mlflow models serve` starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from small_corpus import articles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for the champion, on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/tppo-modus@champion"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--env-manager", "local", "--workers", "1"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=store.folder,
            env=store.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            if process.poll() is not None:
                pytest.fail(f"the server ended with {process.returncode}: {log.read_text()[-2000:]}")
            try:
                if requests.get(f"{address}/ping", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.5)
        else:
            pytest.fail(f"the server did not answer: {log.read_text()[-2000:]}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(server: str, content: dict[str, Any]) -> list[dict[str, Any]]:
    answer = requests.post(f"{server}/invocations", json=content, timeout=60)
    assert answer.status_code == 200, answer.text

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return list(json.loads(answer.text, parse_constant=refuse)["predictions"])


def test_the_server_answers_with_labels_and_evidence(server: str) -> None:
    rows = [{"id": row["id"], "text": row["text"]} for row in articles(6)]
    found = ask(server, {"dataframe_records": rows})
    assert [row["id"] for row in found] == [row["id"] for row in rows]
    for given, row in zip(rows, found):
        assert row["error"] is None
        assert all(given["text"][e["start"] : e["end"]] == e["text"] for e in row["evidence"])
    assert any(row["modus"] for row in found)


def test_the_server_labels_as_the_model_does(server: str, in_store: Any) -> None:
    from tppo.classify import ModusModel
    from tppo.tracking import resolve_model

    texts = [row["text"] for row in articles(10)]
    found = ask(server, {"dataframe_split": {"columns": ["text"], "data": [[text] for text in texts]}})
    readings = ModusModel.load(resolve_model("models:/tppo-modus@champion").folder).read(texts)
    for k, key in enumerate(readings.keys):
        assert [row[f"p_{key}"] for row in found] == pytest.approx(readings.probabilities[:, k], abs=1e-5)


def test_a_bad_row_is_answered_with_its_error_and_the_others_with_labels(server: str) -> None:
    good = articles(1)[0]["text"]
    found = ask(server, {"dataframe_records": [{"text": good}, {"text": None}, {"text": "a\u0000b"}, {"text": good}]})
    assert [row["error"] is None for row in found] == [True, False, False, True]
    assert found[1]["error"].startswith("no text")
    assert found[2]["error"].startswith("text holds a NUL character")
    assert found[0]["modus"] == found[3]["modus"]


def test_the_server_listens_on_this_machine_only(server: str) -> None:
    port = int(server.rpartition(":")[2])
    with socket.socket() as other:
        other.bind(("127.0.0.2", port))  # taken already if the server listened on every address


GOOD = {"text": "Polisi menangkap makelar ginjal."}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"text": 5}, "text must be a string"),
        ({"text": ["Polisi menangkap perekrut."]}, "text must be a string"),
        ({"text": {"body": "x"}}, "text must be a string"),
        ({"text": " "}, "no text"),
        ({"body": "x"}, "no text"),
        ({"id": ["a"], "text": "Sapi dicuri."}, "id must be"),
        ({"id": "x" * 600, "text": "Sapi dicuri."}, "id must be"),
    ],
)
def test_no_row_spoils_the_answer_of_another(server: str, bad: dict[str, Any], reason: str) -> None:
    first, wrong, last = ask(server, {"dataframe_records": [GOOD, bad, GOOD]})
    assert (first["error"], last["error"]) == (None, None)
    assert first["modus"] == last["modus"]
    assert reason in wrong["error"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[1, 2]",
        '{"rows": []}',
        '{"dataframe_records": 3}',
        r'{"dataframe_records": [{"text": "\ud800"}]}',  # no Unicode: pandas refuses it before the model sees it
    ],
)
def test_a_request_that_is_no_table_is_the_callers_fault(server: str, body: str) -> None:
    answer = requests.post(f"{server}/invocations", data=body, headers={"Content-Type": "application/json"}, timeout=60)
    assert answer.status_code == 400, answer.text
