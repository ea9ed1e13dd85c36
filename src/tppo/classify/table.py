"""The output contract: what a labelled article looks like as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tppo.classify.model import Readings
from tppo.classify.scorer import YES

__all__ = ["DECISIONS", "column_names", "error_row", "rows"]

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


def rows(readings: Readings, *, ids: Sequence[str], groups: Sequence[str | None], model: str) -> list[dict[str, Any]]:
    """Return the output rows of a batch.

    Parameters
    ----------
    readings : Readings
        What the model said.
    ids, groups : sequence, length n_articles
        Of the articles; a missing group stays None.
    model : str
        URI and digest of the model.
    """
    *modus, context = readings.keys
    out = []
    for i, identifier in enumerate(ids):
        row: dict[str, Any] = dict.fromkeys(column_names(readings.keys))
        given = readings.decisions[i] == YES
        row.update(
            id=identifier,
            modus=[key for k, key in enumerate(modus) if given[k]],
            evidence=[
                {"label": e.label, "start": e.start, "end": e.end, "text": e.text, "score": e.score}
                for e in readings.evidence[i]
            ],
            group=groups[i],
            n_tokens=int(readings.n_tokens[i]),
            n_tokens_dropped=int(readings.n_dropped[i]),
            model=model,
        )
        row[context] = bool(given[-1])
        for k, key in enumerate(readings.keys):
            row[f"p_{key}"] = round(float(readings.probabilities[i, k]), 6)
            row[f"decision_{key}"] = DECISIONS[readings.decisions[i, k]]
        out.append(row)
    return out


def error_row(keys: Sequence[str], *, identifier: str | None, model: str, error: str) -> Mapping[str, Any]:
    """Return the row of an article that could not be labelled: all columns empty but id, model and error."""
    row: dict[str, Any] = dict.fromkeys(column_names(keys))
    row.update(id=identifier, modus=[], evidence=[], model=model, error=error)
    return row
