"""Find trained models: resolve an MLflow URI or a folder to the files of a model and the digest they must have."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from tppo.classify import folder_digest
from tppo.errors import ModelError, UsageError

__all__ = [
    "PAYLOAD",
    "StoredModel",
    "again_if_overtaken",
    "alone_in_store",
    "client",
    "first_line",
    "logged_digest",
    "resolve_model",
    "serve_ui",
    "store_problem",
    "tracking_uri",
    "without_secrets",
]

DIGEST_TAG = "tppo.digest"
CHAMPION, CHALLENGER = "champion", "challenger"
PAYLOAD = "data/tppo-model"

_Result = TypeVar("_Result")
_threads = threading.RLock()
_held = 0  # how often this process has entered `alone_in_store`


@dataclass(frozen=True)
class StoredModel:
    """Where a trained model lies.

    Parameters
    ----------
    name : str
        URI with the version number (``models:/tppo-modus/3``), or the folder as given.
    folder : Path
        The files that `ModusModel.load` reads.
    digest : str
        SHA-256 that the registry recorded at training, else the one logged beside the model, else that of the folder.
    """

    name: str
    folder: Path
    digest: str


def tracking_uri() -> str:
    """Return ``$MLFLOW_TRACKING_URI``, else the SQLite file in the working folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def without_secrets(text: str) -> str:
    """Return a URI, or a message with URIs in it, with passwords and tokens replaced, fit for messages and logs."""
    text = re.sub(r"(://[^:/@\s]*):\S*@", r"\1:***@", text)
    text = re.sub(r"(https?://)[^:/@\s]+@", r"\1***@", text)  # a token in the place of the user
    return re.sub(r"(?i)([?&][^=&\s]*(?:password|passwd|pwd|token|secret|key)[^=&\s]*=)[^&\s]+", r"\1***", text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without secrets."""
    return without_secrets((str(error).strip() or type(error).__name__).splitlines()[0])


def store_problem(error: BaseException) -> str | None:
    """Say what is wrong with the MLflow store, without secrets; None for an error that does not come from it."""
    raised_by = {cls.__module__.split(".")[0] for cls in type(error).__mro__}
    if not raised_by & {"mlflow", "sqlalchemy", "psycopg", "psycopg2", "requests"}:
        return None
    return f"the MLflow store {without_secrets(tracking_uri())} cannot be used: {first_line(error)}"


def serve_ui(port: int) -> None:
    """Run the MLflow UI on 127.0.0.1 in the place of this process, over the store of `tracking_uri`.

    Raises
    ------
    UsageError
        If the runs are on a server, which has its own UI.
    """
    store = tracking_uri()
    if store.startswith(("http://", "https://")):
        raise UsageError(f"the runs are on a server: open {without_secrets(store)} in a browser")
    # The URI goes by the environment: a password in it must not stand in the list of processes.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = store
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--workers", "1", "--port", str(port)]
    os.execv(sys.executable, command)


def client() -> Any:
    """Return an MLflow client for `tracking_uri`."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # it would print a password in the URI
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    store = tracking_uri()
    mlflow.set_tracking_uri(store)
    try:
        with alone_in_store():
            return mlflow.MlflowClient()
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the MLflow store {without_secrets(store)} needs the Python package {error.name!r}: install it"
        ) from None


@contextmanager
def alone_in_store() -> Iterator[None]:
    """Let one process at a time write to an SQLite store; a block may stand within another.

    MLflow looks whether a table, a data set, a version or an alias is there, and adds it if not; of two processes that
    do so at once, one fails. Other stores are not locked, see `again_if_overtaken`.
    """
    global _held
    database = re.fullmatch(r"sqlite:///(.+)", tracking_uri())
    if database is None:
        yield
        return
    import fcntl

    folder = Path(database[1]).parent
    folder.mkdir(parents=True, exist_ok=True)
    with _threads:
        handle = None if _held else os.open(folder, os.O_RDONLY)
        _held += 1
        try:
            if handle is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            _held -= 1
            if handle is not None:
                os.close(handle)


def again_if_overtaken(call: Callable[[], _Result], *, times: int = 3) -> _Result:
    """Call, and call again if another process added the same row of the store in between."""
    from mlflow.exceptions import MlflowException

    for left in reversed(range(times)):
        try:
            return call()
        except MlflowException as error:
            if not left or not re.search("IntegrityError|UniqueViolation|UNIQUE constraint", str(error)):
                raise
    raise AssertionError


def resolve_model(uri: str) -> StoredModel:
    """Find the files of a model.

    Parameters
    ----------
    uri : str
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/RUN/model`` or a folder of a saved model.

    Raises
    ------
    ModelError
        If nothing is found there, or what is there is not one of our models.
    """
    folder = Path(uri)
    if folder.is_dir():
        payload = folder / PAYLOAD if (folder / PAYLOAD).is_dir() else folder
        return StoredModel(uri, payload, logged_digest(payload) or folder_digest(payload))
    if not re.match(r"(models|runs|mlflow-artifacts|s3|gs|file):/", uri):
        raise ModelError(f"no such model: {uri!r} is neither a folder nor a URI such as models:/tppo-modus@champion")
    database = re.fullmatch(r"sqlite:///(.+)", tracking_uri())
    if database and not Path(database[1]).exists():
        raise ModelError(f"no model {uri}: there is no MLflow store {database[1]} here; train one with `tppo train`")
    return (_from_sqlite(uri, Path(database[1])) if database else None) or _from_mlflow(uri)


def _from_sqlite(uri: str, database: Path) -> StoredModel | None:
    """Look a registered model up in MLflow's own SQLite file, read-only.

    Importing MLflow takes longer than labelling an article; this gives what `_from_mlflow` gives (tested), or None
    where the tables are not as expected, the model is not there, or its files are not local.
    """
    match = re.fullmatch(r"models:/([^/@]+)(?:@([^/]+)|/(\d+))", uri)
    if match is None:
        return None
    name, alias, version = match.groups()
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database.resolve()))}?mode=ro", uri=True, timeout=10)) as db:
            if alias is not None:
                found = db.execute(
                    "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", (name, alias)
                ).fetchall()
                if len(found) != 1:
                    return None
                version = found[0][0]
            places = db.execute(
                "SELECT storage_location FROM model_versions WHERE name = ? AND version = ?", (name, int(version))
            ).fetchall()
            tags = db.execute(
                "SELECT value FROM model_version_tags WHERE name = ? AND version = ? AND key = ?",
                (name, int(version), DIGEST_TAG),
            ).fetchall()
    except sqlite3.Error:
        return None
    if len(places) != 1 or len(tags) != 1 or not places[0][0]:
        return None
    folder = Path(str(places[0][0]).removeprefix("file://")) / PAYLOAD
    if not (folder / "model.json").is_file():
        return None
    return StoredModel(f"models:/{name}/{version}", folder, tags[0][0])


def _from_mlflow(uri: str) -> StoredModel:
    """Download a model from the registry or a run, with the digest logged beside it."""
    import mlflow
    from mlflow.exceptions import MlflowException

    api = client()
    name, digest = uri, None
    try:
        if match := re.fullmatch(r"models:/([^/@]+)(?:@([^/]+)|/(\d+))", uri):
            version = (
                api.get_model_version_by_alias(match[1], match[2])
                if match[2]
                else api.get_model_version(match[1], match[3])
            )
            name, digest = f"models:/{match[1]}/{version.version}", version.tags.get(DIGEST_TAG)
            if digest is None:
                raise ModelError(f"{uri} was not registered by tppo: version {version.version} has no tag {DIGEST_TAG}")
        local = Path(mlflow.artifacts.download_artifacts(artifact_uri=name))
    except MlflowException as error:
        store = without_secrets(tracking_uri())
        raise ModelError(f"no model {uri} in {store}: {first_line(error)}; train one with `tppo train`") from None
    except OSError as error:
        raise ModelError(f"the files of {uri} are missing: {error}") from None
    if not (local / PAYLOAD / "model.json").is_file():
        raise ModelError(f"{uri} is not a tppo model: expected {PAYLOAD}/model.json among its files")
    return StoredModel(
        name, local / PAYLOAD, digest or logged_digest(local / PAYLOAD) or folder_digest(local / PAYLOAD)
    )


def logged_digest(payload: Path) -> str | None:
    """Return the SHA-256 that MLflow's ``MLmodel`` file beside a model's files records; None without such a file.

    It lies in the same folder as the model: it tells damage, and the tag in the registry tells tampering.

    Raises
    ------
    ModelError
        If the file is there but records no digest of ours.
    """
    import yaml

    path = payload.parents[1] / "MLmodel" if payload.parts[-2:] == Path(PAYLOAD).parts else None
    if path is None or not path.is_file():
        return None
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["metadata"][DIGEST_TAG])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ModelError(f"{path} was not written by tppo: it records no {DIGEST_TAG} ({first_line(error)})") from None
