"""Scores on parts of the articles: where a model is weaker than its mean says."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tppo.evaluate.bootstrap import Estimate
from tppo.evaluate.metrics import evaluate
from tppo.evaluate.predictions import Predictions

__all__ = ["OTHER", "Slice", "length_class", "score_slices", "slices_csv"]

OTHER = "(others)"
UNKNOWN = "(unknown)"
_LENGTHS = (100, 200, 400, 800)


@dataclass(frozen=True, slots=True)
class Slice:
    """Scores of the articles that share a property.

    Parameters
    ----------
    by, value : str
        The property and its value, such as ``register`` and ``portal``.
    n_articles, n_positive : int
        Articles, and those of them that carry any macro label.
    f1, precision, recall : Estimate
        Pooled over the macro labels (micro), since a slice seldom holds every label; NaN where not defined.
    false_alarms : Estimate
        Share of the articles without any macro label that are given one.
    """

    by: str
    value: str
    n_articles: int
    n_positive: int
    f1: Estimate
    precision: Estimate
    recall: Estimate
    false_alarms: Estimate


def length_class(text: str) -> str:
    """Return the length of a text in words as a class, from ``under 100 words`` to ``800 words or more``.

    Words are what spaces part.
    """
    n = len(text.split())
    for low, high in zip((0, *_LENGTHS), _LENGTHS):
        if n < high:
            return f"{low}-{high - 1} words" if low else f"under {high} words"
    return f"{_LENGTHS[-1]} words or more"


def score_slices(
    predictions: Predictions,
    properties: Mapping[str, Sequence[str | None]],
    *,
    macro_labels: Sequence[str],
    min_articles: int = 10,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> list[Slice]:
    """Score every slice.

    Parameters
    ----------
    predictions : Predictions
        For n_articles.
    properties : mapping of str to sequence of str or None, length n_articles each
        Property to its value for each article; None is unknown. A property that is unknown for all, or
        has no value of enough articles, is left out.
    macro_labels : sequence of str
        The labels that are scored.
    min_articles : int
        Values of fewer articles are taken together as `OTHER`.
    n_bootstrap, seed : int
        As in `tppo.evaluate.evaluate`.

    Returns
    -------
    list of Slice
        Properties in the order given, values by name, `OTHER` last.
    """
    found = []
    for by, given in properties.items():
        if all(value is None for value in given):
            continue
        named = [UNKNOWN if value is None else value for value in given]
        size = Counter(named)
        values = np.array([value if size[value] >= min_articles else OTHER for value in named])
        if (values == OTHER).all():
            continue
        for value in sorted(set(values.tolist()), key=lambda v: (v == OTHER, v)):
            part = predictions.take(np.flatnonzero(values == value).tolist())
            scores = evaluate(
                part.truth,
                part.probabilities,
                part.given,
                labels=part.labels,
                macro_labels=macro_labels,
                groups=part.groups,
                n_bootstrap=n_bootstrap,
                seed=seed,
            ).overall
            positive = part.truth[:, [part.labels.index(key) for key in macro_labels]] == 1
            estimates = (scores[name] for name in ("f1_micro", "precision_micro", "recall_micro", "false_alarms"))
            found.append(Slice(by, value, len(part.ids), int(positive.any(axis=1).sum()), *estimates))
    return found


def slices_csv(parts: Mapping[str, Sequence[Slice]]) -> str:
    """Return a row per part (``test``, ``oof``) and slice, with intervals; undefined scores are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ("f1", "precision", "recall", "false_alarms")
    scores = [name + end for name in names for end in ("", "_lo", "_hi")]
    writer.writerow(["part", "by", "value", "n_articles", "n_positive", *scores])
    for part, slices in parts.items():
        for s in slices:
            estimates = [getattr(s, name) for name in names]
            numbers = [x for e in estimates for x in (e.value, e.low, e.high)]
            cells = ["" if x != x else f"{x:.4f}" for x in numbers]
            writer.writerow([part, s.by, s.value, s.n_articles, s.n_positive, *cells])
    return stream.getvalue()
