import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pytest
from tiny_corpus import Corpus

from tppo import topics_record
from tppo.classify import NO, REVIEW, YES
from tppo.config import TopicsConfig, compose
from tppo.corpus import Article
from tppo.errors import DataError, UsageError
from tppo.topics import load_topics
from tppo.topics_run import TopicsResult, run_topics


@pytest.mark.slow
def test_a_run_is_logged_with_plots_and_model(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    path = tmp_path / "articles.jsonl"
    rows = [{"id": i, "text": f"BATAM - {t}", "published_at": "2024-01-02"} for i, t in zip(corpus.ids, corpus.texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    overrides = [f"corpus.paths=[{path}]", "topics.n_topics=4", "topics.n_runs=4", f"out={tmp_path / 'out'}"]
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(Path(__file__).parents[2] / "configs"))
    config = compose("topics", overrides, TopicsConfig)
    monkeypatch.chdir(tmp_path)
    result = run_topics(config)
    run = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}").get_run(result.run_id)
    for name in ("topics/npmi", "topics/diversity", "topics/stability", "topics/outliers", "time/embedding_s"):
        assert name in run.data.metrics
    assert result.metrics["topics/outliers"] <= 0.05
    out = tmp_path / "out"
    assert {p.name for p in (out / "plots").iterdir()} == {
        "topic_map.html", "words.html", "timeline.html", "hierarchy.html", "provinces.html", "modus.html",
    }  # fmt: skip
    assert "Kepulauan Riau" in (out / "tables" / "province.csv").read_text()
    assert len(load_topics(out / "model").topics) == len(result.model.topics)


def test_a_missing_gazetteer_is_named(tmp_path: Path) -> None:
    from tppo.topics_record import _describer

    config = compose("topics", ["topics.gazetteer=nowhere.yaml"], TopicsConfig)
    with pytest.raises(UsageError, match=r"nowhere\.yaml"):
        _describer(config)


@pytest.mark.slow
def test_later_articles_join_earlier_topics(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(Path(__file__).parents[2] / "configs"))
    for name, rows in (("first", range(0, 100, 2)), ("later", range(1, 100, 2))):
        lines = [json.dumps({"id": corpus.ids[i], "text": corpus.texts[i]}) + "\n" for i in rows]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    monkeypatch.chdir(tmp_path)

    def run(*overrides: str) -> TopicsResult:
        common = ["topics.n_runs=4", "topics.n_seeds=1", "topics.n_subsamples=2", "topics.outliers=0", *overrides]
        return run_topics(compose("topics", common, TopicsConfig))

    first = run("corpus.paths=[first.jsonl]", "topics.n_topics=4", "out=out")
    added = run("corpus.paths=[later.jsonl]", "previous=out")
    assert [(t.id, t.name) for t in added.model.topics] == [(t.id, t.name) for t in first.model.topics]
    assert sum(t.size for t in added.model.topics) == 100
    again = run(
        "corpus.paths=[first.jsonl,later.jsonl]", f"previous={first.run_id}", "update=refit", "topics.n_topics=5"
    )
    assert {0, 1, 2, 3} < {t.id for t in again.model.topics}
    merged = run("corpus.paths=[later.jsonl]", "previous=out", "merge=[[0,3]]")
    assert [t.id for t in merged.model.topics] == [0, 1, 2]
    with pytest.raises(UsageError, match="made with encoder"):
        run("corpus.paths=[later.jsonl]", "previous=out", "embedding=tfidf-svd")
    with pytest.raises(DataError, match="got 'nowhere'"):
        run("corpus.paths=[later.jsonl]", "previous=nowhere")


def test_a_model_says_which_unlabelled_articles_raise_alarms(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model knows boats, is unsure of kidneys, sees no trafficking elsewhere; one article is labelled by hand."""
    subject = np.array(corpus.subject)

    class Model:
        keys = ("illegal_migrant_work", "tppo")

        def read(self, texts: list[str]) -> SimpleNamespace:
            rows = [corpus.texts.index(text) for text in texts]
            boat, kidney = subject[rows] == "kapal", subject[rows] == "ginjal"
            said = np.where(kidney, REVIEW, np.where(boat, YES, NO))
            return SimpleNamespace(decisions=np.stack([np.where(boat, YES, NO), said], axis=1))

    monkeypatch.setattr(topics_record, "resolve_model", lambda uri: SimpleNamespace(folder=uri, digest=None))
    monkeypatch.setattr(topics_record.ModusModel, "load", lambda folder, digest: Model())
    articles = [Article(id=i, text=t) for i, t in zip(corpus.ids, corpus.texts)]
    articles[0] = replace(articles[0], labels=("organ_trade",), tppo=True)
    assert subject[0] == "ginjal"
    for model, expected in (
        ("null", []),
        ("some-model", [i for i, s in zip(corpus.ids, subject) if s == "ginjal"][1:]),
    ):
        config = compose("topics", [f"alarm_model={model}"], TopicsConfig)
        alarms = topics_record._alarms(config, corpus.windows, corpus.texts, articles, [None] * len(articles))
        assert sorted(i for alarm in alarms for i in alarm.articles) == sorted(expected)
