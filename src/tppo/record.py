"""What a training run leaves behind: parameters, metrics, tags, data, plots and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.classify import YES, ModusModel, Readings
from tppo.config import TrainConfig, flatten
from tppo.corpus import Article
from tppo.dataset import Parts, article_table, data_digest, truth
from tppo.embedding import CachedEncoder
from tppo.evaluate import Evaluation, Predictions, evaluate, text_digest
from tppo.tracking import Dataset, RunRecord
from tppo.tracking.lookup import PREDICTIONS

__all__ = ["predictions", "run_record"]


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


def run_record(
    config: TrainConfig,
    model: ModusModel,
    parts: Parts,
    readings: Readings,
    held_out: Predictions,
    scores: Evaluation,
    seconds: Mapping[str, float],
) -> RunRecord:
    """Collect what a run logs.

    Parameters
    ----------
    config : TrainConfig
        What was asked for.
    model : ModusModel
        What was trained.
    parts : Parts
        The articles.
    readings, scores : Readings, Evaluation
        What the model says of the test part, and how good that is.
    held_out : Predictions
        For the training part, by models that had not learnt from the article.
    seconds : mapping of str to float
        Time of each stage.
    """
    test = predictions(parts.test, model.keys, readings.probabilities, readings.decisions)
    source = ",".join(config.corpus.paths)
    test_digest = data_digest(parts.test)
    return RunRecord(
        experiment=config.tracking.experiment,
        run_name=config.tracking.run_name or f"{config.embedding.kind} + {_classifier_name(config)}",
        registered_model=config.tracking.registered_model,
        params=flatten(config),
        metrics=_metrics(config, model, parts, readings, held_out, scores, seconds),
        tags={
            "tppo.data_digest": data_digest([*parts.learn, *parts.test]),
            "tppo.test_digest": test_digest,
            "tppo.encoder": model.encoder.fingerprint,
        },
        test_digest=test_digest,
        datasets=[
            Dataset("train", "training", source, article_table(parts.learn)),
            Dataset("test", "testing", source, article_table(parts.test)),
        ],
        figures=_figures(test),
        texts={
            "config.json": config.model_dump_json(indent=1),
            "split.json": json.dumps({"train": parts.split.train, "test": parts.split.test}),
            PREDICTIONS["test"]: test.to_csv(),
            PREDICTIONS["oof"]: held_out.to_csv(),
            "quarantine.jsonl": "".join(json.dumps(r.as_row(), ensure_ascii=False) + "\n" for r in parts.rejected),
        },
    )


def _metrics(
    config: TrainConfig,
    model: ModusModel,
    parts: Parts,
    readings: Readings,
    held_out: Predictions,
    scores: Evaluation,
    seconds: Mapping[str, float],
) -> dict[str, float]:
    # Held-out scores of the training part are what settings are chosen by, never the test part.
    chosen_by = evaluate(
        held_out.truth,
        held_out.probabilities,
        held_out.given,
        labels=held_out.labels,
        macro_labels=config.taxonomy.modus_keys,
        n_bootstrap=0,
    )
    metrics = {f"test/{name}": value for name, value in scores.flat()}
    metrics |= {f"oof/{name}": value for name, value in chosen_by.flat()}
    metrics |= {f"time/{name}_s": value for name, value in seconds.items()}
    metrics |= {
        "test/tokens": float(readings.n_tokens.sum()),
        "test/tokens_dropped": float(readings.n_dropped.sum()),
        "train/articles": float(len(parts.learn)),
        "test/articles": float(len(parts.test)),
        "data/quarantined": float(len(parts.rejected)),
    }
    if isinstance(model.encoder, CachedEncoder):
        metrics["embedding/cache_hit_rate"] = model.encoder.hit_rate
    return metrics


def _figures(test: Predictions) -> dict[str, Any]:
    from tppo.evaluate.figures import calibration_plot, confusion_plot, precision_recall_plot

    shown = ~np.isnan(test.truth).any(axis=1)
    y, p, given = test.truth[shown] == 1, test.probabilities[shown], test.given[shown]
    return {
        "plots/precision_recall.png": precision_recall_plot(y, p, given, test.labels),
        "plots/calibration.png": calibration_plot(y, p, test.labels),
        "plots/confusion.png": confusion_plot(y, given, test.labels),
    }


def _classifier_name(config: TrainConfig) -> str:
    c = config.classifier
    seen = "+".join(name for name, used in (("vectors", c.vectors), ("terms", c.terms)) if used)
    return f"{c.level} {seen}"
