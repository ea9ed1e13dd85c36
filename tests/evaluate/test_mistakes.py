"""Worst errors: which, in what order, and that no text of an article becomes markup or a formula."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tppo.evaluate import Predictions
from tppo.evaluate.mistakes import Mistake, Quote, find_mistakes, mistakes_csv, mistakes_page

LABELS = ("organ_trade", "scam", "tppo")
TEXTS = ["Ginjal dijual.", "Kapal\nberlayar ke pulau.", "Markas scammer.", "Harga cabai naik."]
TRUTH = np.array([[1, 0, 1], [0, 0, np.nan], [0, 1, 1], [0, 0, 0]], dtype=float)
P = np.array([[0.4, 0.1, 0.9], [0.1, 0.1, 0.99], [0.6, 0.05, 0.8], [0.2, 0.2, 0.2]])
EVIDENCE = [
    [Quote("tppo", "Ginjal dijual.", 0.9)],
    [],
    [Quote("organ_trade", "Markas", 0.6), Quote("tppo", "scammer", 0.8)],
    [],
]
MARKED = [[Quote("organ_trade", "Ginjal dijual.")], [], [Quote("scam", "Markas scammer.")], []]


def predictions() -> Predictions:
    ids = ("a", "b", "c", "d")
    return Predictions(LABELS, ids, ids, ids, TRUTH, P, P >= 0.5)


def mistakes(texts: list[str] = TEXTS) -> list[Mistake]:
    return find_mistakes(predictions(), texts, evidence=EVIDENCE, marked=MARKED)


def test_the_articles_with_a_wrong_label_come_worst_first_and_unknown_truth_is_never_wrong() -> None:
    found = mistakes()
    assert [(m.id, m.how_wrong) for m in found] == [("c", pytest.approx(0.95)), ("a", pytest.approx(0.6))]


def test_a_mistake_says_what_was_missed_and_what_was_given_wrongly() -> None:
    worst = mistakes()[0]
    assert (worst.missed, worst.false_alarms) == (("scam",), ("organ_trade",))
    assert (worst.true, worst.given) == (("scam", "tppo"), ("organ_trade", "tppo"))
    assert worst.probabilities == dict(zip(LABELS, P[2]))


def test_wrong_labels_are_quoted_by_the_model_and_missed_ones_as_they_were_marked() -> None:
    assert mistakes()[0].quotes == (EVIDENCE[2][0], MARKED[2][0])


def test_a_long_article_is_shown_by_its_beginning() -> None:
    long = ["kata " * 1000, *TEXTS[1:]]
    snippet = find_mistakes(predictions(), long, evidence=EVIDENCE, marked=MARKED, snippet_chars=20)[1].snippet
    assert snippet == "kata kata kata kata…"


def test_the_table_has_a_row_per_mistake_with_probabilities() -> None:
    rows = list(csv.DictReader(io.StringIO(mistakes_csv(mistakes(), LABELS))))
    assert [row["id"] for row in rows] == ["c", "a"]
    assert rows[0]["missed"] == "scam"
    assert float(rows[0]["p_scam"]) == 0.05
    assert rows[0]["quotes"] == "organ_trade: Markas | scam: Markas scammer."


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_text_that_looks_like_a_formula_is_none(start: str) -> None:
    attack = f"{start}HYPERLINK(x)"
    found = [replace(m, id=attack, snippet=attack) for m in mistakes()]
    (row, _) = csv.DictReader(io.StringIO(mistakes_csv(found, LABELS)))
    assert row["id"] == row["snippet"] == f"'{attack}"


class Elements(HTMLParser):
    """Collects what a browser would take for elements and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


OWN = Elements(mistakes_page(mistakes(), title="x", n_articles=4))

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</blockquote></article><iframe src=//evil>",
    "'\" onmouseover='alert(1)",
    "<!--",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_an_article_becomes_markup(attack: str) -> None:
    quote = Quote(attack, attack, 0.5)
    found = [
        replace(m, id=attack, snippet=attack, quotes=(quote,), missed=(attack,), true=(attack,), given=(attack,))
        for m in mistakes()
    ]
    found = [replace(m, false_alarms=(attack,), probabilities={attack: 0.5}) for m in found]
    page = Elements(mistakes_page(found, title=attack, n_articles=4))
    assert page.tags <= OWN.tags
    assert page.attributes <= OWN.attributes
    assert page.text.count(attack) == 2 + len(found) * 9


@given(st.text())
def test_any_text_stands_on_the_page_as_it_is(text: str) -> None:
    found = [replace(m, snippet=text.replace("\r", " ").replace("\0", " ")) for m in mistakes()[:1]]
    page = Elements(mistakes_page(found, title="x", n_articles=4))
    assert page.tags <= OWN.tags
    assert found[0].snippet in page.text


def test_the_page_loads_nothing() -> None:
    page = mistakes_page(mistakes(), title="x", n_articles=4)
    assert not re.search(r"src=|href=|url\(|@import|<script", page)


def test_the_page_shows_the_worst_and_says_how_many_there_are() -> None:
    page = Elements(mistakes_page(mistakes(), title="Errors", n_articles=4, limit=1)).text
    assert "2 of 4 articles have a wrong label; the 1 worst" in page
    assert "1. c" in page
    assert "2. a" not in page
