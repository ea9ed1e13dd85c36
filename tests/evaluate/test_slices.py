"""Scores on slices: each is that of its articles alone, and every article is in one slice of a property."""

import csv
import io

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tppo.evaluate import Predictions
from tppo.evaluate.slices import OTHER, length_class, score_slices, slices_csv

LABELS = ("a", "b", "tppo")


def predictions(n: int = 90) -> Predictions:
    draw = np.random.default_rng(0)
    truth = (draw.random((n, 3)) < 0.4).astype(float)
    p = np.clip(0.4 * truth + 0.6 * draw.random((n, 3)), 0, 1)
    ids = tuple(map(str, range(n)))
    return Predictions(LABELS, ids, ids, ids, truth, p, p >= 0.5)


YEARS = ["2023"] * 40 + ["2024"] * 30 + ["2019"] * 3 + [None] * 12 + ["2018"] * 5


def slices(**properties: list[str | None]) -> list:
    return score_slices(predictions(), properties, macro_labels=LABELS[:2], n_bootstrap=20)


def test_every_article_is_in_one_slice_and_small_ones_are_taken_together() -> None:
    found = slices(year=YEARS)
    assert [(s.value, s.n_articles) for s in found] == [("(unknown)", 12), ("2023", 40), ("2024", 30), (OTHER, 8)]


def test_a_slice_is_scored_on_its_articles_alone() -> None:
    p = predictions()
    found = slices(year=YEARS)[1]
    y, given = p.truth[:40, :2] == 1, p.given[:40, :2]
    assert found.f1.value == pytest.approx(f1_score(y, given, average="micro"))
    assert found.n_positive == y.any(axis=1).sum()
    assert found.f1.low <= found.f1.value <= found.f1.high


def test_a_property_that_nobody_knows_or_that_parts_nothing_is_left_out() -> None:
    assert slices(register=[None] * 90, outlet=[str(i) for i in range(90)]) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (0, "under 100 words"),
        (99, "under 100 words"),
        (100, "100-199 words"),
        (799, "400-799 words"),
        (800, "800 words or more"),
        (100_000, "800 words or more"),
    ],
)
def test_the_length_of_a_text_is_a_class(words: int, found: str) -> None:
    assert length_class("kata " * words) == found


def test_the_table_names_the_part_and_leaves_undefined_scores_empty() -> None:
    nothing = predictions()
    nothing.truth[:], nothing.given[:] = 0, False
    empty = score_slices(nothing, {"year": YEARS}, macro_labels=LABELS[:2], n_bootstrap=5)
    rows = list(csv.DictReader(io.StringIO(slices_csv({"test": slices(year=YEARS), "oof": empty}))))
    assert [row["part"] for row in rows] == ["test"] * 4 + ["oof"] * 4
    assert float(rows[1]["f1_lo"]) <= float(rows[1]["f1"]) <= float(rows[1]["f1_hi"])
    assert (rows[5]["f1"], rows[5]["false_alarms"]) == ("", "0.0000")
