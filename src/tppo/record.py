"""What a training run leaves behind: parameters, metrics, tags, data, plots and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tppo.classify import ModusModel
from tppo.config import StaticConfig, TfidfSvdConfig, TrainConfig, flatten
from tppo.corpus import Article
from tppo.dataset import Parts, article_table, data_digest
from tppo.embedding import CachedEncoder
from tppo.evaluate import Predictions
from tppo.evaluate.mistakes import Mistake, Quote, find_mistakes, mistakes_csv, mistakes_page
from tppo.evaluate.slices import slices_csv
from tppo.scoring import Findings, weakest
from tppo.tracking import Dataset, RunRecord
from tppo.tracking.lookup import PREDICTIONS

__all__ = ["run_record", "shown_names"]


def run_record(
    config: TrainConfig, model: ModusModel, parts: Parts, found: Findings, seconds: Mapping[str, float]
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
    found : Findings
        How good the model is.
    seconds : mapping of str to float
        Time of each stage.
    """
    encoder, classifier = shown_names(config)
    name = config.tracking.run_name or (classifier if encoder == "none" else f"{encoder} + {classifier}")
    test = found.test
    mistakes = _mistakes(parts.test, found)
    source = ",".join(config.corpus.paths)
    test_digest = data_digest(parts.test)
    return RunRecord(
        experiment=config.tracking.experiment,
        run_name=name,
        registered_model=config.tracking.registered_model,
        params={"Encoder": encoder, "Classifier": classifier, **flatten(config)},
        metrics=_metrics(model, parts, found, seconds),
        tags={
            "tppo.data_digest": data_digest([*parts.learn, *parts.test]),
            "tppo.test_digest": test_digest,
            "tppo.encoder": model.encoder.fingerprint,
        },
        test=test,
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
            PREDICTIONS["oof"]: found.held_out.to_csv(),
            "quarantine.jsonl": "".join(json.dumps(r.as_row(), ensure_ascii=False) + "\n" for r in parts.rejected),
            "errors.csv": mistakes_csv(mistakes, test.labels),
            "errors.html": mistakes_page(mistakes, title=f"Errors of {name}", n_articles=len(test.ids)),
            "slices.csv": slices_csv(found.slices),
        },
        labels=model.keys,
        notes=[
            f"{len(mistakes):,} of {len(test.ids):,} test articles have a wrong label: `errors.html`.",
            *weakest(found.slices["test"]),
        ],
    )


def _mistakes(articles: Sequence[Article], found: Findings) -> list[Mistake]:
    """Return the worst errors on the test articles, with quoted and marked sentences."""
    return find_mistakes(
        found.test,
        [a.text for a in articles],
        evidence=[[Quote(e.label, e.text, e.score) for e in quoted] for quoted in found.readings.evidence],
        marked=[[Quote(s.label, a.text[s.start : s.end]) for s in a.evidence or ()] for a in articles],
    )


def _metrics(model: ModusModel, parts: Parts, found: Findings, seconds: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics by their names in MLflow."""
    metrics = {f"test/{name}": value for name, value in found.scores.flat()}
    metrics |= {f"oof/{name}": value for name, value in found.held_out_scores.flat()}
    metrics |= {f"time/{name}_s": value for name, value in seconds.items()}
    metrics["time/fit_s"] = seconds["embedding"] + seconds["classifier"]
    metrics["time/label_article_ms"] = 1000 * found.reading_seconds / len(parts.test)
    metrics |= {
        "test/tokens": float(found.readings.n_tokens.sum()),
        "test/tokens_dropped": float(found.readings.n_dropped.sum()),
        "train/articles": float(len(parts.learn)),
        "test/articles": float(len(parts.test)),
        "train/quarantined": float(len(parts.rejected)),
    }
    if isinstance(model.encoder, CachedEncoder):
        metrics["time/cache_hit_rate"] = model.encoder.hit_rate
    return metrics


def _figures(test: Predictions) -> dict[str, Any]:
    """Return the plots of the test part by their path; articles with an unknown label are left out."""
    from tppo.evaluate.figures import calibration_plot, confusion_plot, precision_recall_plot

    shown = ~np.isnan(test.truth).any(axis=1)
    y, p, given = test.truth[shown] == 1, test.probabilities[shown], test.given[shown]
    return {
        "plots/precision_recall.png": precision_recall_plot(y, p, given, test.labels),
        "plots/calibration.png": calibration_plot(y, p, test.labels),
        "plots/confusion.png": confusion_plot(y, given, test.labels),
    }


def shown_names(config: TrainConfig) -> tuple[str, str]:
    """Return short names of encoder and classifier, for the name of a run and for the columns to compare runs by.

    The encoder is ``none`` where the classifier does not look at vectors. Names differ in their first ten characters,
    all that MLflow's plot of parallel coordinates shows; the parameters have capitals because it takes the first three
    that differ.
    """
    e, c = config.embedding, config.classifier
    if isinstance(e, StaticConfig):
        encoder = "static-id" if e.folder is None else Path(e.folder).name
    elif isinstance(e, TfidfSvdConfig):
        encoder = f"svd-{e.dimension}"
    else:
        encoder = Path(e.model).name
    seen = "+".join(name for name, used in (("vectors", c.vectors), ("terms", c.terms)) if used)
    return (encoder if c.vectors else "none"), f"{seen} ({'window+article' if c.whole else c.level})"
