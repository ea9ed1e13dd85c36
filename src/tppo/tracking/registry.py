"""Find registered models: resolve a URI to a checked folder, register a new version, move the champion alias."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tppo.errors import ModelError

__all__ = ["StoredModel", "client", "resolve_model", "tracking_uri", "without_secrets"]

DIGEST_TAG = "tppo.digest"
PAYLOAD = "data"


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
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", uri)


def client() -> Any:
    """Return an MLflow client for `tracking_uri`."""
    import mlflow

    mlflow.set_tracking_uri(tracking_uri())
    return mlflow.MlflowClient()


def resolve_model(uri: str) -> StoredModel:
    """Find the files of a model.

    Parameters
    ----------
    uri : str
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/RUN/model`` or a folder that `ModusModel.save` wrote.

    Raises
    ------
    ModelError
        If nothing is found there, or what is there is not one of our models.
    """
    folder = Path(uri)
    if folder.is_dir():
        return StoredModel(uri, folder / PAYLOAD if (folder / "MLmodel").is_file() else folder, None)
    if not re.match(r"(models|runs|mlflow-artifacts|s3|gs|file):/", uri):
        raise ModelError(f"no such model: {uri!r} is neither a folder nor a URI such as models:/tppo-modus@champion")
    database = re.fullmatch(r"sqlite:///(.+)", tracking_uri())
    if database and not Path(database[1]).exists():
        raise ModelError(f"no model {uri}: there is no MLflow store {database[1]} here; train one with `tppo train`")
    return _from_mlflow(uri)


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
        raise ModelError(
            f"no model {uri} in {without_secrets(tracking_uri())}: {str(error).splitlines()[0]}; train one with `tppo train`"
        ) from None
    except OSError as error:
        raise ModelError(f"the files of {uri} are missing: {error}") from None
    if not (local / PAYLOAD / "model.json").is_file():
        raise ModelError(f"{uri} is not a tppo model: expected {PAYLOAD}/model.json among its files")
    return StoredModel(name, local / PAYLOAD, digest)
