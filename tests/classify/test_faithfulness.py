"""Labels rest on the sentences that are quoted for them: without these the probability falls, without others not."""

import json

import numpy as np
import pytest

from shipped import shipped_parts
from small_corpus import REPO, articles, texts
from tppo.classify import ModusModel
from tppo.classify.faithfulness import deletions


def test_every_label_given_is_read_again(model: ModusModel) -> None:
    found = deletions(model, texts())
    readings = model.read(texts())
    given = [(i, readings.keys[k]) for i, k in zip(*np.nonzero(readings.decisions == 2))]
    assert [(d.article, d.label) for d in found] == given
    for d in found:
        assert d.whole == readings.probabilities[d.article, readings.keys.index(d.label)]


def test_the_same_seed_deletes_the_same_sentences(model: ModusModel) -> None:
    assert repr(deletions(model, texts()[:20], seed=1)) == repr(deletions(model, texts()[:20], seed=1))


def test_an_article_of_one_sentence_has_no_others_to_compare_with(model: ModusModel) -> None:
    sentence = next(row["text"][e["start"] : e["end"]] for row in articles() for e in row["evidence"])
    found = deletions(model, [sentence])
    assert found
    assert all(np.isnan(d.without_others) for d in found)


def test_no_texts_need_no_deletion(model: ModusModel) -> None:
    assert deletions(model, []) == []


@pytest.mark.slow
def test_deleting_evidence_lowers_the_probability_and_deleting_other_sentences_does_not(
    shipped_model: ModusModel,
) -> None:
    _, _, test = shipped_parts()
    found = deletions(shipped_model, [a.text for a in test])
    fall = np.array([d.whole - d.without_evidence for d in found])
    other = np.array([d.whole - d.without_others for d in found])
    other = other[~np.isnan(other)]
    assert len(found) > 200
    assert (fall > 0).mean() >= 0.95
    assert (other > 0.1).mean() <= 0.05
    assert np.median(fall) > 10 * np.median(other)


@pytest.mark.slow
def test_evidence_hits_the_stating_sentences_and_next_to_no_boilerplate(shipped_model: ModusModel) -> None:
    _, _, test = shipped_parts()
    readings = shipped_model.read([a.text for a in test])
    gold = (REPO / "data" / "gold" / "boilerplate-test.jsonl").read_text(encoding="utf-8").splitlines()
    boilerplate = {row["id"]: row["spans"] for row in map(json.loads, gold)}
    hits, touched = [], []
    for article, quoted in zip(test, readings.evidence):
        stated = article.evidence or ()
        for label in {e.label for e in quoted} & {s.label for s in stated}:
            pairs = [(e, s) for e in quoted for s in stated if e.label == s.label == label]
            hits.append(any(e.start < s.end and s.start < e.end for e, s in pairs))
        lines = boilerplate.get(article.id, ())
        touched += [any(e.start < end and start < e.end for start, end in lines) for e in quoted]
    assert np.mean(hits) >= 0.85
    assert np.mean(touched) <= 0.01
