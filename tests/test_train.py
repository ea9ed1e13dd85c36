"""What training makes of a corpus, before any model: which rows it takes, truths, marks and splits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from small_corpus import MODUS, articles, train_config, write_jsonl
from tppo.classify import ModusModel
from tppo.config import SplitConfig, TrainConfig, compose
from tppo.corpus import Article, Limits, Split, article_from_row
from tppo.dataset import read_registers
from tppo.errors import DataError
from tppo.evaluate import Estimate
from tppo.evaluate.slices import Slice
from tppo.scoring import weakest
from tppo.train import fit_model, read_corpus, score, split_articles, truth

KEYS = (*MODUS, "tppo")
Make = Callable[..., Article]


def small() -> list[Article]:
    return [article_from_row(row, limits=Limits(modus_keys=MODUS)) for row in articles()]


def test_only_labelled_articles_are_learnt_from_and_the_others_are_named(tmp_path: Path) -> None:
    rows = [*articles(2), {"id": "unlabelled", "text": "x"}, {"id": "none", "text": "y", "labels": []}, {"id": "bad"}]
    write_jsonl(tmp_path / "in.jsonl", rows)
    taken, rejected = read_corpus(train_config(f"corpus.paths=[{tmp_path / 'in.jsonl'}]"))
    assert [a.id for a in taken] == ["art-000", "art-001", "none"]
    assert [r.id for r in rejected] == ["unlabelled", "bad"]
    assert rejected[0].reason.startswith("not labelled")


def test_a_corpus_without_labels_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "x", "labels": ["nope"]}])
    with pytest.raises(
        DataError, match=r"no labelled articles in .*in\.jsonl; first refused: .*:1: unknown label 'nope'"
    ):
        read_corpus(train_config(f"corpus.paths=[{tmp_path / 'in.jsonl'}]"))


def test_truth_is_one_zero_or_unknown(article: Make) -> None:
    given = [
        article(labels=("scam",), tppo=True),
        article(labels=(), tppo=False),
        article(labels=("organ_trade", "scam"), tppo=None),
    ]
    np.testing.assert_array_equal(truth(given, KEYS), [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 0, 1, 1, np.nan]])


def test_truth_of_no_articles_has_a_column_per_label() -> None:
    assert truth([], KEYS).shape == (0, 5)


def test_a_drawn_split_keeps_groups_together_and_is_repeatable() -> None:
    split = split_articles(small(), SplitConfig(), keys=KEYS, seed=3)
    assert split == split_articles(small(), SplitConfig(), keys=KEYS, seed=3)
    assert sorted([*split.train, *split.test]) == sorted(a.id for a in small())
    by_id = {a.id: a.group or a.id for a in small()}
    assert not {by_id[i] for i in split.train} & {by_id[i] for i in split.test}


def test_a_saved_split_is_used_as_it_stands(tmp_path: Path) -> None:
    saved = Split(("art-003", "art-001"), ("art-002",))
    saved.save(tmp_path / "split.json")
    assert (
        split_articles(small(), SplitConfig(by="authored", file=str(tmp_path / "split.json")), keys=KEYS, seed=0)
        == saved
    )


def test_a_way_to_split_is_not_overruled_by_the_saved_split_of_the_default() -> None:
    split = compose("train", ["split.by=balanced"], TrainConfig).split
    rows = small()
    assert split_articles(rows, split, keys=KEYS, seed=0) == split_articles(
        rows, SplitConfig(by="balanced"), keys=KEYS, seed=0
    )


def test_fitting_reports_the_time_of_its_stages() -> None:
    seconds: dict[str, float] = {}
    fit_model(train_config("classifier=tfidf-linear"), small()[:30], seconds)
    assert set(seconds) >= {"embedding", "classifier"}
    assert all(s > 0 for s in seconds.values())


def test_labels_that_no_article_carries_are_not_given() -> None:
    kept = [a for a in small() if "organ_trade" not in (a.labels or ())]
    readings = fit_model(train_config(), kept, {}).read([a.text for a in small()])
    assert (readings.decisions[:, KEYS.index("organ_trade")] != 2).all()


def test_a_context_nobody_labelled_is_not_given(article: Make) -> None:
    unknown = [article(a.text, labels=a.labels, evidence=a.evidence) for a in small()]
    readings = fit_model(train_config(), unknown, {}).read([a.text for a in small()])
    assert (readings.decisions[:, -1] != 2).all()


def test_the_context_is_scored_only_where_it_is_known(article: Make) -> None:
    config = train_config("n_bootstrap=0")
    known, unknown = small()[:30], [article(a.text, labels=a.labels) for a in small()[30:]]
    model = fit_model(config, small(), {})

    def context(articles_: list[Article]) -> list[float]:
        scores = score(config, articles_, model.read([a.text for a in articles_])).labels["tppo"]
        return [scores[m].value for m in ("precision", "recall", "f1", "ap")]

    assert context([*known, *unknown]) == pytest.approx(context(known))


@pytest.mark.parametrize("sentences", [1, 3])
def test_marked_sentences_raise_the_windows_they_lie_in(sentences: int) -> None:
    marked = fit_model(train_config(f"embedding.window.max_sentences={sentences}"), small(), {})
    assert isinstance(marked, ModusModel)
    found = marked.read([a.text for a in small()]).evidence
    hits = [
        any(e.label == s.label and e.start < s.end and s.start < e.end for e in evidence)
        for a, evidence in zip(small(), found)
        for s in a.evidence or ()
    ]
    assert np.mean(hits) > 0.9


def test_registers_are_read_by_id_and_none_are_needed(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "describe-a.jsonl", [{"id": "x", "register": "court", "place": None}])
    write_jsonl(tmp_path / "describe-b.jsonl", [{"id": "y", "register": "portal"}])
    assert read_registers(str(tmp_path / "describe-*.jsonl")) == {"x": "court", "y": "portal"}
    assert read_registers(str(tmp_path / "nothing-*.jsonl")) == read_registers(None) == {}


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}', '{"register": "court"}'])
def test_registers_that_cannot_be_read_are_refused_with_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"id": "x", "register": "court"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"a.jsonl:2: expected a row with id and register"):
        read_registers(str(tmp_path / "a.jsonl"))


def test_the_weakest_slices_are_said_for_each_property_with_enough_positives() -> None:
    def slice_(by: str, value: str, f1: float, n_positive: int = 9) -> Slice:
        unknown = Estimate(float("nan"), float("nan"), float("nan"))
        return Slice(by, value, 20, n_positive, Estimate(f1, f1, f1), unknown, unknown, unknown)

    found = [slice_("year", "2023", 0.5), slice_("year", "2024", 0.9), slice_("year", "2025", 0.1, n_positive=4)]
    assert weakest([*found, slice_("register", "court", 0.7)]) == [
        "by year: F1 from 0.50 (2023, 20 articles) to 0.90 (2024, 20 articles)"
    ]
