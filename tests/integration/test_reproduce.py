"""Making runs again, promoting models and finding where a labelled row comes from, in a real MLflow store."""

import json
import shutil
from collections.abc import Iterator

import pytest
from workplace import Workplace, new_workplace

from small_corpus import articles, train_config, write_jsonl
from tppo.errors import DataError, ModelError, UsageError
from tppo.reproduce import reproduce
from tppo.tracking.lookup import find_run
from tppo.tracking.promotion import promote
from tppo.tracking.registry import client, resolve_model
from tppo.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A workplace with two versions, the second a challenger that is the same as the first."""
    place = new_workplace(tmp_path_factory.mktemp("reproduce"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        place.enter(monkeypatch)
        for name in ("first", "second"):
            train(train_config(place.corpus, f"tracking.run_name={name}"))
    yield place
    shutil.rmtree(place.folder)


@pytest.fixture
def here(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    place.enter(monkeypatch)
    return place


def test_a_run_made_again_comes_out_equal_and_says_so(here: Workplace) -> None:
    found = reproduce(find_run("first"))
    assert found.is_equal
    assert (found.changed, found.differences) == ([], [])
    assert found.n_metrics > 50
    assert (found.again.run_id != found.original.run_id, found.again.name) == (True, "again: first")
    assert found.again.tags["tppo.reproduces"] == found.original.run_id
    assert found.again.tags["tppo.reproduced"] == "equal"


def test_a_reproduction_is_neither_latest_nor_registered_nor_reproduced(here: Workplace) -> None:
    again = reproduce(find_run("first")).again
    assert find_run("latest").name == "second"
    with pytest.raises(UsageError, match="registered no version"):
        promote(again.run_id)
    with pytest.raises(DataError, match="was itself made again from"):
        reproduce(again)


def test_the_command_ends_with_one_and_tells_what_changed_when_the_articles_did(here: Workplace) -> None:
    rows = articles()
    for row in rows:
        row["text"] += " Sapi dicuri."
    corpus = write_jsonl(here.folder / "corpus.jsonl", rows)
    try:
        answer = here.run("tppo", "reproduce", "first")
    finally:
        write_jsonl(corpus, articles())
    assert answer.returncode == 1, answer.stderr
    assert "changed since" in answer.stdout
    assert "came out differently" in answer.stdout
    assert "tppo.model_digest" in answer.stdout
    assert "different: " in answer.stdout


def test_a_configuration_of_another_version_is_refused_with_the_commit(here: Workplace) -> None:
    run = find_run("second")
    config = json.loads(train_config(here.corpus).model_dump_json())
    client().log_text(run.run_id, json.dumps({**config, "new_key": 1}), "config.json")
    try:
        with pytest.raises(DataError, match=r"does not fit this version of tppo \(new_key: .*check out the code"):
            reproduce(run)
    finally:
        client().log_text(run.run_id, json.dumps(config), "config.json")


def test_the_row_of_labelled_output_leads_to_the_run(here: Workplace) -> None:
    assert here.run("tppo", "label", "corpus.jsonl", "--out", "out", "--format", "jsonl").returncode == 0
    row = json.loads((here.folder / "out" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()[0])
    answer = here.run("tppo", "show", row["model"])
    assert answer.returncode == 0, answer.stderr
    champion = find_run("champion")
    assert champion.run_id in answer.stdout
    assert f"tppo reproduce {champion.run_id}" in answer.stdout
    assert f"macro-F1 {champion.metrics['test/f1_macro']:.3f}" in answer.stdout
    assert find_run(row["model"].split()[-1]).name == "first"  # what a served model writes: the digest alone


def test_a_digest_that_no_version_has_is_refused(here: Workplace) -> None:
    wrong = "sha256:" + "0" * 64
    for spec in (wrong, f"models:/tppo-modus/1 {wrong}"):
        with pytest.raises(UsageError, match="no version has it"):
            find_run(spec)


def test_the_challenger_is_promoted_and_a_changed_one_is_not(here: Workplace) -> None:
    api = client()
    assert api.get_model_version_by_alias("tppo-modus", "challenger").version in (2, "2")
    path = resolve_model("models:/tppo-modus/2").folder / "scorer.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="was changed after training"):
        promote("challenger", force="urgent")
    path.write_bytes(content)
    answer = here.run("tppo", "promote", "challenger")
    assert answer.returncode == 0, answer.stderr
    assert "tppo-modus version 2 is champion: against version 1, macro-F1 +0.0000" in answer.stdout
    assert find_run("champion").name == "second"
    assert "tppo.promoted" in api.get_model_version("tppo-modus", "2").tags
    with pytest.raises(UsageError, match="no run 'models:/tppo-modus@challenger'"):
        find_run("challenger")
