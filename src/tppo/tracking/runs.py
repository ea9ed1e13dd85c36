"""One MLflow run per training: parameters, metrics, tags, data, plots and the registered model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tppo import __version__
from tppo.errors import ModelError
from tppo.tracking.card import model_card, reproduce_command, summary
from tppo.tracking.registry import CHAMPION, DIGEST_TAG, StoredModel, client, resolve_model
from tppo.tracking.source import code_commit, code_digest, environment

__all__ = ["Dataset", "LoggedRun", "RunRecord", "close_parent_run", "log_training_run", "open_parent_run"]

F1_TAG = "tppo.test_f1_macro"
TEST_TAG = "tppo.test_digest"


@dataclass(frozen=True)
class Dataset:
    """Articles that a run used: a table, where it came from, and what for."""

    name: str
    context: str
    source: str
    table: Any


@dataclass(frozen=True)
class RunRecord:
    """Everything a training run leaves behind.

    Parameters
    ----------
    experiment, run_name, registered_model : str
        Names in MLflow.
    params : mapping of str to str
        The flattened configuration.
    metrics : mapping of str to float
        Names as the design lists them (``test/f1_macro``).
    tags : mapping of str to str
        Digests and fingerprints.
    datasets : sequence of Dataset
        Logged as inputs.
    figures : mapping of str to matplotlib Figure
        Artifact path to figure.
    texts : mapping of str to str
        Artifact path to content.
    labels : sequence of str
        Label keys, the context label last.
    notes : sequence of str
        What the run showed of its own limits; for the model card.
    test_digest : str
        Of the articles the metrics were computed on.
    """

    experiment: str
    run_name: str
    registered_model: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    test_digest: str
    datasets: Sequence[Dataset] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class LoggedRun:
    """Where a run went: its id, the model version it registered, and whether that became champion (and why)."""

    run_id: str
    version: int | None
    is_champion: bool
    reason: str


def log_training_run(
    record: RunRecord,
    model_folder: Path,
    *,
    digest: str,
    signature: Any,
    example: Any,
    rescore: Callable[[StoredModel], float],
    register: bool = True,
    parent: str | None = None,
) -> LoggedRun:
    """Log a run with its model, and make the model champion if it is better than the present one.

    Parameters
    ----------
    record : RunRecord
        What to log.
    model_folder : Path
        What `ModusModel.save` wrote.
    digest : str
        Its SHA-256, recorded in the registry and checked at every loading.
    signature, example : object
        MLflow signature and input example.
    rescore : callable
        Scores a stored model (macro-F1) on this run's test articles; called when the champion was scored on others.
    register : bool
        Whether the model is registered and may become champion; else the run has no model.
    parent : str, optional
        Id of the run this one is a part of.
    """
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    api = client()
    mlflow.set_experiment(record.experiment)
    with mlflow.start_run(run_name=record.run_name, parent_run_id=parent) as run:
        mlflow.log_params(dict(record.params))
        _describe(record, run.info.run_id, digest)
        for dataset in record.datasets:
            entry = mlflow.data.from_pandas(
                dataset.table, source=CodeDatasetSource({"paths": dataset.source}), name=dataset.name
            )
            mlflow.log_input(entry, context=dataset.context)
        for path, figure in record.figures.items():
            mlflow.log_figure(figure, path, save_kwargs={"dpi": 130})
        for path, text in record.texts.items():
            mlflow.log_text(text, path)
        if not register:
            mlflow.log_metrics(dict(record.metrics))
            return LoggedRun(run.info.run_id, None, False, "not registered")
        info = mlflow.pyfunc.log_model(
            name="model",
            loader_module="tppo.tracking.pyfunc",
            data_path=str(model_folder),
            signature=signature,
            input_example=example,
            pip_requirements=[f"tppo=={__version__}"],
            registered_model_name=record.registered_model,
            metadata={DIGEST_TAG: digest},
        )
        mlflow.log_metrics(dict(record.metrics), model_id=info.model_id)
        version = int(info.registered_model_version)
        f1 = record.metrics["test/f1_macro"]
        for key, value in ((DIGEST_TAG, digest), (F1_TAG, repr(f1)), (TEST_TAG, record.test_digest)):
            api.set_model_version_tag(record.registered_model, str(version), key, value)
        is_champion, reason = _crown(api, record.registered_model, version, f1, record.test_digest, rescore)
        return LoggedRun(run.info.run_id, version, is_champion, reason)


def _describe(record: RunRecord, run_id: str, digest: str) -> None:
    """Tell what the run is and what it was made with: tags, description, model card, environment."""
    import mlflow

    commit = code_commit()
    command = reproduce_command(run_id, commit)
    tags = {
        **record.tags,
        "git.commit": commit,
        "tppo.code_digest": code_digest(),
        "tppo.model_digest": digest,
        "tppo.reproduce": command,
        "tppo.version": __version__,
    }
    mlflow.set_tags({**tags, "mlflow.note.content": summary(record.run_name, record.metrics, command)})
    card = model_card(
        name=record.run_name,
        labels=record.labels,
        params=record.params,
        metrics=record.metrics,
        tags=tags,
        notes=record.notes,
        command=command,
    )
    mlflow.log_text(card, "model-card.md")
    mlflow.log_dict(environment(), "environment.json")


def _crown(
    api: Any, name: str, version: int, f1: float, test_digest: str, rescore: Callable[[StoredModel], float]
) -> tuple[bool, str]:
    """Move the champion alias to `version` if its macro-F1 is higher on the same test articles."""
    from mlflow.exceptions import MlflowException

    try:
        champion = api.get_model_version_by_alias(name, CHAMPION)
    except MlflowException:
        api.set_registered_model_alias(name, CHAMPION, str(version))
        return True, "the first model"
    if champion.tags.get(TEST_TAG) == test_digest:
        best = float(champion.tags[F1_TAG])
    else:
        try:
            best = rescore(resolve_model(f"models:/{name}/{champion.version}"))
        except ModelError as error:
            return (
                False,
                f"version {champion.version} stays champion: it could not be scored on these articles ({error})",
            )
    if f1 > best:
        api.set_registered_model_alias(name, CHAMPION, str(version))
        return True, f"macro-F1 {f1:.4f} is above version {champion.version}'s {best:.4f}"
    return False, f"version {champion.version} stays champion: macro-F1 {best:.4f}, this one {f1:.4f}"


def open_parent_run(experiment: str, name: str, run_id: str | None) -> str:
    """Open the run that the trials of a sweep are parts of, or take an earlier one up again.

    Parts that a kill left running are marked as killed.

    Returns
    -------
    str
        The run's id.
    """
    import mlflow

    api = client()
    found = mlflow.set_experiment(experiment).experiment_id
    if run_id is None:
        return str(api.create_run(found, run_name=name, tags={"tppo.sweep": name}).info.run_id)
    running = f"tags.mlflow.parentRunId = '{run_id}' AND attributes.status = 'RUNNING'"
    for run in api.search_runs([found], filter_string=running):
        api.set_terminated(run.info.run_id, status="KILLED")
    api.update_run(run_id, status="RUNNING")
    return run_id


def close_parent_run(run_id: str, *, params: Mapping[str, str], metrics: Mapping[str, float]) -> None:
    """Write the best trial's settings and scores to the parent run and end it."""
    api = client()
    for key, value in params.items():
        api.set_tag(run_id, f"best.{key}", value)
    for key, number in metrics.items():
        api.log_metric(run_id, key, number)
    api.set_terminated(run_id)
