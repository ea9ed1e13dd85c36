"""Train a model: articles to a tracked, registered, scored classifier."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.build import build_encoder, build_settings
from tppo.classify import YES, ModusModel, Readings
from tppo.config import SplitConfig, TrainConfig, flatten
from tppo.console import stage
from tppo.corpus import (
    Article,
    Cleaner,
    CleanText,
    Limits,
    Rejected,
    Split,
    balanced_split,
    find_files,
    load_split,
    outlet_split,
    random_split,
    read_articles,
    sentence_spans,
    time_split,
)
from tppo.embedding import CachedEncoder, Windows
from tppo.embedding.terms import TermVectors
from tppo.errors import DataError
from tppo.evaluate import Evaluation, evaluate
from tppo.tracking import PAYLOAD, Dataset, LoggedRun, RunRecord, StoredModel, log_training_run
from tppo.tracking.pyfunc import example, signature

__all__ = ["Fit", "TrainResult", "fit", "fit_model", "read_corpus", "score", "train", "truth"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TrainResult:
    """What a training run gave.

    Parameters
    ----------
    evaluation : Evaluation
        Scores on the test articles.
    run : LoggedRun
        Where it is tracked.
    n_train, n_test : int
        Articles learnt from and scored on.
    rejected : list of Rejected
        Rows that could not be used, with their reasons.
    metrics : mapping of str to float
        As they are tracked.
    """

    evaluation: Evaluation
    run: LoggedRun
    n_train: int
    n_test: int
    rejected: list[Rejected]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Fit:
    """A trained model and what it says of its own training articles.

    Parameters
    ----------
    model : ModusModel
        The model.
    held_out : ndarray of shape (n_articles, n_labels), in [0, 1]
        Probabilities of each training article from folds that did not hold its group.
    """

    model: ModusModel
    held_out: FloatArray


def train(config: TrainConfig, *, register: bool = True, parent: str | None = None) -> TrainResult:
    """Train, score, track and register a model.

    Parameters
    ----------
    config : TrainConfig
        From `tppo.config.compose`.
    register : bool
        Whether the model goes to the registry; the trials of a sweep do not.
    parent : str, optional
        Id of the MLflow run this one is a part of.

    Raises
    ------
    DataError
        If there are no labelled articles, or a part of the split has none.
    """
    seconds: dict[str, float] = {}
    with stage("corpus", seconds):
        articles, rejected = read_corpus(config)
        split = split_articles(articles, config.split, keys=config.taxonomy.label_keys, seed=config.seed)
        by_id = {a.id: a for a in articles}
        learn = [by_id[i] for i in split.train if i in by_id]
        test = [by_id[i] for i in split.test if i in by_id]
        if not learn or not test:
            raise DataError(
                f"the split leaves {len(learn)} articles to learn from and {len(test)} to score on of {len(articles)}; "
                "for your own articles take split=balanced"
            )
        placed = {*split.train, *split.test}
        rejected += [Rejected(i, "in neither part of the split", i) for i in by_id if i not in placed]
    fitted = fit(config, learn, seconds)
    model = fitted.model
    with stage("evaluation", seconds):
        readings = model.read([a.text for a in test])
        scores = score(config, test, readings)
    with stage("tracking", seconds), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / Path(PAYLOAD).name
        digest = model.save(folder)
        record = _record(config, fitted, learn, test, split, readings, scores, rejected, seconds)

        def rescore(stored: StoredModel) -> float:
            rival = ModusModel.load(stored.folder, digest=stored.digest)
            if rival.keys != model.keys:
                return -1.0
            return score(config, test, rival.read([a.text for a in test])).overall["f1_macro"].value

        run = log_training_run(
            record,
            folder,
            digest=digest,
            signature=signature(model.keys),
            example=example(),
            rescore=rescore,
            register=register,
            parent=parent,
        )
    return TrainResult(scores, run, len(learn), len(test), rejected, record.metrics)


def read_corpus(config: TrainConfig) -> tuple[list[Article], list[Rejected]]:
    """Read the labelled articles of a configuration; unlabelled ones and bad rows are returned as rejected."""
    limits = Limits(max_chars=config.corpus.max_chars, modus_keys=config.taxonomy.modus_keys)
    articles: list[Article] = []
    rejected: list[Rejected] = []
    for item in read_articles(find_files(config.corpus.paths), limits=limits):
        if isinstance(item, Rejected):
            rejected.append(item)
        elif item.labels is None:
            rejected.append(Rejected(item.id, "not labelled: training needs a column 'labels' ([] for none)", item.id))
        else:
            articles.append(item)
    if not articles:
        reasons = f"; first refused: {rejected[0].source}: {rejected[0].reason}" if rejected else ""
        raise DataError(f"no labelled articles in {', '.join(config.corpus.paths)}{reasons}")
    return articles, rejected


def split_articles(articles: Sequence[Article], config: SplitConfig, *, keys: Sequence[str], seed: int) -> Split:
    """Return the split a configuration asks for: the saved one, or one drawn as `tppo.config.SplitConfig` says."""
    if config.by == "authored" and config.file is not None:
        return load_split(Path(config.file))
    ids = [a.id for a in articles]
    groups = [a.group or a.id for a in articles]
    if config.by == "time":
        return time_split(ids, groups, [a.published_at for a in articles], test_size=config.test_size)
    if config.by == "random":
        return random_split(ids, test_size=config.test_size, seed=seed)
    labels = truth(articles, keys) == 1
    if config.by == "outlet":
        outlets = [a.outlet for a in articles]
        return outlet_split(ids, groups, outlets, labels, test_size=config.test_size, seed=seed)
    return balanced_split(ids, groups, labels, test_size=config.test_size, seed=seed)


def truth(articles: Sequence[Article], keys: Sequence[str]) -> FloatArray:
    """Return labels as an array of shape (n_articles, n_labels): 0, 1, or NaN where the context label is not known."""
    *modus, _ = keys
    return np.array(
        [
            [*(float(key in (a.labels or ())) for key in modus), np.nan if a.tppo is None else float(a.tppo)]
            for a in articles
        ]
    ).reshape(len(articles), len(keys))


def fit_model(config: TrainConfig, articles: Sequence[Article], seconds: dict[str, float]) -> ModusModel:
    """Return the model of `fit`."""
    return fit(config, articles, seconds).model


def fit(config: TrainConfig, articles: Sequence[Article], seconds: dict[str, float]) -> Fit:
    """Fit encoder and classifier on labelled articles; stage times are added to `seconds`."""
    import scipy.sparse as sp

    from tppo.classify.modus import ModusClassifier

    settings = build_settings(config)
    texts = [a.text for a in articles]
    with stage("embedding", seconds):
        cleaner = Cleaner(settings.cleaning)
        clean = [cleaner.clean(text) for text in texts]
        sentences = [c.text[start:end] for c in clean for start, end in sentence_spans(c.text)]
        encoder = build_encoder(config.embedding, seed=config.seed, texts=sentences)
        terms = None
        if settings.features.terms:
            pieces = sentences if settings.features.level == "window" else [c.text for c in clean]
            terms = TermVectors(max_features=config.classifier.max_terms).fit(pieces)
        model = ModusModel(settings, encoder, terms, None)
        windows = model.encode(model.cut(clean))
        blocks, bags = model.features(clean, windows)
        rows = blocks[0] if len(blocks) == 1 else sp.hstack(blocks, format="csr", dtype=np.float32)
    with stage("classifier", seconds):
        c = config.classifier
        classifier = ModusClassifier(
            C=c.C,
            temperature=c.temperature,
            evidence_weight=c.evidence_weight,
            silence_weight=c.silence_weight,
            n_folds=c.n_folds,
            criterion=c.criterion,
            target=c.target,
            review_npv=c.review_npv,
            max_iter=c.max_iter,
            random_state=config.seed,
        )
        marks = _marks(articles, clean, windows, model.keys) if settings.features.level == "window" else None
        groups = [a.group or a.id for a in articles]
        classifier.fit(rows, truth(articles, model.keys), bags=bags, groups=groups, marks=marks)
        model.scorer = classifier.scorer_
    return Fit(model, classifier.oof_probabilities_)


def _marks(
    articles: Sequence[Article], clean: Sequence[CleanText], windows: Windows, keys: Sequence[str]
) -> FloatArray:
    """Return which windows state a label, shape (n_windows, n_labels).

    In an article with marked sentences: 1 for a window that overlaps one by at least half of either, -1 for the others;
    0 where nothing is marked.
    """
    marks = np.zeros((len(windows.texts), len(keys)))
    first = np.searchsorted(windows.article, np.arange(len(articles) + 1))
    for number, (article, text) in enumerate(zip(articles, clean)):
        for span in article.evidence or ():
            found = text.to_clean(span.start, span.end)
            if found is None:
                continue
            rows = slice(first[number], first[number + 1])
            starts, ends = windows.spans[rows].T
            overlap = np.minimum(ends, found[1]) - np.maximum(starts, found[0])
            shorter = np.minimum(ends - starts, found[1] - found[0])
            column = marks[rows, keys.index(span.label)]
            column[column == 0] = -1
            column[(overlap > 0) & (2 * overlap >= shorter)] = 1
    return marks


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


def _record(
    config: TrainConfig,
    fitted: Fit,
    learn: Sequence[Article],
    test: Sequence[Article],
    split: Split,
    readings: Readings,
    scores: Evaluation,
    rejected: Sequence[Rejected],
    seconds: dict[str, float],
) -> RunRecord:
    from tppo.evaluate.figures import calibration_plot, confusion_plot, precision_recall_plot

    model = fitted.model
    known = truth(test, model.keys)
    shown = ~np.isnan(known).any(axis=1)
    y, p, given = known[shown] == 1, readings.probabilities[shown], (readings.decisions == YES)[shown]
    metrics = {f"test/{name}": value for name, value in scores.flat()}
    metrics |= {f"oof/{name}": value for name, value in _held_out_scores(config, fitted, learn).flat()}
    metrics |= {f"time/{name}_s": value for name, value in seconds.items()}
    metrics |= {
        "test/tokens": float(readings.n_tokens.sum()),
        "test/tokens_dropped": float(readings.n_dropped.sum()),
        "train/articles": float(len(learn)),
        "test/articles": float(len(test)),
        "data/quarantined": float(len(rejected)),
    }
    if isinstance(model.encoder, CachedEncoder):
        metrics["embedding/cache_hit_rate"] = model.encoder.hit_rate
    test_digest = _digest(test)
    name = config.tracking.run_name or f"{config.embedding.kind} + {_classifier_name(config)}"
    return RunRecord(
        experiment=config.tracking.experiment,
        run_name=name,
        registered_model=config.tracking.registered_model,
        params=flatten(config),
        metrics=metrics,
        tags={
            "tppo.data_digest": _digest([*learn, *test]),
            "tppo.test_digest": test_digest,
            "tppo.encoder": model.encoder.fingerprint,
        },
        test_digest=test_digest,
        datasets=[
            Dataset("train", "training", ",".join(config.corpus.paths), _table(learn)),
            Dataset("test", "testing", ",".join(config.corpus.paths), _table(test)),
        ],
        figures={
            "plots/precision_recall.png": precision_recall_plot(y, p, given, model.keys),
            "plots/calibration.png": calibration_plot(y, p, model.keys),
            "plots/confusion.png": confusion_plot(y, given, model.keys),
        },
        texts={
            "config.json": config.model_dump_json(indent=1),
            "split.json": json.dumps({"train": split.train, "test": split.test}),
            "predictions/test.csv": _predictions(test, readings).to_csv(index=False),
            "quarantine.jsonl": "".join(json.dumps(r.as_row(), ensure_ascii=False) + "\n" for r in rejected),
        },
    )


def _held_out_scores(config: TrainConfig, fitted: Fit, learn: Sequence[Article]) -> Evaluation:
    """Score the held-out probabilities of the training articles: what to choose settings by, never the test part."""
    scorer = fitted.model.scorer
    assert scorer is not None
    return evaluate(
        truth(learn, fitted.model.keys),
        fitted.held_out,
        scorer.decide(fitted.held_out) == YES,
        labels=fitted.model.keys,
        macro_labels=config.taxonomy.modus_keys,
        n_bootstrap=0,
    )


def _classifier_name(config: TrainConfig) -> str:
    c = config.classifier
    seen = "+".join(name for name, used in (("vectors", c.vectors), ("terms", c.terms)) if used)
    return f"{c.level} {seen}"


def _digest(articles: Sequence[Article]) -> str:
    """Return a digest of what was learnt or scored: ids, texts and labels, in any order."""
    rows = sorted(json.dumps([a.id, a.text, a.labels, a.tppo, a.group]) for a in articles)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _table(articles: Sequence[Article]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {
            "id": [a.id for a in articles],
            "text": [a.text for a in articles],
            "labels": [",".join(a.labels or ()) for a in articles],
            "group": [a.group or a.id for a in articles],
        }
    )


def _predictions(articles: Sequence[Article], readings: Readings) -> Any:
    import pandas as pd

    known = truth(articles, readings.keys)  # empty where the context label is not known
    columns: dict[str, Any] = {"id": [a.id for a in articles], "group": [a.group or a.id for a in articles]}
    for k, key in enumerate(readings.keys):
        columns[f"true_{key}"] = known[:, k]
        columns[f"p_{key}"] = readings.probabilities[:, k]
        columns[f"given_{key}"] = (readings.decisions[:, k] == YES).astype(int)
    return pd.DataFrame(columns)
