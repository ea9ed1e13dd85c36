"""Stems, alignment and glosses."""

from collections import Counter

import pytest

from tppo.pretrain.lexicon import Glosser, Stemmer, align, stem_candidates, words

PARALLEL = [
    ("polisi menangkap makelar", "police arrest broker"),
    ("polisi mencari kapal", "police seek ship"),
    ("makelar mencari kapal", "broker seek ship"),
    ("polisi menangkap kapal", "police arrest ship"),
    ("makelar menangkap polisi", "broker arrest police"),
] * 4


@pytest.mark.parametrize(("word", "stem"), [("menulis", "tulis"), ("dipulangkan", "pulang"), ("kapalnya", "kapal")])
def test_affixes_come_off(word, stem):
    assert stem in stem_candidates(word)


def test_a_word_is_stemmed_only_to_a_more_frequent_form():
    stem = Stemmer(Counter({"tulis": 9, "menulis": 2, "beras": 5, "ras": 1}))
    assert (stem("menulis"), stem("beras")) == ("tulis", "beras")


def test_words_are_lower_case_with_numbers_whole():
    assert words("Rp 1.500 di Batam!") == ["rp", "1.500", "di", "batam"]


def test_translations_are_found_from_sentences():
    found = align(PARALLEL, lambda word: word)
    assert {own: english for own, (_, english) in found.items()} == {
        "polisi": "police",
        "menangkap": "arrest",
        "makelar": "broker",
        "mencari": "seek",
        "kapal": "ship",
    }


def test_an_unknown_word_stays_in_a_gloss():
    assert Glosser(PARALLEL, Counter())("Polisi mencari Batam.") == "police seek batam"


def test_no_translations_give_an_empty_lexicon():
    assert align([], lambda word: word) == {}
