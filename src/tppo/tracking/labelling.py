"""One MLflow run per labelling job: settings, counts and the drift report."""

from __future__ import annotations

from collections.abc import Mapping

from tppo import __version__
from tppo.tracking.experiments import open_run

__all__ = ["log_labelling_run"]


def log_labelling_run(
    *,
    experiment: str,
    run_name: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    texts: Mapping[str, str],
) -> str:
    """Log a labelling job.

    Parameters
    ----------
    experiment, run_name : str
        Names in MLflow.
    params : mapping of str to str
        Settings of the job.
    metrics : mapping of str to float
        Counts, rates and drift; NaN values are left out.
    texts : mapping of str to str
        Artifact path to content.

    Returns
    -------
    str
        Id of the run.
    """
    import mlflow

    with open_run(experiment, run_name) as run_id:
        mlflow.log_params(dict(params))
        mlflow.set_tag("tppo.version", __version__)
        for path, text in texts.items():
            mlflow.log_text(text, path)
        mlflow.log_metrics({name: value for name, value in metrics.items() if value == value})
        return run_id
