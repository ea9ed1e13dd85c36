"""What is loaded is what was trained here: everything else is refused, and no password gets out."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from workplace import Workplace, new_workplace

from small_corpus import trained
from tppo.classify import ModusModel
from tppo.errors import ModelError
from tppo.tracking import PAYLOAD, resolve_model
from tppo.tracking.pyfunc import _load_pyfunc

pytestmark = pytest.mark.slow


def load(uri: str) -> ModusModel:
    stored = resolve_model(uri)
    return ModusModel.load(stored.folder, digest=stored.digest)


@pytest.fixture
def logged(store: Any, tmp_path: Path) -> Path:
    """A copy of a model as MLflow lays it out: an MLmodel file and the model's files below it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        store.enter(monkeypatch)
        folder = resolve_model("models:/tppo-modus/1").folder
    shutil.copytree(folder.parents[1], tmp_path / "logged")
    return tmp_path / "logged"


def spoil(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_an_untouched_copy_loads_and_has_the_digest_of_the_registry(logged: Path, in_store: Any) -> None:
    assert load(str(logged)).keys
    assert resolve_model(str(logged)).digest == resolve_model("models:/tppo-modus/1").digest
    assert resolve_model(str(logged / PAYLOAD)).digest == resolve_model("models:/tppo-modus/1").digest


@pytest.mark.parametrize("name", ["scorer.safetensors", "model.json", "encoder/encoder.json"])
def test_a_tampered_copy_is_refused_by_folder_and_by_the_server(name: str, logged: Path) -> None:
    spoil(logged / PAYLOAD / name)
    with pytest.raises(ModelError, match="was changed after training"):
        load(str(logged))
    with pytest.raises(ModelError, match="was changed after training"):
        _load_pyfunc(str(logged / PAYLOAD))


def test_the_command_refuses_a_tampered_model_in_one_line(in_store: Any) -> None:
    path = resolve_model("models:/tppo-modus/2").folder / "scorer.safetensors"
    content = path.read_bytes()
    spoil(path)
    try:
        answer = in_store.run("tppo", "label", "--text", "x", "--model", "models:/tppo-modus/2")
    finally:
        path.write_bytes(content)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert "was changed after training: expected SHA-256" in answer.stderr


def test_a_record_without_our_digest_is_refused(logged: Path) -> None:
    (logged / "MLmodel").write_text("flavors: {python_function: {loader_module: os}}\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"MLmodel was not written by tppo: it records no tppo\.digest"):
        load(str(logged))


def test_a_link_out_of_a_model_s_folder_is_refused_without_a_record_too(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    trained().save(folder)
    shutil.move(folder / "scorer.safetensors", tmp_path / "elsewhere")
    (folder / "scorer.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        load(str(folder))


@pytest.mark.parametrize("name", ["../outside", "/etc", "model/../../../outside"])
@pytest.mark.parametrize("key", ["model", "weights"])
def test_an_encoder_s_settings_cannot_name_files_elsewhere(name: str, key: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    trained().save(folder)
    (tmp_path / "outside").mkdir()
    settings = {"model": "model", "revision": None, "prompt": "", "max_tokens": None, "batch_size": 1}
    settings |= {"backend": "torch", "weights": None, "fingerprint": "x", key: name}
    (folder / "encoder" / "encoder.json").write_text('{"kind": "sentence-transformers"}', encoding="utf-8")
    (folder / "encoder" / "sentence_transformer.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        load(str(folder))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A store in which somebody registered a pickled scikit-learn model under our name."""
    place = new_workplace(tmp_path_factory.mktemp("foreign"))
    code = (
        "import os; os.environ.pop('MLFLOW_EXPERIMENT_ID', None)\n"
        "import mlflow; from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit([[0], [1]], [0, 1])\n"
        "with mlflow.start_run():\n"
        "    mlflow.sklearn.log_model(model, name='model', registered_model_name='tppo-modus',\n"
        "                             serialization_format='cloudpickle', pip_requirements=[])\n"
        "mlflow.MlflowClient().set_registered_model_alias('tppo-modus', 'champion', '1')\n"
    )
    answer = place.run(sys.executable, "-c", code)
    assert answer.returncode == 0, answer.stderr
    assert list(place.folder.rglob("model.pkl"))
    yield place
    shutil.rmtree(place.folder)


def test_a_pickled_model_of_a_foreign_flavour_is_refused_unread(
    foreign: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cloudpickle

    from tppo.tracking.registry import client

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was read")

    foreign.enter(monkeypatch)
    for place in ("pickle.load", "pickle.loads"):
        monkeypatch.setattr(place, never)
    monkeypatch.setattr(cloudpickle, "load", never)
    with pytest.raises(ModelError, match=r"was not registered by tppo: version 1 has no tag tppo\.digest"):
        load("models:/tppo-modus@champion")
    client().set_model_version_tag("tppo-modus", "1", "tppo.digest", "0" * 64)  # forged
    for uri in ("models:/tppo-modus@champion", "models:/tppo-modus/1"):
        with pytest.raises(ModelError, match=r"is not a tppo model: expected data/tppo-model/model\.json"):
            load(uri)
    client().delete_model_version_tag("tppo-modus", "1", "tppo.digest")


def test_a_folder_with_nothing_but_a_pickle_is_refused(foreign: Workplace) -> None:
    (pickled,) = foreign.folder.rglob("model.pkl")
    with pytest.raises(ModelError, match=r"is not a tppo model: it has no model\.json"):
        load(str(pickled.parent))


SECRET = "hunter2-s3cret"


@pytest.mark.parametrize(
    ("store", "command"),
    [
        (f"http://analyst:{SECRET}@127.0.0.1:1", "show latest"),
        (f"https://{SECRET}@127.0.0.1:1", "label --text x"),
        (f"ftp://analyst:{SECRET}@x/y", "promote 1"),
        (f"oracle://analyst:{SECRET}@db/mlflow", "compare 1 2"),
    ],
)
def test_no_error_shows_the_password_of_the_store(store: str, command: str, workplace: Workplace) -> None:
    environment = {"MLFLOW_TRACKING_URI": store, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    answer = workplace.run("tppo", *command.split(), **environment)
    assert answer.returncode != 0
    assert "***" in answer.stderr
    assert SECRET not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
def server(workplace: Workplace) -> Iterator[str]:
    """A tracking server of this machine, with the host and port that it listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    host, port = address.split(":")
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", port, "--workers", "1"]
    command += ["--backend-store-uri", workplace.uri, "--artifacts-destination", str(workplace.folder / "artifacts")]
    log = workplace.folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=workplace.folder,
            env=workplace.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        for _ in range(240):
            if process.poll() is not None:
                pytest.fail(f"the server ended with {process.returncode}: {log.read_text()[-2000:]}")
            try:
                if requests.get(f"http://{address}/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_run_on_a_server_leaves_no_trace_of_its_password(server: str, workplace: Workplace) -> None:
    store = f"http://analyst:{SECRET}@{server}"
    light = ["split=balanced", "n_bootstrap=5", "embedding=tfidf-svd", "embedding.dimension=16", "embedding.min_df=1"]
    answers = [workplace.run("tppo", "train", workplace.corpus, *light, MLFLOW_TRACKING_URI=store)]
    for command in ("show champion", "compare 1 1"):
        answers.append(workplace.run("tppo", *command.split(), MLFLOW_TRACKING_URI=store))
    for answer in answers:
        assert answer.returncode == 0, answer.stderr
        assert SECRET not in answer.stdout + answer.stderr
    kept = [path for path in workplace.folder.rglob("*") if path.is_file()]
    assert any(path.name == "model-card.md" for path in kept)
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
