import json
from pathlib import Path

import mlflow
import pytest
from tiny_corpus import Corpus

from tppo.config import TopicsConfig, compose
from tppo.errors import UsageError
from tppo.topics import load_topics
from tppo.topics_run import run_topics


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
    from tppo.topics_run import _describer

    config = compose("topics", ["topics.gazetteer=nowhere.yaml"], TopicsConfig)
    with pytest.raises(UsageError, match=r"nowhere\.yaml"):
        _describer(config)
