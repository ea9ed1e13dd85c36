"""One MLflow run per trained sentence encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["log_encoder_run"]

EXPERIMENT = "encoders"
# The weights stay where they are; the run keeps what tells them apart and how they were made.
_KEPT = ("training.json", "modules.json")


def log_encoder_run(
    folder: Path,
    *,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    history: Sequence[tuple[int, Mapping[str, float]]],
    tags: Mapping[str, str],
) -> str:
    """Log the training of an encoder in the experiment ``encoders``.

    Parameters
    ----------
    folder : Path
        The encoder's; its training card is kept as an artifact.
    params : mapping of str to str
        Recipe and sources.
    metrics : mapping of str to float
        Of the finished encoder.
    history : sequence of (int, mapping)
        Step and metrics during training.
    tags : mapping of str to str
        Fingerprint and location.

    Returns
    -------
    str
        The run's id.
    """
    import mlflow

    from tppo import __version__
    from tppo.tracking.experiments import open_run

    with open_run(EXPERIMENT, folder.name) as run_id:
        mlflow.log_params(dict(params))
        mlflow.set_tags({**tags, "tppo.version": __version__})
        for step, values in history:
            mlflow.log_metrics(dict(values), step=step)
        mlflow.log_metrics({f"final/{name}": value for name, value in metrics.items()})
        for name in _KEPT:
            mlflow.log_artifact(str(folder / name))
        return run_id
