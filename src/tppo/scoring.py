"""How good a trained model is: on the test part, on held-out folds of the training part, and on slices of both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tppo.classify import YES, ModusModel, Readings
from tppo.config import TrainConfig
from tppo.corpus import Article
from tppo.dataset import Parts, read_registers, truth
from tppo.evaluate import Evaluation, Predictions, evaluate, text_digest
from tppo.evaluate.slices import Slice, length_class, score_slices

__all__ = ["Findings", "examine", "predictions", "score", "weakest"]


@dataclass(frozen=True)
class Findings:
    """What was found out about a model.

    Parameters
    ----------
    readings : Readings
        What it says of the test part.
    scores, held_out_scores : Evaluation
        Of the test part, with intervals; of `held_out`, without: settings are chosen by these, never by the test part.
    test, held_out : Predictions
        For the test part; for the training part, by models that had not learnt from the article.
    slices : dict of str to list of Slice
        By outlet, length, year and register: of the test part (``test``) and of `held_out` (``oof``).
    reading_seconds : float
        That reading the test part took, evidence included.
    """

    readings: Readings
    scores: Evaluation
    held_out_scores: Evaluation
    test: Predictions
    held_out: Predictions
    slices: dict[str, list[Slice]]
    reading_seconds: float


def examine(config: TrainConfig, model: ModusModel, parts: Parts, held_out: Predictions) -> Findings:
    """Read the test part with a model and score it, and what is `held_out`."""
    started = time.perf_counter()
    readings = model.read([a.text for a in parts.test])
    seconds = time.perf_counter() - started
    test = predictions(parts.test, model.keys, readings.probabilities, readings.decisions)
    held_out_scores = evaluate(
        held_out.truth,
        held_out.probabilities,
        held_out.given,
        labels=held_out.labels,
        macro_labels=config.taxonomy.modus_keys,
        n_bootstrap=0,
    )
    return Findings(
        readings,
        score(config, parts.test, readings),
        held_out_scores,
        test,
        held_out,
        _slices(config, parts, test, held_out),
        seconds,
    )


def score(config: TrainConfig, articles: Sequence[Article], readings: Readings) -> Evaluation:
    """Score readings of labelled articles; the context label only where it is known."""
    keys = config.taxonomy.label_keys
    known = truth(articles, keys)
    return evaluate(
        known,
        readings.probabilities,
        readings.decisions == YES,
        labels=keys,
        macro_labels=config.taxonomy.modus_keys,
        groups=[a.group or a.id for a in articles],
        n_bootstrap=config.n_bootstrap,
        seed=config.seed,
    )


def predictions(
    articles: Sequence[Article], keys: Sequence[str], probabilities: NDArray[np.float64], decisions: NDArray[np.int8]
) -> Predictions:
    """Put what a model said about labelled articles beside what is true of them.

    Parameters
    ----------
    articles : sequence of Article, length n_articles
        With labels.
    keys : sequence of str, length n_labels
        The columns of the arrays.
    probabilities, decisions : ndarray of shape (n_articles, n_labels)
        As in `tppo.classify.Readings`.
    """
    return Predictions(
        labels=tuple(keys),
        ids=tuple(a.id for a in articles),
        groups=tuple(a.group or a.id for a in articles),
        digests=tuple(text_digest(a.text) for a in articles),
        truth=truth(articles, keys),
        probabilities=probabilities,
        given=decisions == YES,
    )


def _slices(config: TrainConfig, parts: Parts, test: Predictions, held_out: Predictions) -> dict[str, list[Slice]]:
    """Score both parts by outlet, length, year and register, as far as these are known."""
    registers = read_registers(config.registers)

    def scored(articles: Sequence[Article], found: Predictions) -> list[Slice]:
        """Return scores by outlet, length, year and register."""
        properties: dict[str, list[str | None]] = {
            "outlet": [a.outlet for a in articles],
            "length": [length_class(a.text) for a in articles],
            "year": [a.published_at and a.published_at[:4] for a in articles],
            "register": [registers.get(a.id) for a in articles],
        }
        return score_slices(found, properties, macro_labels=config.taxonomy.modus_keys, seed=config.seed)

    return {"test": scored(parts.test, test), "oof": scored(parts.learn, held_out)}


def weakest(slices: Sequence[Slice], *, min_positive: int = 5) -> list[str]:
    """Say for each property where the F1 is lowest and where it is highest, among slices with enough positives."""
    lines = []
    for by in dict.fromkeys(s.by for s in slices):
        scored = [s for s in slices if s.by == by and s.n_positive >= min_positive and s.f1.value == s.f1.value]
        if len(scored) > 1:
            low, high = (choose(scored, key=lambda s: s.f1.value) for choose in (min, max))
            ends = (f"{s.f1.value:.2f} ({s.value}, {s.n_articles} articles)" for s in (low, high))
            lines.append(f"by {by}: F1 from {' to '.join(ends)}")
    return lines
