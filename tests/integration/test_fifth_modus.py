"""A modus added to a copied taxonomy, with thirty labelled articles, trains and labels without a change of code."""

import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from workplace import Workplace, new_workplace

from small_corpus import CONTEXT, MODUS, ORDINARY, REPO, articles, write_jsonl

pytestmark = pytest.mark.slow

TPPO = str(Path(sys.executable).parent / "tppo")
KEY = "forced_begging"
MODUS_ENTRY = {
    "key": KEY,
    "name_en": "Forced begging",
    "name_id": "Eksploitasi pengemis",
    "definition": "Children or adults who are made to beg and must hand over what they are given.",
    "cues": [r"(dipaksa|disuruh|dieksploitasi).{0,40}(mengemis|pengemis)"],
    "prototypes": ["Anak-anak disuruh mengemis di lampu merah dan uangnya disetor kepada koordinator."],
}
WHO = ("Tujuh bocah", "Dua balita", "Seorang lansia", "Belasan anak jalanan", "Penyandang disabilitas itu")
WHERE = ("di lampu merah", "di depan pasar", "di kolong jembatan", "di halaman masjid", "di terminal bus", "di trotoar")
WHAT = (
    "dipaksa mengemis {where} sejak pagi dan seluruh hasilnya disetor kepada koordinator.",
    "disewakan kepada sindikat pengemis yang menaruh mereka {where} dengan target setoran harian.",
    "diturunkan dari mobil bak untuk meminta-minta {where}; yang pulang tanpa setoran dipukul.",
    "mengaku disuruh mengemis {where} oleh bos yang menampung mereka di rumah petak.",
    "dieksploitasi sebagai pengemis {where}, sementara pengepulnya menunggu di warung.",
)
NEW = (
    "Delapan anak dipaksa mengemis di perempatan kota dan uangnya disetor kepada seorang koordinator setiap malam.",
    "Nenek itu disewakan kepada sindikat pengemis dan ditaruh di depan stasiun dengan target setoran harian.",
)


def forced_begging(n: int = 30, *, seed: int = 3) -> list[dict[str, Any]]:
    """Short different articles of the fifth modus, amid sentences that the other articles have too."""
    draw = random.Random(seed)
    chosen = draw.sample([(who, what, where) for who in WHO for what in WHAT for where in WHERE], n)
    rows = []
    for number, (who, what, where) in enumerate(chosen):
        stated = f"{who} {what.format(where=where)}"
        text = "\n".join([*draw.sample(ORDINARY, 2), stated, draw.choice(CONTEXT)])
        rows.append({"id": f"beg-{number:02d}", "text": text, "labels": [KEY], "tppo": True})
    return rows


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, dict[str, str]]:
    """A workplace with a copied configuration that knows a fifth modus, where `tppo train` ran."""
    place = new_workplace(tmp_path_factory.mktemp("fifth"))
    shutil.copytree(REPO / "configs", place.folder / "configs")
    taxonomy = place.folder / "configs" / "taxonomy" / "mine.yaml"
    known = yaml.safe_load((taxonomy.parent / "tppo.yaml").read_text(encoding="utf-8"))
    known = {**known, "name": "mine", "modus": [*known["modus"], MODUS_ENTRY]}
    taxonomy.write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")
    write_jsonl(place.folder / "corpus.jsonl", [*articles(), *forced_begging()])
    environment = {"TPPO_CONFIG_DIR": str(place.folder / "configs"), "COLUMNS": "200"}
    overrides = ("taxonomy=mine", "split=balanced", "n_bootstrap=20")
    done = place.run(TPPO, "train", place.corpus, *overrides, **environment)
    assert done.returncode == 0, done.stderr
    assert KEY in done.stdout
    return place, environment


def labels(extended: tuple[Workplace, dict[str, str]], texts: Sequence[str], out: str) -> list[dict[str, Any]]:
    """The rows that `tppo label` writes for texts."""
    place, environment = extended
    write_jsonl(place.folder / f"{out}.jsonl", [{"text": text} for text in texts])
    done = place.run(TPPO, "label", f"{out}.jsonl", "--out", out, "--format", "jsonl", **environment)
    assert done.returncode == 0, done.stderr
    written = (place.folder / out / "part-00000.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in written.splitlines()]


def test_the_fifth_modus_is_a_column_like_the_others_and_is_given(extended: Any) -> None:
    for row in labels(extended, NEW, "new"):
        assert [name for name in row if name.startswith("p_")] == [f"p_{key}" for key in (*MODUS, KEY, "tppo")]
        assert row["modus"] == [KEY]
        assert {e["label"] for e in row["evidence"]} >= {KEY}


def test_the_other_modus_are_told_from_it(extended: Any) -> None:
    known = [row for row in articles() if len(row["labels"]) == 1]
    found = labels(extended, [row["text"] for row in known], "known")
    assert [row["modus"] for row in found] == [row["labels"] for row in known]
