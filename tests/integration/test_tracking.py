"""What training leaves in MLflow, and finding it again."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from small_corpus import MODUS, articles, train_config
from tppo.classify import ModusModel
from tppo.classify.table import column_names
from tppo.config import flatten
from tppo.errors import ModelError
from tppo.tracking import resolve_model
from tppo.tracking.registry import PAYLOAD, _from_mlflow, _from_sqlite

pytestmark = pytest.mark.slow

Get = Callable[[str], bytes]


@pytest.fixture
def artifact(api: Any, in_store: Any) -> Get:
    """Read an artifact of the first run."""
    import mlflow

    def get(path: str) -> bytes:
        run = in_store.weak.run.run_id
        return Path(mlflow.artifacts.download_artifacts(run_id=run, artifact_path=path)).read_bytes()

    return get


def test_the_same_training_gives_the_same_scores(in_store: Any) -> None:
    assert dict(in_store.weak.evaluation.flat()) == dict(in_store.again.evaluation.flat())


def test_the_same_training_tracks_the_same_test_metrics(api: Any, in_store: Any) -> None:
    one, two = (api.get_run(r.run.run_id).data.metrics for r in (in_store.weak, in_store.again))
    names = [name for name in one if name.startswith("test/")]
    assert names
    assert {name: one[name] for name in names} == {name: two[name] for name in names}


def test_the_same_training_gives_the_same_predictions_byte_for_byte(api: Any, in_store: Any) -> None:
    import mlflow

    one, two = (
        Path(mlflow.artifacts.download_artifacts(run_id=r.run.run_id, artifact_path="predictions/test.csv"))
        for r in (in_store.weak, in_store.again)
    )
    assert one.read_bytes() == two.read_bytes()


def test_the_same_training_gives_the_same_model(in_store: Any) -> None:
    one, two = (resolve_model(f"models:/tppo-modus/{r.run.version}") for r in (in_store.weak, in_store.again))
    assert one.digest == two.digest


def test_the_run_finished_in_its_experiment(api: Any, in_store: Any) -> None:
    run = api.get_run(in_store.weak.run.run_id)
    assert run.info.status == "FINISHED"
    assert api.get_experiment(run.info.experiment_id).name == "modus"
    assert len(api.search_runs([run.info.experiment_id])) == 3


def test_the_parameters_are_the_flattened_configuration(api: Any, in_store: Any) -> None:
    run = api.get_run(in_store.strong.run.run_id)
    params = dict(run.data.params)
    assert (params.pop("Encoder"), params.pop("Classifier")) == ("svd-32", "vectors+terms (window+article)")
    assert params == flatten(train_config(in_store.corpus))


def test_the_metrics_of_the_design_are_there_with_intervals(api: Any, in_store: Any) -> None:
    metrics = api.get_run(in_store.strong.run.run_id).data.metrics
    for name in ["f1_macro", *(f"{metric}/{key}" for metric in ("f1", "ap") for key in (*MODUS, "tppo"))]:
        assert metrics[f"test/{name}_lo"] <= metrics[f"test/{name}"] <= metrics[f"test/{name}_hi"]
    assert {f"time/{stage}_s" for stage in ("corpus", "embedding", "classifier", "evaluation")} <= set(metrics)


def test_the_metrics_are_those_of_the_result(api: Any, in_store: Any) -> None:
    metrics = api.get_run(in_store.strong.run.run_id).data.metrics
    found = dict(in_store.strong.evaluation.flat())
    assert {name: metrics[f"test/{name}"] for name in found} == pytest.approx(found)


def test_the_tags_tell_code_data_and_encoder(api: Any, in_store: Any) -> None:
    one, two, other = (api.get_run(r.run.run_id).data.tags for r in (in_store.weak, in_store.again, in_store.strong))
    assert one["git.commit"]
    for tag in (
        "tppo.data_digest",
        "tppo.test_digest",
        "tppo.encoder",
        "tppo.version",
        "tppo.code_digest",
        "tppo.model_digest",
    ):
        assert one[tag] == two[tag]
    assert one["tppo.test_digest"] == other["tppo.test_digest"]
    assert one["tppo.encoder"] != other["tppo.encoder"]


def test_the_datasets_are_inputs_of_the_run(api: Any, in_store: Any) -> None:
    inputs = api.get_run(in_store.weak.run.run_id).inputs.dataset_inputs
    found = {i.dataset.name: next(t.value for t in i.tags if t.key == "mlflow.data.context") for i in inputs}
    assert found == {"train": "training", "test": "testing"}
    assert {json.loads(i.dataset.profile)["num_rows"] for i in inputs} == {in_store.weak.n_train, in_store.weak.n_test}


def test_the_run_says_how_to_make_it_again(api: Any, in_store: Any, artifact: Get) -> None:
    run = api.get_run(in_store.weak.run.run_id)
    command = run.data.tags["tppo.reproduce"]
    assert command.endswith(f"tppo reproduce {run.info.run_id}")
    assert command in run.data.tags["mlflow.note.content"]
    assert command in artifact("model-card.md").decode()


def test_the_model_card_has_the_scores_of_the_run(artifact: Get, in_store: Any) -> None:
    card = artifact("model-card.md").decode()
    assert f"| macro (modus) | | | {in_store.weak.evaluation.overall['f1_macro'].value:.3f} (" in card
    assert all(f"| {key} | " in card for key in (*MODUS, "tppo"))
    assert f"{in_store.weak.n_train} articles to learn from, {in_store.weak.n_test} to score on" in card
    assert "| - |" not in card


def test_the_errors_are_artifacts_with_a_row_per_article_that_has_a_wrong_label(artifact: Get) -> None:
    table = pd.read_csv(StringIO(artifact("predictions/test.csv").decode()))
    wrong = np.any([table[f"true_{key}"] != table[f"given_{key}"] for key in (*MODUS, "tppo")], axis=0)
    assert wrong.any()
    errors = pd.read_csv(StringIO(artifact("errors.csv").decode()))
    assert set(errors["id"]) == set(table["id"][wrong])
    assert errors["how_wrong"].is_monotonic_decreasing
    page = artifact("errors.html").decode()
    assert all(f" {identifier} " in page for identifier in errors["id"])


def test_the_slices_are_an_artifact(artifact: Get, in_store: Any) -> None:
    table = pd.read_csv(StringIO(artifact("slices.csv").decode()))
    sizes = table.groupby(["part", "by"])["n_articles"].sum()
    assert sizes["test", "length"] == in_store.weak.n_test
    assert sizes["oof", "length"] == in_store.weak.n_train


def test_the_environment_is_an_artifact(artifact: Get) -> None:
    assert json.loads(artifact("environment.json"))["python"].startswith("3.")


@pytest.mark.parametrize("name", ["precision_recall", "calibration", "confusion"])
def test_the_plots_are_artifacts(name: str, artifact: Get) -> None:
    content = artifact(f"plots/{name}.png")
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5000


def test_the_split_is_an_artifact_without_overlap(artifact: Get, in_store: Any) -> None:
    split = json.loads(artifact("split.json"))
    assert (len(split["train"]), len(split["test"])) == (in_store.weak.n_train, in_store.weak.n_test)
    assert sorted([*split["train"], *split["test"]]) == [row["id"] for row in articles()]


def test_the_predictions_are_an_artifact_with_a_row_per_test_article(artifact: Get) -> None:
    table = pd.read_csv(StringIO(artifact("predictions/test.csv").decode()))
    assert table["id"].tolist() == json.loads(artifact("split.json"))["test"]
    truths = {row["id"]: row for row in articles()}
    for key in MODUS:
        assert table[f"true_{key}"].tolist() == [int(key in truths[i]["labels"]) for i in table["id"]]
        assert table[f"p_{key}"].between(0, 1).all()


def test_the_configuration_is_an_artifact_that_can_be_read_again(artifact: Get, in_store: Any) -> None:
    from tppo.config import TrainConfig

    config = TrainConfig.model_validate_json(artifact("config.json"))
    assert config.corpus.paths == (str(in_store.folder / "corpus.jsonl"),)


def test_each_training_registers_a_version(in_store: Any) -> None:
    assert [r.run.version for r in (in_store.weak, in_store.again, in_store.strong)] == [1, 2, 3]


def test_the_first_model_stays_champion_until_a_better_one_comes(in_store: Any) -> None:
    assert in_store.weak.run.is_champion
    assert not in_store.again.run.is_champion
    assert in_store.again.run.reason.startswith("version 1 stays champion")
    better = in_store.strong.evaluation.overall["f1_macro"].value > in_store.weak.evaluation.overall["f1_macro"].value
    assert better
    assert in_store.strong.run.is_champion


def test_the_champion_alias_is_on_the_best_version(api: Any) -> None:
    assert api.get_model_version_by_alias("tppo-modus", "champion").version in (3, "3")


def test_the_model_has_a_signature_and_an_input_example(api: Any) -> None:
    import mlflow

    info = mlflow.models.get_model_info("models:/tppo-modus/1")
    assert "text" in info.signature.inputs.input_names()
    assert info.signature.outputs.input_names() == column_names((*MODUS, "tppo"))
    model = mlflow.pyfunc.load_model("models:/tppo-modus/1")
    assert model.input_example["text"].str.len().gt(0).all()


def test_no_file_of_the_model_is_a_pickle(in_store: Any) -> None:
    root = resolve_model("models:/tppo-modus/1").folder.parents[len(Path(PAYLOAD).parts) - 1]
    files = [path for path in root.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib", ".pt", ".bin", ".skops"}]
    assert not [path for path in files if path.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05")]


def test_the_loaded_model_answers_what_the_stored_model_reads(in_store: Any, api: Any) -> None:
    import mlflow

    rows = articles(6)
    answer = mlflow.pyfunc.load_model("models:/tppo-modus@champion").predict(
        pd.DataFrame({"id": [row["id"] for row in rows], "text": [row["text"] for row in rows]})
    )
    stored = resolve_model("models:/tppo-modus@champion")
    readings = ModusModel.load(stored.folder, digest=stored.digest).read([row["text"] for row in rows])
    assert answer["id"].tolist() == [row["id"] for row in rows]
    assert answer["p_scam"].tolist() == pytest.approx(readings.probabilities[:, readings.keys.index("scam")], abs=1e-6)


@pytest.mark.parametrize("uri", ["models:/tppo-modus@champion", "models:/tppo-modus/1", "models:/tppo-modus/2"])
def test_looking_a_model_up_in_the_file_gives_what_mlflow_gives(uri: str, in_store: Any) -> None:
    fast, slow = _from_sqlite(uri, in_store.folder / "mlflow.db"), _from_mlflow(uri)
    assert fast is not None
    assert (fast.name, fast.digest) == (slow.name, slow.digest)
    assert fast.folder.resolve() == slow.folder.resolve()


@pytest.mark.parametrize("uri", ["models:/tppo-modus@nobody", "models:/tppo-modus/99", "models:/other/1"])
def test_a_model_that_is_not_registered_is_refused(uri: str, in_store: Any) -> None:
    assert _from_sqlite(uri, in_store.folder / "mlflow.db") is None
    with pytest.raises(ModelError, match=f"no model {uri} in sqlite:"):
        resolve_model(uri)


def test_the_model_of_a_run_is_found_by_the_run(in_store: Any) -> None:
    stored = resolve_model(f"runs:/{in_store.weak.run.run_id}/model")
    assert ModusModel.load(stored.folder).keys == (*MODUS, "tppo")


def test_a_registered_model_that_was_changed_on_disk_is_refused(in_store: Any) -> None:
    stored = resolve_model("models:/tppo-modus/2")
    path = stored.folder / "scorer.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(ModelError, match="was changed after training"):
            ModusModel.load(stored.folder, digest=stored.digest)
    finally:
        path.write_bytes(content)
