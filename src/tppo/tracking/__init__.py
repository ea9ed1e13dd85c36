"""All that touches MLflow: runs, the model registry, the served model."""

from tppo.tracking.registry import PAYLOAD, StoredModel, resolve_model, tracking_uri, without_secrets
from tppo.tracking.runs import Dataset, LoggedRun, RunRecord, log_training_run
from tppo.tracking.topics import TopicsRecord, log_topics_run

__all__ = [
    "PAYLOAD",
    "Dataset",
    "LoggedRun",
    "RunRecord",
    "StoredModel",
    "TopicsRecord",
    "log_topics_run",
    "log_training_run",
    "resolve_model",
    "tracking_uri",
    "without_secrets",
]
