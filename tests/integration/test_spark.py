"""The registered model as a Spark function, on a Spark session of this machine."""

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from small_corpus import articles

pytest.importorskip("pyspark", reason="needs pyspark (extra test)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java: apt-get install default-jre-headless"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
URI = "models:/tppo-modus@champion"


@pytest.fixture(scope="module")
def spark(store: Any) -> Iterator[Any]:
    """A session in one process with one worker, reached from nowhere else, that uses the store."""
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as monkeypatch:
        store.enter(monkeypatch)
        for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
            monkeypatch.setenv(name, sys.executable)
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        for name in ("spark.driver.host", "spark.driver.bindAddress"):
            builder = builder.config(name, "127.0.0.1")
        session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


@pytest.fixture(scope="module")
def answers(spark: Any, store: Any) -> list[dict[str, Any]]:
    """What Spark makes of forty articles in two partitions; the fourth has no text."""
    import mlflow

    rows = [(row["id"], row["text"]) for row in articles(40)]
    rows[3] = ("empty", None)
    with pytest.MonkeyPatch.context() as monkeypatch:
        store.enter(monkeypatch)
        mlflow.set_tracking_uri(store.uri)
        table = spark.createDataFrame(rows, "id string, text string").repartition(2)
        label = mlflow.pyfunc.spark_udf(spark, URI, env_manager="local")
        found = table.withColumn("labels", label("text", "id")).select("labels.*").collect()
    return [row.asDict(recursive=True) for row in found]


def test_spark_labels_as_the_local_model_does(answers, in_store) -> None:
    from tppo.classify import ModusModel
    from tppo.labelling import label_rows
    from tppo.tracking import resolve_model

    model = ModusModel.load(resolve_model(URI).folder)
    good = [row for n, row in enumerate(articles(40)) if n != 3]
    table = label_rows(model, [{"id": row["id"], "text": row["text"]} for row in good], model_name="-").table
    rows = table.drop_columns(["model"]).to_pylist()
    expected = {row["id"]: {**row, "group": "", "error": ""} for row in rows}
    found = {row["id"]: {k: v for k, v in row.items() if k != "model"} for row in answers if row["id"] != "empty"}
    assert found == expected


def test_spark_answers_a_bad_row_with_its_error(answers) -> None:
    (bad,) = (row for row in answers if row["id"] == "empty")
    assert bad["error"].startswith("no text")
    assert (bad["modus"], bad["evidence"], bad["p_scam"], bad["n_tokens"]) == ([], [], None, 0)
    assert len(answers) == 40
