"""Parts share no group, hold every article once and like shares of every label."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tppo.corpus import Split, balanced_folds, balanced_split, load_split
from tppo.errors import DataError, UsageError


@dataclass
class Corpus:
    ids: list[str]
    groups: list[str]
    labels: np.ndarray


@st.composite
def corpora(draw, one_article_groups=False, min_articles=2):
    n = draw(st.integers(min_articles, 60))
    n_labels = draw(st.integers(1, 5))
    groups = range(n) if one_article_groups else draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    labels = draw(arrays(bool, (n, n_labels)))
    return Corpus([f"a{i}" for i in range(n)], [f"g{group}" for group in groups], labels)


SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([0.2, 0.25, 0.3, 0.5])


def split(corpus: Corpus, size: float, seed: int) -> Split | None:
    """Return the split, or None where the groups cannot be divided in two."""
    try:
        return balanced_split(corpus.ids, corpus.groups, corpus.labels, test_size=size, seed=seed)
    except UsageError:
        return None


@given(corpora(), SIZES, SEEDS)
def test_a_split_holds_every_article_in_one_part(corpus, size, seed):
    parts = split(corpus, size, seed)
    if parts is not None:
        assert sorted(parts.train + parts.test) == sorted(corpus.ids)


@given(corpora(), SIZES, SEEDS)
def test_a_split_parts_no_group(corpus, size, seed):
    parts = split(corpus, size, seed)
    if parts is not None:
        group = dict(zip(corpus.ids, corpus.groups))
        assert {group[i] for i in parts.train} & {group[i] for i in parts.test} == set()


@given(corpora(), SIZES, SEEDS)
def test_a_split_keeps_the_order_of_the_articles(corpus, size, seed):
    parts = split(corpus, size, seed)
    if parts is not None:
        assert list(parts.train) == [i for i in corpus.ids if i in parts.train]


@given(corpora(), SIZES, SEEDS)
def test_a_split_is_the_same_under_the_same_seed(corpus, size, seed):
    assert split(corpus, size, seed) == split(corpus, size, seed)


@given(corpora(one_article_groups=True, min_articles=20), SIZES, SEEDS)
def test_a_split_of_single_articles_has_its_share_of_articles_and_labels_within_three(corpus, size, seed):
    parts = split(corpus, size, seed)
    held_out = np.isin(corpus.ids, parts.test)
    assert abs(held_out.sum() - size * len(corpus.ids)) <= 3
    assert np.abs(corpus.labels[held_out].sum(axis=0) - size * corpus.labels.sum(axis=0)).max() <= 3


def test_another_seed_gives_another_split():
    ids = [f"a{i}" for i in range(40)]
    labels = np.zeros((40, 1), dtype=bool)
    assert len({balanced_split(ids, ids, labels, test_size=0.5, seed=seed).test for seed in range(5)}) > 1


def test_a_rare_label_reaches_both_parts():
    labels = np.zeros((100, 1), dtype=bool)
    labels[[3, 70]] = True
    ids = [str(i) for i in range(100)]
    parts = balanced_split(ids, ids, labels, test_size=0.5, seed=0)
    assert len({"3", "70"} & set(parts.test)) == 1


def test_a_split_of_one_group_is_refused_with_the_counts():
    with pytest.raises(UsageError, match="cannot hold out 20% of 3 articles in 1 groups"):
        balanced_split(["a", "b", "c"], ["g", "g", "g"], np.ones((3, 1), dtype=bool), test_size=0.2, seed=0)


# Folds


@given(corpora(), st.integers(2, 6), SEEDS)
def test_folds_part_no_group(corpus, n_folds, seed):
    folds = balanced_folds(corpus.groups, corpus.labels, n_folds=n_folds, seed=seed)
    assert len(set(zip(corpus.groups, folds))) == len(set(corpus.groups))


@given(corpora(), st.integers(2, 6), SEEDS)
def test_every_article_has_a_fold(corpus, n_folds, seed):
    folds = balanced_folds(corpus.groups, corpus.labels, n_folds=n_folds, seed=seed)
    assert folds.shape == (len(corpus.ids),)
    assert folds.dtype == np.int64
    assert set(folds) <= set(range(n_folds))


@given(corpora(), st.integers(2, 6), SEEDS)
def test_folds_are_the_same_under_the_same_seed(corpus, n_folds, seed):
    first = balanced_folds(corpus.groups, corpus.labels, n_folds=n_folds, seed=seed)
    assert (first == balanced_folds(corpus.groups, corpus.labels, n_folds=n_folds, seed=seed)).all()


@given(corpora(one_article_groups=True, min_articles=20), st.integers(2, 5), SEEDS)
def test_folds_of_single_articles_have_like_shares_of_every_label_within_three(corpus, n_folds, seed):
    folds = balanced_folds(corpus.groups, corpus.labels, n_folds=n_folds, seed=seed)
    for fold in range(n_folds):
        found = corpus.labels[folds == fold].sum(axis=0)
        assert np.abs(found - corpus.labels.sum(axis=0) / n_folds).max() <= 3


# Files


def test_a_saved_split_is_read_back(tmp_path):
    parts = Split(("a", "b"), ("c",))
    parts.save(tmp_path / "new" / "split.json")
    assert load_split(tmp_path / "new" / "split.json") == parts


def test_ids_that_are_numbers_are_read_as_strings(tmp_path):
    (tmp_path / "s.json").write_text('{"train": [1], "test": [2]}', encoding="utf-8")
    assert load_split(tmp_path / "s.json") == Split(("1",), ("2",))


def test_a_missing_split_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read split .*gone\.json"):
        load_split(tmp_path / "gone.json")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"train": ["a"]}', '{"train": 1, "test": ["b"]}', "null"])
def test_a_split_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="expected JSON with 'train' and 'test' ids"):
        load_split(tmp_path / "s.json")


def test_a_split_with_a_string_for_ids_is_refused(tmp_path):
    (tmp_path / "s.json").write_text('{"train": "abc", "test": ["d"]}', encoding="utf-8")
    with pytest.raises(DataError, match="expected JSON with 'train' and 'test' ids"):
        load_split(tmp_path / "s.json")


def test_a_split_with_an_id_in_both_parts_is_refused_with_the_id(tmp_path):
    content = json.dumps({"train": ["a", "b", "c"], "test": ["c", "b"]})
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="2 ids stand in both parts, first 'b'"):
        load_split(tmp_path / "s.json")
