"""Topics of a corpus: articles to a tracked topic model with plots."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tppo.build import build_encoder
from tppo.config import TopicsConfig, config_folder, flatten
from tppo.console import stage
from tppo.corpus import Article, Cleaner, Limits, Rejected, find_files, read_articles, sentence_spans
from tppo.corpus.describe import Describer, Gazetteer
from tppo.embedding import Encoder, FloatMatrix, IntVector, Windows, cut_windows
from tppo.errors import DataError, UsageError
from tppo.topics import (
    OUTLIER,
    Certificate,
    TermTable,
    TopicModel,
    TopicSettings,
    article_vectors,
    certify,
    count_terms,
    save_topics,
)
from tppo.topics.alarm import Alarm, as_jsonl, find_alarms
from tppo.topics.metrics import c_v, diversity, npmi
from tppo.topics.trends import cross_table, period
from tppo.tracking import Dataset, TopicsRecord, log_topics_run

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
    ids = [a.id for a in articles]
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
        model = TopicModel.fit(
            vectors, texts, ids, settings=_settings(config), seeds=_seeds(config, encoder),
            fingerprint=encoder.fingerprint, terms=terms,
        )  # fmt: skip
        labels = model.assign(vectors)
    with stage("stability", seconds):
        certificate = certify(model, vectors, n_seeds=config.topics.n_seeds, n_subsamples=config.topics.n_subsamples)
    with stage("plots", seconds):
        artifacts = _artifacts(config, model, articles, texts, vectors, windows, labels)
    metrics = _metrics(model, labels, terms, certificate)
    metrics["data/quarantined"] = float(len(rejected))
    with stage("tracking", seconds), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "topics"
        digest = save_topics(model, folder)
        metrics |= {f"time/{name}_s": value for name, value in seconds.items()}
        artifacts["quarantine.jsonl"] = "".join(json.dumps(r.as_row(), ensure_ascii=False) + "\n" for r in rejected)
        record = _record(config, articles, metrics, artifacts, digest, encoder, len(model.topics))
        run_id = log_topics_run(record, folder)
        if config.out is not None:
            _write_out(Path(config.out), folder, artifacts)
    return TopicsResult(model, labels, certificate, metrics, rejected, run_id)


def _read(config: TopicsConfig) -> tuple[list[Article], list[Rejected]]:
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


def _metrics(model: TopicModel, labels: IntVector, terms: TermTable, certificate: Certificate) -> dict[str, float]:
    chosen = [t.words for t in model.topics]
    return {
        "topics/n": float(len(model.topics)),
        "topics/npmi": npmi(chosen, terms.vocabulary, terms.presence),
        "topics/c_v": c_v(chosen, terms.vocabulary, terms.presence),
        "topics/diversity": diversity(chosen),
        "topics/outliers": float((labels == OUTLIER).mean()),
        "topics/stability": certificate.subsamples,
        "topics/stability_seeds": certificate.seeds,
        "topics/unstable": float(sum(not certificate.is_stable(t.id) for t in model.topics)),
        "data/articles": float(len(labels)),
    }


def _describer(config: TopicsConfig) -> Describer:
    import yaml

    path = config_folder() / config.topics.gazetteer
    try:
        return Describer(Gazetteer.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise UsageError(f"topics.gazetteer: cannot read {path}: {error}") from None


def _artifacts(
    config: TopicsConfig,
    model: TopicModel,
    articles: Sequence[Article],
    texts: Sequence[str],
    vectors: FloatMatrix,
    windows: Windows,
    labels: IntVector,
) -> dict[str, str]:
    from tppo.topics import plots

    numbers = [t.id for t in model.topics]
    describer = _describer(config)
    said = [describer.describe(text, published_at=a.published_at) for text, a in zip(texts, articles)]
    dates = [a.published_at or (d.event_date.isoformat() if d.event_date else None) for a, d in zip(articles, said)]
    spans = [period(date, length=config.topics.period) for date in dates]
    provinces = [[d.place.province] if d.place is not None else [] for d in said]
    modus = [list(a.labels or ()) for a in articles]
    by_time = cross_table(labels, spans, numbers)
    by_province = cross_table(labels, provinces, numbers)
    by_modus = cross_table(labels, modus, numbers, order=config.taxonomy.modus_keys)
    alarms = _alarms(config, windows, texts, articles, dates)
    titles = [a.title or a.text for a in articles]
    shares = model.distribution(windows).round(4)
    rows: list[dict[str, Any]] = []
    for number, (article, label, date, places) in enumerate(zip(articles, labels.tolist(), dates, provinces)):
        held = {str(t): float(s) for t, s in zip(numbers, shares[number]) if s > 0}
        place = places[0] if places else None
        rows.append({"id": article.id, "topic": label, "windows": held, "date": date, "province": place})
    topics = [
        {"id": t.id, "name": t.name, "words": t.words, "size": t.size, "certificate": t.certificate,
         "representatives": t.representatives} for t in model.topics
    ]  # fmt: skip
    return {
        "plots/topic_map.html": plots.topic_map(model, vectors, labels, titles),
        "plots/words.html": plots.word_bars(model),
        "plots/timeline.html": plots.timeline(model, by_time),
        "plots/hierarchy.html": plots.hierarchy(model),
        "plots/provinces.html": plots.heatmap(model, by_province, "Topics by province (place of the dateline)"),
        "plots/modus.html": plots.heatmap(model, by_modus, "Topics by modus"),
        "topics.json": json.dumps(topics, ensure_ascii=False, indent=1),
        "articles.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "alarms.jsonl": as_jsonl(alarms, {a.id: a.text for a in articles}),
        "tables/time.csv": by_time.as_csv(),
        "tables/province.csv": by_province.as_csv(),
        "tables/modus.csv": by_modus.as_csv(),
        "config.json": config.model_dump_json(indent=1),
    }


def _alarms(
    config: TopicsConfig,
    windows: Windows,
    texts: Sequence[str],
    articles: Sequence[Article],
    dates: Sequence[str | None],
) -> list[Alarm]:
    """Return alarms among labelled articles: on trafficking, without a modus; none where the corpus has no labels."""
    tppo = np.array([bool(a.tppo) and a.labels is not None for a in articles])
    modus = {k: np.array([k in (a.labels or ()) for a in articles]) for k in config.taxonomy.modus_keys}
    return find_alarms(windows, texts, [a.id for a in articles], tppo=tppo, modus=modus, dates=dates, seed=config.seed)


def _record(
    config: TopicsConfig,
    articles: Sequence[Article],
    metrics: dict[str, float],
    artifacts: dict[str, str],
    digest: str,
    encoder: Encoder,
    n_topics: int,
) -> TopicsRecord:
    import pandas as pd

    content = "\n".join(sorted(json.dumps([a.id, a.text]) for a in articles))
    table = pd.DataFrame({"id": [a.id for a in articles], "text": [a.text for a in articles]})
    return TopicsRecord(
        experiment=config.tracking.experiment,
        run_name=config.tracking.run_name or f"{config.embedding.kind}, {n_topics} topics",
        params=flatten(config),
        metrics=metrics,
        tags={
            "tppo.data_digest": hashlib.sha256(content.encode()).hexdigest()[:16],
            "tppo.encoder": encoder.fingerprint,
            "tppo.digest": digest,
        },
        dataset=Dataset("articles", "topics", ",".join(config.corpus.paths), table),
        texts=artifacts,
    )


def _write_out(out: Path, model_folder: Path, artifacts: dict[str, str]) -> None:
    shutil.copytree(model_folder, out / "model", dirs_exist_ok=True)
    for name, content in artifacts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
