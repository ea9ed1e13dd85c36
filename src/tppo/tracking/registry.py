"""Find trained models: resolve an MLflow URI or a folder to the files of a model and the digest they must have."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tppo.errors import ModelError, UsageError

__all__ = ["PAYLOAD", "StoredModel", "client", "resolve_model", "serve_ui", "tracking_uri", "without_secrets"]

DIGEST_TAG = "tppo.digest"
CHAMPION, CHALLENGER = "champion", "challenger"
PAYLOAD = "data/tppo-model"


@dataclass(frozen=True)
class StoredModel:
    """Where a trained model lies.

    Parameters
    ----------
    name : str
        URI with the version number (``models:/tppo-modus/3``), or the folder as given.
    folder : Path
        The files that `ModusModel.load` reads.
    digest : str or None
        SHA-256 the registry recorded at training; None for a plain folder.
    """

    name: str
    folder: Path
    digest: str | None


def tracking_uri() -> str:
    """Return ``$MLFLOW_TRACKING_URI``, else the SQLite file in the working folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


def without_secrets(uri: str) -> str:
    """Return a URI with the password replaced, fit for messages and logs."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", uri)


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
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, command)


def client() -> Any:
    """Return an MLflow client for `tracking_uri`."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    mlflow.set_tracking_uri(tracking_uri())
    return mlflow.MlflowClient()


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
        return StoredModel(uri, folder / PAYLOAD if (folder / PAYLOAD).is_dir() else folder, None)
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
        store, why = without_secrets(tracking_uri()), str(error).splitlines()[0]
        raise ModelError(f"no model {uri} in {store}: {why}; train one with `tppo train`") from None
    except OSError as error:
        raise ModelError(f"the files of {uri} are missing: {error}") from None
    if not (local / PAYLOAD / "model.json").is_file():
        raise ModelError(f"{uri} is not a tppo model: expected {PAYLOAD}/model.json among its files")
    return StoredModel(name, local / PAYLOAD, digest)
