"""Rows of labelled articles: taking some keeps rows, words and labels together, and folds are learnt from apart."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tppo.classify.instances import Instances, Learnt, Wording, learn_in_folds
from tppo.embedding import Tokens


def instances(sizes: list[int], *, worded: bool = True) -> Instances:
    """Articles of so many windows; feature, label and words of each window and article are its number."""
    bags = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.arange(len(bags))
    marks = np.where(rows % 3 == 0, 1.0, -1.0)[:, None]
    wording = Wording(Tokens(np.repeat(rows, 2), np.full(len(rows), 2)), np.zeros((len(rows), 4)), np.array([0]))
    Y = np.arange(len(sizes), dtype=float)[:, None]
    return Instances(rows[:, None].astype(float), Y, bags, marks, wording if worded else None)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8), data=st.data())
def test_some_articles_keep_their_rows_words_and_labels(sizes: list[int], data: st.DataObject) -> None:
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))))
    whole = instances(sizes)
    some = whole.take(chosen)
    rows = np.flatnonzero(chosen[whole.bags])
    assert some.wording is not None
    assert list(some.X[:, 0]) == list(rows)
    assert list(some.wording.tokens.ids) == [row for row in rows for _ in range(2)]
    assert list(some.Y[some.bags, 0]) == list(whole.bags[rows])
    assert list(some.marks[:, 0]) == list(whole.marks[rows, 0])


def test_texts_are_whole_articles_and_the_rows_that_state_a_label() -> None:
    tokens, labels = instances([2, 1, 2]).texts()
    each = [list(tokens.ids[start:stop]) for start, stop in zip(tokens.offsets, tokens.offsets[1:])]
    assert each == [[0, 0, 1, 1], [2, 2], [3, 3, 4, 4], [0, 0], [3, 3]]
    assert labels[:, 0].tolist() == [False, True, False, True, True]  # the article whose Y is 1, and the marked rows


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_fold_is_scored_by_what_was_learnt_without_it(n_jobs: int) -> None:
    rows, fold = instances([2, 1, 3, 1, 2, 2]), np.array([0, 1, 2, 0, 1, 2])

    def learn(some: Instances) -> Learnt:
        """Score every row by which articles were seen: a bit for each."""
        return Learnt(np.zeros((1, 1)), np.array([(2.0 ** some.Y[:, 0]).sum()]))

    learnt, held_out = learn_in_folds([rows, rows], fold, learn, temperature=1e-9, n_jobs=n_jobs)
    assert [found.bias[0] for found in learnt] == [63, 63]
    for logits in held_out:
        seen = [{k for k in range(6) if round(value) >> k & 1} for value in logits[:, 0]]
        assert seen == [{k for k in range(6) if fold[k] != fold[article]} for article in range(6)]


def test_sparse_rows_stay_sparse() -> None:
    rows = instances([1, 2])
    sparse = Instances(sp.csr_matrix(rows.X), rows.Y, rows.bags, rows.marks).take(np.array([False, True]))
    assert sp.issparse(sparse.X)
    assert sparse.X.toarray().tolist() == [[1.0], [2.0]]
