"""Topic models on disk: JSON and safetensors, never pickle; what was changed or is foreign is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tppo.errors import ModelError
from tppo.topics.base import Topic, TopicSettings
from tppo.topics.consensus import Reduction
from tppo.topics.model import TopicModel

__all__ = ["load_topics", "save_topics"]

FORMAT = 2
_JSON, _ARRAYS = "topics.json", "topics.safetensors"


def save_topics(model: TopicModel, folder: Path) -> str:
    """Write ``topics.json`` and ``topics.safetensors`` into a folder and return the model's SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "mean": model.reduction.mean,
        "basis": model.reduction.basis,
        "centroids": model.centroids,
        "counts": model.counts,
    }
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    state: dict[str, Any] = {
        "format": FORMAT,
        "fingerprint": model.fingerprint,
        "settings": asdict(model.settings),
        "min_similarity": model.min_similarity,
        "vocabulary": list(model.vocabulary),
        "topics": [asdict(topic) for topic in model.topics],
        "tried": {str(k): v for k, v in model.tried.items()},
        "lineage": model.lineage,
        "arrays_sha256": hashlib.sha256(data).hexdigest(),
    }
    state["sha256"] = _digest(state)
    (folder / _ARRAYS).write_bytes(data)
    (folder / _JSON).write_text(json.dumps(state, ensure_ascii=False, indent=1), encoding="utf-8")
    return str(state["sha256"])


def _digest(state: dict[str, Any]) -> str:
    content = {key: value for key, value in state.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_topics(folder: Path) -> TopicModel:
    """Read what `save_topics` wrote.

    Raises
    ------
    ModelError
        If the folder holds no topic model, or one that was changed, is damaged or of another format.
    """
    try:
        state = json.loads((folder / _JSON).read_text(encoding="utf-8"))
        data = (folder / _ARRAYS).read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no topic model: {error}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else type(state).__name__
        raise ModelError(f"{folder / _JSON}: expected topic model format {FORMAT}, got {found!r}")
    if state.get("sha256") != _digest(state):
        raise ModelError(f"{folder / _JSON} was changed after it was saved: its SHA-256 does not fit")
    if state.get("arrays_sha256") != (found := hashlib.sha256(data).hexdigest()):
        raise ModelError(f"{folder / _ARRAYS} was changed: expected SHA-256 {state.get('arrays_sha256')}, got {found}")
    try:
        arrays = load(data)
        topics = [
            Topic(**{**row, "words": tuple(row["words"]), "representatives": tuple(row["representatives"])})
            for row in state["topics"]
        ]
        model = TopicModel(
            settings=TopicSettings(**state["settings"]),
            fingerprint=str(state["fingerprint"]),
            reduction=Reduction(arrays["mean"], arrays["basis"]),
            centroids=arrays["centroids"],
            min_similarity=float(state["min_similarity"]),
            vocabulary=tuple(state["vocabulary"]),
            counts=arrays["counts"],
            topics=topics,
            tried={int(k): float(v) for k, v in state["tried"].items()},
            lineage=list(state["lineage"]),
        )
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ModelError(f"{folder} holds a damaged topic model: {error}") from None
    shapes = (model.centroids.shape, model.counts.shape, model.reduction.basis.shape)
    n, width = len(topics), model.reduction.basis.shape[-1]
    if shapes != ((n, width), (n, len(model.vocabulary)), (len(model.reduction.mean), width)) or not all(
        np.isfinite(a).all() for a in arrays.values()
    ):
        raise ModelError(
            f"{folder}: arrays do not fit {n} topics and {len(model.vocabulary)} words, got shapes {shapes}"
        )
    return model
