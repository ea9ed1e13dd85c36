import json
from pathlib import Path

import mlflow
import pytest
from tiny_corpus import Corpus

from tppo.config import TopicsConfig, compose
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
