"""The output contract: what a labelled article looks like as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tppo.classify.model import Readings
from tppo.classify.scorer import YES

__all__ = ["DECISIONS", "column_names", "columns", "error_row", "rows"]

DECISIONS = ("no", "review", "yes")


def column_names(keys: Sequence[str]) -> list[str]:
    """Return the columns of the output for the given labels (modus first, the context label last), in order."""
    context = keys[-1]
    scores = [name for key in keys[:-1] for name in (f"p_{key}", f"decision_{key}")]
    return [
        "id",
        "modus",
        *scores,
        context,
        f"p_{context}",
        f"decision_{context}",
        "evidence",
        "group",
        "n_tokens",
        "n_tokens_dropped",
        "model",
        "error",
    ]


def columns(
    readings: Readings, *, ids: Sequence[str], groups: Sequence[str | None], model: str
) -> dict[str, Sequence[Any]]:
    """Return the output of a batch column by column.

    Parameters
    ----------
    readings : Readings
        What the model said.
    ids, groups : sequence, length n_articles
        Of the articles; a missing group stays None.
    model : str
        URI and digest of the model.

    Returns
    -------
    dict
        Column name to its values, in the order of `column_names`; probabilities rounded to 6 places.
    """
    *modus, context = readings.keys
    given = readings.decisions == YES
    probabilities = np.round(readings.probabilities, 6)
    found: dict[str, Sequence[Any]] = {
        "id": list(ids),
        "modus": [[key for key, yes in zip(modus, row) if yes] for row in given.tolist()],
        context: given[:, -1].tolist(),
        "evidence": [
            [{"label": e.label, "start": e.start, "end": e.end, "text": e.text, "score": e.score} for e in quotes]
            for quotes in readings.evidence
        ],
        "group": list(groups),
        "n_tokens": readings.n_tokens.tolist(),
        "n_tokens_dropped": readings.n_dropped.tolist(),
        "model": [model] * len(ids),
        "error": list(readings.reasons),
    }
    for k, key in enumerate(readings.keys):
        found[f"p_{key}"] = probabilities[:, k].tolist()
        found[f"decision_{key}"] = [DECISIONS[d] for d in readings.decisions[:, k].tolist()]
    return {name: found[name] for name in column_names(readings.keys)}


def rows(readings: Readings, *, ids: Sequence[str], groups: Sequence[str | None], model: str) -> list[dict[str, Any]]:
    """Return what `columns` returns row by row."""
    found = columns(readings, ids=ids, groups=groups, model=model)
    return [dict(zip(found, values)) for values in zip(*found.values())]


def error_row(keys: Sequence[str], *, identifier: str | None, model: str, error: str) -> Mapping[str, Any]:
    """Return the row of an article that could not be labelled: all columns empty but id, model and error."""
    row: dict[str, Any] = dict.fromkeys(column_names(keys))
    row.update(id=identifier, modus=[], evidence=[], model=model, error=error)
    return row
