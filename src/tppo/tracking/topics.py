"""One MLflow run per topic model: parameters, metrics, tags, data, plots and the model's files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tppo import __version__
from tppo.tracking.registry import client
from tppo.tracking.runs import Dataset
from tppo.tracking.source import code_commit

__all__ = ["TopicsRecord", "log_topics_run"]


@dataclass(frozen=True)
class TopicsRecord:
    """Everything a topic run leaves behind, besides the model's folder.

    Parameters
    ----------
    experiment, run_name : str
        Names in MLflow.
    params, tags : mapping of str to str
        The flattened configuration; digests and fingerprints.
    metrics : mapping of str to float
        Names as the design lists them (``topics/npmi``); NaN values are left out.
    dataset : Dataset
        Logged as input.
    texts : mapping of str to str
        Artifact path to content: HTML plots, tables.
    """

    experiment: str
    run_name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    dataset: Dataset
    texts: Mapping[str, str] = field(default_factory=dict)


def log_topics_run(record: TopicsRecord, model_folder: Path) -> str:
    """Log a topic run with the files of its model under ``model/`` and return the run's id."""
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    client()
    mlflow.set_experiment(record.experiment)
    with mlflow.start_run(run_name=record.run_name) as run:
        mlflow.log_params(dict(record.params))
        mlflow.set_tags({**record.tags, "git.commit": code_commit(), "tppo.version": __version__})
        data = record.dataset
        entry = mlflow.data.from_pandas(data.table, source=CodeDatasetSource({"paths": data.source}), name=data.name)
        mlflow.log_input(entry, context=data.context)
        for path, text in record.texts.items():
            mlflow.log_text(text, path)
        mlflow.log_artifacts(str(model_folder), "model")
        mlflow.log_metrics({name: value for name, value in record.metrics.items() if value == value})
        return str(run.info.run_id)
