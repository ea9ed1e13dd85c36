"""Train a model: articles to a tracked, registered, scored classifier."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.build import build_encoder, build_settings
from tppo.classify import ModusModel
from tppo.classify.domain import Domain
from tppo.classify.features import static_part
from tppo.classify.instances import Wording
from tppo.classify.reference import Reference
from tppo.config import TrainConfig
from tppo.console import stage
from tppo.corpus import Article, Cleaner, CleanText, Rejected, sentence_spans
from tppo.dataset import load_parts, read_corpus, split_articles, truth
from tppo.embedding import Encoder, SubwordTerms, Tokens, Windows
from tppo.evaluate import Evaluation, Predictions
from tppo.processes import usable_cores
from tppo.record import run_record
from tppo.scoring import examine, predictions, score, weakest
from tppo.tracking import PAYLOAD, LoggedRun, StoredModel, log_training_run
from tppo.tracking.pyfunc import example, signature

__all__ = ["Fit", "TrainResult", "fit", "fit_model", "read_corpus", "score", "split_articles", "train", "truth"]

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
    weakest : list of str
        Where the test scores are lowest and highest, by outlet, length, year and register.
    """

    evaluation: Evaluation
    run: LoggedRun
    n_train: int
    n_test: int
    rejected: list[Rejected]
    metrics: Mapping[str, float]
    weakest: Sequence[str] = ()


@dataclass(frozen=True)
class Fit:
    """A trained model and what it says of its own training articles.

    Parameters
    ----------
    model : ModusModel
        The model.
    held_out : ndarray of shape (n_articles, n_labels), in [0, 1]
        Probabilities of each training article from folds that did not hold its group.
    held_out_decisions : ndarray of shape (n_articles, n_labels), int8
        What the model's thresholds make of them.
    """

    model: ModusModel
    held_out: FloatArray
    held_out_decisions: NDArray[np.int8]


def train(config: TrainConfig, *, register: bool = True, tags: Mapping[str, str] | None = None) -> TrainResult:
    """Train, score, track and register a model.

    Parameters
    ----------
    config : TrainConfig
        From `tppo.config.compose`.
    register : bool
        Whether the model goes to the registry; the trials of a sweep do not.
    tags : mapping of str to str, optional
        More of them for the run.

    Raises
    ------
    DataError
        If there are no labelled articles, or a part of the split has none.
    """
    seconds: dict[str, float] = {}
    with stage("corpus", seconds):
        parts = load_parts(config)
    fitted = fit(config, parts.learn, seconds)
    model = fitted.model
    with stage("evaluation", seconds):
        held_out = predictions(parts.learn, model.keys, fitted.held_out, fitted.held_out_decisions)
        found = examine(config, model, parts, held_out)
    with stage("tracking", seconds), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / Path(PAYLOAD).name
        digest = model.save(folder)
        record = run_record(config, model, parts, found, seconds)
        record = replace(record, tags={**record.tags, **(tags or {})})

        def reread(stored: StoredModel) -> Predictions:
            rival = ModusModel.load(stored.folder, digest=stored.digest)
            said = rival.read([a.text for a in parts.test])
            return predictions(parts.test, rival.keys, said.probabilities, said.decisions)

        run = log_training_run(
            record,
            folder,
            digest=digest,
            signature=signature(model.keys),
            example=example(),
            reread=reread,
            register=register,
        )
    return TrainResult(
        found.scores,
        run,
        len(parts.learn),
        len(parts.test),
        parts.rejected,
        record.metrics,
        weakest(found.slices["test"]),
    )


def fit_model(config: TrainConfig, articles: Sequence[Article], seconds: dict[str, float]) -> ModusModel:
    """Return the model of `fit`."""
    return fit(config, articles, seconds).model


def fit(config: TrainConfig, articles: Sequence[Article], seconds: dict[str, float]) -> Fit:
    """Fit encoder and classifier on labelled articles; stage times are added to `seconds`."""
    from tppo.classify.modus import ModusClassifier

    settings = build_settings(config)
    with stage("embedding", seconds):
        cleaner = Cleaner(settings.cleaning)
        clean = [cleaner.clean(a.text) for a in articles]
        sentences = [c.text[start:end] for c in clean for start, end in sentence_spans(c.text)]
        encoder = build_encoder(config.embedding, seed=config.seed, texts=sentences)
        model = ModusModel(settings, encoder, None, None)
        windows = model.encode(model.cut(clean))
        if settings.features.terms:
            model.terms = _learn_terms(config, encoder, windows)
        blocks = model.features(windows)
    by_article = settings.features.level == "article"
    with stage("classifier", seconds):
        c = config.classifier
        classifier = ModusClassifier(
            C=c.C,
            temperature=c.temperature,
            evidence_weight=c.evidence_weight,
            silence_weight=c.silence_weight,
            combination_C=c.combination_C,
            tuned_dimension=max(1, c.tuned_dimension),
            tuned_weight=c.tuned_weight,
            n_folds=c.n_folds,
            criterion=c.criterion,
            target=c.target,
            review_npv=c.review_npv,
            max_iter=c.max_iter,
            n_jobs=usable_cores(),
            random_state=config.seed,
        )
        known = truth(articles, model.keys)
        groups = [a.group or a.id for a in articles]
        if by_article:
            classifier.fit(_side_by_side(blocks.articles), known, groups=groups)
        else:
            classifier.fit(
                _side_by_side(blocks.windows),
                known,
                bags=windows.article,
                groups=groups,
                marks=_marks(articles, clean, windows, model.keys),
                articles=_side_by_side(blocks.articles) if blocks.articles else None,
                wording=_wording(model, windows) if settings.features.tuned else None,
            )
        model.scorer, model.tuned = classifier.scorer_, classifier.tuned_
        model.domain = Domain.fit([c.text for c in clean], groups=groups, seed=config.seed)
    held_out = classifier.oof_probabilities_
    model.reference = Reference.of(held_out, model.keys)
    return Fit(model, held_out, classifier.scorer_.decide(held_out))


def _learn_terms(config: TrainConfig, encoder: Encoder, windows: Windows) -> SubwordTerms:
    """Learn the terms from the windows, or from whole articles if those are what is scored."""
    terms = SubwordTerms(static_part(encoder).tokenizer, max_features=config.classifier.max_terms)
    tokens = windows.tokens
    assert tokens is not None
    if config.classifier.level == "article":
        tokens = Tokens(tokens.ids, np.bincount(windows.article, weights=tokens.lengths).astype(np.int64))
    return terms.fit(tokens)


def _wording(model: ModusModel, windows: Windows) -> Wording:
    """Return the windows' words; two texts are alike by their modus, not by the context label, which most have."""
    assert windows.tokens is not None
    return Wording(windows.tokens, static_part(model.encoder).rows, np.arange(len(model.keys) - 1))


def _side_by_side(blocks: Sequence[Any]) -> Any:
    import scipy.sparse as sp

    return blocks[0] if len(blocks) == 1 else sp.hstack(blocks, format="csr", dtype=np.float32)


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
