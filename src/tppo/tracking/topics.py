"""One MLflow run per topic model: parameters, metrics, tags, data, plots and the model's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tppo import __version__
from tppo.errors import DataError
from tppo.tracking.experiments import open_run
from tppo.tracking.runs import Dataset
from tppo.tracking.source import code_commit

__all__ = ["TopicsRecord", "log_topics_run", "topics_folder"]


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

    with open_run(record.experiment, record.run_name) as run_id:
        mlflow.log_params(dict(record.params))
        mlflow.set_tags({**record.tags, "git.commit": code_commit(), "tppo.version": __version__})
        data = record.dataset
        entry = mlflow.data.from_pandas(data.table, source=CodeDatasetSource({"paths": data.source}), name=data.name)
        mlflow.log_input(entry, context=data.context)
        for path, text in record.texts.items():
            mlflow.log_text(text, path)
        mlflow.log_artifacts(str(model_folder), "model")
        mlflow.log_metrics({name: value for name, value in record.metrics.items() if value == value})
        return run_id


def topics_folder(spec: str, scratch: Path) -> Path:
    """Return the folder of a saved topic model: of a run, downloaded to `scratch`, or one that ``out=`` wrote.

    Parameters
    ----------
    spec : str
        A folder with ``topics.json`` or with ``model/topics.json``, or the id of a run.
    scratch : Path
        Where to download to.

    Raises
    ------
    DataError
        If there is neither.
    """
    for folder in (Path(spec) / "model", Path(spec)):
        if (folder / "topics.json").is_file():
            return folder
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run = spec.removeprefix("runs:/").split("/")[0]
        return Path(mlflow.artifacts.download_artifacts(run_id=run, artifact_path="model", dst_path=str(scratch)))
    except (MlflowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise DataError(
            f"expected a folder with a topic model or the id of a topic run, got {spec!r} ({why})"
        ) from None
