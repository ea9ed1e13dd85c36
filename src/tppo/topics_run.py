"""Topics of a corpus: articles to a tracked topic model with plots."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tppo.build import build_encoder
from tppo.config import TopicsConfig
from tppo.console import stage
from tppo.corpus import Article, Cleaner, Limits, Rejected, find_files, read_articles, sentence_spans
from tppo.embedding import Encoder, FloatMatrix, IntVector, Windows, cut_windows
from tppo.errors import DataError, UsageError
from tppo.topics import (
    Certificate,
    TermTable,
    TopicModel,
    TopicSettings,
    article_vectors,
    certify,
    count_terms,
    hide_unstable,
    inherit_ids,
    load_topics,
    save_topics,
)
from tppo.topics_record import topics_artifacts, topics_metrics, topics_record
from tppo.tracking import log_topics_run
from tppo.tracking.topics import topics_folder

__all__ = ["TopicsResult", "run_topics"]


@dataclass(frozen=True)
class TopicsResult:
    """What a topic run gave.

    Parameters
    ----------
    model : TopicModel
        The topics.
    labels : ndarray of shape (n_articles,), int64
        Topic id of each article, -1 for none.
    certificate : Certificate
        Whether they come back.
    metrics : dict of str to float
        As logged.
    rejected : list of Rejected
        Rows that could not be read.
    run_id : str
        In MLflow.
    """

    model: TopicModel
    labels: IntVector
    certificate: Certificate
    metrics: dict[str, float]
    rejected: list[Rejected]
    run_id: str


def run_topics(config: TopicsConfig) -> TopicsResult:
    """Read, clean and embed articles, find their topics, measure them, and log a run.

    Parameters
    ----------
    config : TopicsConfig
        From `tppo.config.compose`.

    Raises
    ------
    DataError
        If there are no articles, or too few for the topics asked for.
    """
    seconds: dict[str, float] = {}
    with stage("corpus", seconds):
        articles, rejected = _read(config)
        cleaner = Cleaner(config.cleaning)
        texts = [cleaner.clean(a.text).text for a in articles]
    with stage("embedding", seconds):
        sentences = [t[start:end] for t in texts for start, end in sentence_spans(t)]
        encoder = build_encoder(config.embedding, seed=config.seed, texts=sentences)
        cut = config.embedding.window
        windows = cut_windows(
            texts, encoder, max_sentences=cut.max_sentences, overlap=cut.overlap, max_windows=cut.max_windows
        )
        windows = windows.with_vectors(encoder.encode(windows.texts))
        vectors = article_vectors(windows)
    with stage("topics", seconds):
        terms = count_terms(texts, min_df=config.topics.min_df)
        model = _model(config, encoder, windows, texts, [a.id for a in articles], terms)
    with stage("stability", seconds):
        certificate = _certificate(config, model, vectors)
        labels = model.assign(vectors)
    with stage("plots", seconds):
        artifacts = topics_artifacts(config, model, articles, windows, texts)
    metrics = topics_metrics(model, labels, terms, certificate)
    metrics["data/quarantined"] = float(len(rejected))
    with stage("tracking", seconds), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "topics"
        digest = save_topics(model, folder)
        metrics |= {f"time/{name}_s": value for name, value in seconds.items()}
        artifacts["quarantine.jsonl"] = "".join(json.dumps(r.as_row(), ensure_ascii=False) + "\n" for r in rejected)
        record = topics_record(config, articles, metrics, artifacts, digest=digest, encoder=encoder)
        run_id = log_topics_run(record, folder)
        if config.out is not None:
            _write_out(Path(config.out), folder, artifacts)
    return TopicsResult(model, labels, certificate, metrics, rejected, run_id)


def _model(
    config: TopicsConfig,
    encoder: Encoder,
    windows: Windows,
    texts: Sequence[str],
    ids: Sequence[str],
    terms: TermTable,
) -> TopicModel:
    """Fit topics, continue those of an earlier run, or add the articles to them; then merge as asked."""
    vectors = article_vectors(windows)
    earlier = _earlier(config, encoder)
    if earlier is not None and config.update == "add":
        model = earlier
        model.add(vectors, texts, ids)
    else:
        model = TopicModel.fit(
            vectors, texts, ids, settings=_settings(config), seeds=_seeds(config, encoder),
            fingerprint=encoder.fingerprint, terms=terms, windows=windows,
        )  # fmt: skip
        if earlier is not None:
            inherit_ids(model, earlier, vectors)
    for group in config.merge:
        model.merge(group)
    return model


def _earlier(config: TopicsConfig, encoder: Encoder) -> TopicModel | None:
    """Return the model that `previous` names, if one is named; its vectors must be this encoder's."""
    if config.previous is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        model = load_topics(topics_folder(config.previous, Path(scratch)))
    if model.fingerprint != encoder.fingerprint:
        raise UsageError(
            f"previous={config.previous} was made with encoder {model.fingerprint}, got {encoder.fingerprint}: "
            "its topics mean nothing for these vectors; use the same embedding"
        )
    return model


def _certificate(config: TopicsConfig, model: TopicModel, vectors: FloatMatrix) -> Certificate:
    """Measure how well topics come back (added articles alone cannot tell), and hide the unstable ones if asked."""
    if config.previous is not None and config.update == "add":
        known = {t.id: t.certificate for t in model.topics if t.certificate is not None}
        return Certificate(known, float("nan"), float("nan"))
    t = config.topics
    certificate = certify(model, vectors, n_seeds=t.n_seeds, n_subsamples=t.n_subsamples)
    if t.hide_unstable:
        hide_unstable(model)
    return certificate


def _read(config: TopicsConfig) -> tuple[list[Article], list[Rejected]]:
    """Return the articles and the rows that could not be used."""
    limits = Limits(max_chars=config.corpus.max_chars)
    articles: list[Article] = []
    rejected: list[Rejected] = []
    for item in read_articles(find_files(config.corpus.paths), limits=limits):
        if isinstance(item, Rejected):
            rejected.append(item)
        else:
            articles.append(item)
    if not articles:
        reasons = f"; first refused: {rejected[0].source}: {rejected[0].reason}" if rejected else ""
        raise DataError(f"no articles in {', '.join(config.corpus.paths)}{reasons}")
    return articles, rejected


def _settings(config: TopicsConfig) -> TopicSettings:
    """Return the settings of the topic model."""
    t = config.topics
    return TopicSettings(
        n_topics=t.n_topics,
        n_components=t.n_components,
        n_runs=t.n_runs,
        target_stability=t.target_stability,
        outliers=t.outliers,
        n_words=t.n_words,
        min_df=t.min_df,
        seeding=t.seeding,
        seed_similarity=t.seed_similarity,
        max_sample=t.max_sample,
        seed=config.seed,
    )


def _seeds(config: TopicsConfig, encoder: Encoder) -> dict[str, FloatMatrix]:
    """Return the vectors of each modus' prototype sentences, by its Indonesian name."""
    if config.topics.seeding == "none":
        return {}
    return {m.name_id: encoder.encode(m.prototypes) for m in config.taxonomy.modus if m.prototypes}


def _write_out(out: Path, model_folder: Path, artifacts: dict[str, str]) -> None:
    """Write model and artifacts to a folder, beside what MLflow keeps."""
    shutil.copytree(model_folder, out / "model", dirs_exist_ok=True)
    for name, content in artifacts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
