"""All that touches MLflow: runs, the model registry, the served model."""

from tppo.tracking.registry import PAYLOAD, StoredModel, resolve_model, tracking_uri, without_secrets
from tppo.tracking.runs import Dataset, LoggedRun, RunRecord, log_training_run

__all__ = [
    "PAYLOAD",
    "Dataset",
    "LoggedRun",
    "RunRecord",
    "StoredModel",
    "log_training_run",
    "resolve_model",
    "tracking_uri",
    "without_secrets",
]
