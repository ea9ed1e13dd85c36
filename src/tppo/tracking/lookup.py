"""Find runs by id, name or standing, and read what they left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tppo.errors import DataError, UsageError
from tppo.evaluate import Predictions
from tppo.tracking.registry import CHALLENGER, CHAMPION, DIGEST_TAG, client, first_line, tracking_uri, without_secrets

__all__ = ["PREDICTIONS", "REPRODUCES", "StoredRun", "find_run", "read_predictions", "read_text"]

REPRODUCES = "tppo.reproduces"

# Part of the data to the artifact that holds what the run said about it.
PREDICTIONS = {"test": "predictions/test.csv", "oof": "predictions/oof.csv"}


@dataclass(frozen=True)
class StoredRun:
    """A training run as MLflow has it."""

    run_id: str
    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def shown(self) -> str:
        """Name and short id, for tables and messages."""
        return f"{self.name} ({self.run_id[:8]})"


def find_run(spec: str, *, registered_model: str = "tppo-modus") -> StoredRun:
    """Find a training run.

    Parameters
    ----------
    spec : str
        ``champion`` or ``challenger`` (the run of that version of `registered_model`), ``latest`` (the last finished
        training run that is no trial of a sweep and no reproduction), a model (``models:/NAME@ALIAS``,
        ``models:/NAME/VERSION``, or a version number alone), the ``model`` column of labelled output (a model and
        ``sha256:…``, or that alone), a run's id or the first 6 or more characters of it, or a run's name.

    Raises
    ------
    UsageError
        If no run, or more than one, answers to `spec`.
    """
    from mlflow.exceptions import MlflowException

    api = client()
    if spec in (CHAMPION, CHALLENGER):
        spec = f"models:/{registered_model}@{spec}"
    elif re.fullmatch(r"\d{1,5}", spec):
        spec = f"models:/{registered_model}/{spec}"
    try:
        if digest := re.fullmatch(r"(?:(\S+) )?sha256:([0-9a-f]{64})", spec):
            return _by_digest(api, digest[2], digest[1])
        if match := re.fullmatch(r"models:/([^/@]+)(?:@([^/]+)|/(\d+))", spec):
            name, alias, number = match.groups()
            version = api.get_model_version_by_alias(name, alias) if alias else api.get_model_version(name, number)
            return _stored(api.get_run(version.run_id))
        if re.fullmatch(r"[0-9a-f]{32}", spec):
            return _stored(api.get_run(spec))
        found = _search(api, spec)
    except MlflowException as error:
        raise UsageError(f"no run {spec!r} in {without_secrets(tracking_uri())}: {first_line(error)}") from None
    if not found:
        raise UsageError(
            f"no training run {spec!r} in {without_secrets(tracking_uri())}: expected champion, challenger, latest, "
            "a model version, a run's id or a run's name (`make ui` lists them)"
        )
    if len(found) > 1:
        ids = ", ".join(run.run_id[:8] for run in found[:5])
        raise UsageError(f"{len(found)} runs answer to {spec!r}: give an id: {ids}{' …' if len(found) > 5 else ''}")
    return found[0]


def _by_digest(api: Any, digest: str, uri: str | None) -> StoredRun:
    """Return the run whose model has a digest; the version that `uri` names, else the first that was registered."""
    versions = api.search_model_versions(f"tags.`{DIGEST_TAG}` = '{digest}'")
    named = [v for v in versions if uri in (None, f"models:/{v.name}/{v.version}")]
    if not named:
        which = f"{len(versions)} other versions have" if versions else "no version has"
        raise UsageError(f"no model {uri or ''} with SHA-256 {digest} in {without_secrets(tracking_uri())}: {which} it")
    return _stored(api.get_run(min(named, key=lambda v: int(v.version)).run_id))


def _search(api: Any, spec: str) -> list[StoredRun]:
    """Return the finished training runs, newest first, that answer to a name, the start of an id or ``latest``."""
    places = [e.experiment_id for e in api.search_experiments()]
    finished = "attributes.status = 'FINISHED' AND tags.`tppo.test_digest` != ''"
    newest = ["attributes.start_time DESC"]
    if spec == "latest":
        token = None
        while True:
            page = api.search_runs(places, finished, order_by=newest, max_results=50, page_token=token)
            trained = [run for run in page if not {"mlflow.parentRunId", REPRODUCES} & set(run.data.tags)]
            if trained or not page.token:
                return [_stored(run) for run in trained[:1]]
            token = page.token
    quote = '"' if "'" in spec else "'"
    named = f"{finished} AND attributes.run_name = {quote}{spec}{quote}"
    found = api.search_runs(places, named, order_by=newest, max_results=100)
    if not found and re.fullmatch(r"[0-9a-f]{6,31}", spec):
        begins = f"{finished} AND attributes.run_id LIKE '{spec}%'"
        found = api.search_runs(places, begins, order_by=newest, max_results=100)
    return [_stored(run) for run in found]


def _stored(run: Any) -> StoredRun:
    data = run.data
    return StoredRun(run.info.run_id, run.info.run_name or "", dict(data.tags), dict(data.params), dict(data.metrics))


def read_text(run: StoredRun, path: str) -> str:
    """Return the content of an artifact of a run.

    Raises
    ------
    DataError
        If the run has no such artifact.
    """
    import tempfile

    import mlflow
    from mlflow.exceptions import MlflowException

    client()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            local = mlflow.artifacts.download_artifacts(run_id=run.run_id, artifact_path=path, dst_path=scratch)
            return Path(local).read_text(encoding="utf-8")
        except (MlflowException, OSError) as error:
            why = f"{path} ({first_line(error)})"
            raise DataError(f"run {run.shown} has no {why}; was it trained by this version of tppo?") from None


def read_predictions(run: StoredRun, part: str) -> Predictions:
    """Return what a run said about a part of its data.

    Parameters
    ----------
    run : StoredRun
        From `find_run`.
    part : {"test", "oof"}
        The test part, or the training articles read by models that had not learnt from them.

    Raises
    ------
    DataError
        If the run has no predictions for that part.
    """
    return Predictions.from_csv(read_text(run, PREDICTIONS[part]))
