"""What a topic run leaves behind: metrics, tables, plots, alarms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from tppo.classify import REVIEW, YES, ModusModel
from tppo.config import TopicsConfig, config_folder, flatten
from tppo.corpus import Article
from tppo.corpus.describe import Describer, Gazetteer
from tppo.embedding import Encoder, IntVector, Windows
from tppo.errors import UsageError
from tppo.topics import OUTLIER, Certificate, TermTable, TopicModel, article_vectors
from tppo.topics.alarm import Alarm, as_json, as_jsonl, find_alarms
from tppo.topics.metrics import c_v, diversity, npmi
from tppo.topics.trends import cross_table, period
from tppo.tracking import Dataset, TopicsRecord, resolve_model

__all__ = ["topics_artifacts", "topics_metrics", "topics_record"]

_BATCH = 1000


def topics_metrics(
    model: TopicModel, labels: IntVector, terms: TermTable, certificate: Certificate
) -> dict[str, float]:
    """Return what a run logs of its topics: words of the shown ones, stability of all."""
    chosen = [t.words for t in model.topics if not t.hidden]
    return {
        "topics/n": float(len(model.topics)),
        "topics/hidden": float(len(model.topics) - len(chosen)),
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
    """Return what finds places and dates, with the configured gazetteer."""
    import yaml

    path = config_folder() / config.topics.gazetteer
    try:
        return Describer(Gazetteer.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise UsageError(f"topics.gazetteer: cannot read {path}: {error}") from None


def topics_artifacts(
    config: TopicsConfig, model: TopicModel, articles: Sequence[Article], windows: Windows, texts: Sequence[str]
) -> dict[str, str]:
    """Return paths and contents of plots, tables, alarms and the topic of every article; hidden topics are left out.

    Parameters
    ----------
    config : TopicsConfig
        What was asked for.
    model : TopicModel
        The topics.
    articles : sequence of Article, length n_articles
        With dates and labels where they are known.
    windows : Windows
        Of these articles, with vectors.
    texts : sequence of str, length n_articles
        Clean texts.
    """
    from tppo.topics import plots

    vectors = article_vectors(windows)
    labels = model.assign(vectors)
    shown = model.shown()
    numbers = [t.id for t in shown.topics]
    describer = _describer(config)
    said = [describer.describe(text, published_at=a.published_at) for text, a in zip(texts, articles)]
    dates = [a.published_at or (d.event_date.isoformat() if d.event_date else None) for a, d in zip(articles, said)]
    provinces = [[d.place.province] if d.place is not None else [] for d in said]
    by_time = cross_table(labels, [period(date, length=config.topics.period) for date in dates], numbers)
    by_province = cross_table(labels, provinces, numbers)
    by_modus = cross_table(labels, [list(a.labels or ()) for a in articles], numbers, order=config.taxonomy.modus_keys)
    alarms = _alarms(config, windows, texts, articles, dates)
    return {
        "plots/topic_map.html": plots.topic_map(shown, vectors, labels, [a.title or a.text for a in articles]),
        "plots/words.html": plots.word_bars(shown),
        "plots/timeline.html": plots.timeline(shown, by_time),
        "plots/hierarchy.html": plots.hierarchy(shown),
        "plots/provinces.html": plots.heatmap(shown, by_province, "Topics by province (place of the dateline)"),
        "plots/modus.html": plots.heatmap(shown, by_modus, "Topics by modus"),
        "topics.json": json.dumps([asdict(t) for t in model.topics], ensure_ascii=False, indent=1),
        "lineage.json": json.dumps(model.lineage, indent=1),
        "articles.jsonl": _article_rows(model, articles, windows, labels, dates, provinces),
        "alarms.json": as_json(alarms),
        "alarms.jsonl": as_jsonl(alarms, {a.id: a.text for a in articles}),
        "tables/time.csv": by_time.as_csv(),
        "tables/province.csv": by_province.as_csv(),
        "tables/modus.csv": by_modus.as_csv(),
        "config.json": config.model_dump_json(indent=1),
    }


def _article_rows(
    model: TopicModel,
    articles: Sequence[Article],
    windows: Windows,
    labels: IntVector,
    dates: Sequence[str | None],
    provinces: Sequence[Sequence[str]],
) -> str:
    """Return one JSON line per article: its topic, the share of its windows in each topic, date and province."""
    shares = model.distribution(windows).round(4)
    lines = []
    for number, (article, label, date, places) in enumerate(zip(articles, labels.tolist(), dates, provinces)):
        held = {str(t.id): float(s) for t, s in zip(model.topics, shares[number]) if s > 0}
        place = places[0] if places else None
        row = {"id": article.id, "topic": label, "windows": held, "date": date, "province": place}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


def _alarms(
    config: TopicsConfig,
    windows: Windows,
    texts: Sequence[str],
    articles: Sequence[Article],
    dates: Sequence[str | None],
) -> list[Alarm]:
    """Return alarms among the articles that are labelled, or that ``alarm_model`` labels; none without either."""
    labelled = np.array([a.labels is not None for a in articles])
    tppo = np.array([bool(a.tppo) for a in articles]) & labelled
    review = np.zeros(len(articles), dtype=bool)
    modus = {k: np.array([k in (a.labels or ()) for a in articles]) for k in config.taxonomy.modus_keys}
    rest = np.flatnonzero(~labelled)
    if config.alarm_model is not None and len(rest):
        stored = resolve_model(config.alarm_model)
        model = ModusModel.load(stored.folder, digest=stored.digest)
        for first in range(0, len(rest), _BATCH):
            rows = rest[first : first + _BATCH]
            said = model.read([articles[r].text for r in rows.tolist()]).decisions
            tppo[rows] = said[:, -1] == YES
            review[rows] = (said == REVIEW).any(axis=1)
            for i, key in enumerate(model.keys[:-1]):
                modus.setdefault(key, np.zeros(len(articles), dtype=bool))[rows] = said[:, i] == YES
    ids = [a.id for a in articles]
    return find_alarms(windows, texts, ids, tppo=tppo, modus=modus, review=review, dates=dates, seed=config.seed)


def topics_record(
    config: TopicsConfig,
    articles: Sequence[Article],
    metrics: dict[str, float],
    artifacts: dict[str, str],
    *,
    digest: str,
    encoder: Encoder,
) -> TopicsRecord:
    """Collect what a run logs; `digest` is that of the saved model."""
    import pandas as pd

    content = "\n".join(sorted(json.dumps([a.id, a.text]) for a in articles))
    table = pd.DataFrame({"id": [a.id for a in articles], "text": [a.text for a in articles]})
    return TopicsRecord(
        experiment=config.tracking.experiment,
        run_name=config.tracking.run_name or f"{config.embedding.kind}, {metrics['topics/n']:.0f} topics",
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
