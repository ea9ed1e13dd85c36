"""One MLflow run per training: parameters, metrics, tags, data, plots and the registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tppo import __version__
from tppo.evaluate import Predictions
from tppo.tracking.card import model_card, reproduce_command, summary
from tppo.tracking.experiments import open_run, use_experiment
from tppo.tracking.lookup import REPRODUCES, find_run
from tppo.tracking.promotion import TEST_TAG, Promotion, Reread, crown
from tppo.tracking.registry import CHAMPION, DIGEST_TAG, again_if_overtaken, client
from tppo.tracking.source import code_commit, code_digest, environment

__all__ = [
    "Dataset",
    "LoggedRun",
    "RunRecord",
    "log_training_run",
    "note_reproduction",
]

F1_TAG = "tppo.test_f1_macro"


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
    test : Predictions
        For the articles that the metrics were computed on.
    test_digest : str
        Of these articles.
    """

    experiment: str
    run_name: str
    registered_model: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    test: Predictions
    test_digest: str
    datasets: Sequence[Dataset] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class LoggedRun:
    """Where a run went: its id, the model version it registered, that version's standing (or None), and why."""

    run_id: str
    version: int | None
    standing: str | None
    reason: str

    @property
    def is_champion(self) -> bool:
        """Whether the run's model is what is used by default."""
        return self.standing == CHAMPION


def log_training_run(
    record: RunRecord,
    model_folder: Path,
    *,
    digest: str,
    signature: Any,
    example: Any,
    reread: Reread,
    register: bool = True,
) -> LoggedRun:
    """Log a run with its model, and give the model its standing, see `tppo.tracking.promotion`.

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
    reread : callable
        Reads this run's test articles with a stored model; called when the champion was scored on others.
    register : bool
        Whether the model is registered and may become champion; else the run has no model.
    """
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource

    api = client()
    use_experiment(record.experiment)
    with open_run(record.experiment, record.run_name, record.tags) as run_id:
        mlflow.log_params(dict(record.params))
        _describe(record, run_id, digest)
        for dataset in record.datasets:
            entry = mlflow.data.from_pandas(
                dataset.table, source=CodeDatasetSource({"paths": dataset.source}), name=dataset.name
            )
            again_if_overtaken(partial(mlflow.log_input, entry, context=dataset.context))
        for path, figure in record.figures.items():
            mlflow.log_figure(figure, path, save_kwargs={"dpi": 130})
        for path, text in record.texts.items():
            mlflow.log_text(text, path)
        if not register:
            mlflow.log_metrics(dict(record.metrics))
            return LoggedRun(run_id, None, None, "not registered")
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
        version, f1 = int(info.registered_model_version), record.metrics["test/f1_macro"]
        for key, value in ((DIGEST_TAG, digest), (F1_TAG, repr(f1)), (TEST_TAG, record.test_digest)):
            api.set_model_version_tag(record.registered_model, str(version), key, value)
        promotion = crown(record.registered_model, version, find_run(run_id), record.test, reread)
        _log_standing(promotion)
        return LoggedRun(run_id, version, promotion.standing, promotion.reason)


def _log_standing(promotion: Promotion) -> None:
    """Log the difference to the champion as metrics of the open run, so that the list of runs can show and sort it."""
    import mlflow

    mlflow.set_tag("tppo.standing", f"{promotion.standing or 'none'}: {promotion.reason}"[:5000])
    if promotion.comparison is not None:
        score = promotion.comparison.result.f1_macro
        found = {"": score.difference.value, "_lo": score.difference.low, "_hi": score.difference.high}
        metrics = {f"vs_champion/f1_macro{suffix}": value for suffix, value in found.items()}
        mlflow.log_metrics({k: v for k, v in {**metrics, "vs_champion/p": score.p}.items() if v == v})


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


def note_reproduction(run_id: str, original: str, *, is_equal: bool) -> None:
    """Mark a run as made again from another, and whether the same came out."""
    api = client()
    api.set_tag(run_id, REPRODUCES, original)
    api.set_tag(run_id, "tppo.reproduced", "equal" if is_equal else "different")
