import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import Corpus

from tppo.errors import DataError
from tppo.topics import Batch, TopicModel, TopicSettings, fit_batches
from tppo.topics.incremental import draw_sample


def batches_of(corpus: Corpus, size: int) -> list[Batch]:
    order = np.random.default_rng(0).permutation(len(corpus.texts))
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return [Batch(corpus.vectors[p], [corpus.texts[i] for i in p], [corpus.ids[i] for i in p]) for p in parts]


def numbered(sizes: list[int]) -> list[Batch]:
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    rows = [range(a, b) for a, b in pairwise(first)]
    return [Batch(np.ones((len(r), 2), np.float32), [str(i) for i in r], [str(i) for i in r]) for r in rows]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.integers(1, 20), st.integers(0, 99))
def test_the_sample_does_not_depend_on_the_batches(sizes: list[int], size: int, seed: int) -> None:
    drawn = draw_sample(numbered(sizes), size, seed=seed)
    assert list(drawn.ids) == list(draw_sample(numbered([sum(sizes)]), size, seed=seed).ids)
    assert len(set(drawn.ids)) == min(size, sum(sizes))


def test_every_article_is_drawn_as_often() -> None:
    counts = np.zeros(20)
    for seed in range(2000):
        counts[[int(i) for i in draw_sample(numbered([7, 13]), 5, seed=seed).ids]] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 0.05


def test_batches_give_the_topics_of_the_whole(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=4, n_runs=4, outliers=0.0, min_df=2, max_sample=1000)
    parts = batches_of(corpus, 30)
    model, assigned = fit_batches(lambda: parts, settings=settings)
    labels = {i: int(t) for batch, found in assigned for i, t in zip(batch.ids, found)}
    together = TopicModel.fit(
        np.concatenate([b.vectors for b in parts]),
        [t for b in parts for t in b.texts],
        [i for b in parts for i in b.ids],
        settings=settings,
    )
    assert labels == dict(
        zip([i for b in parts for i in b.ids], together.assign(np.concatenate([b.vectors for b in parts])).tolist())
    )
    assert [t.words for t in model.topics] == [t.words for t in together.topics]
    assert [t.size for t in model.topics] == [t.size for t in together.topics]
    np.testing.assert_array_equal(model.counts, together.counts)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=3, n_runs=2, outliers=0.0, min_df=2, max_sample=100)

    def peak(n_batches: int) -> int:
        def batches() -> Iterator[Batch]:
            for _ in range(n_batches):
                yield from batches_of(corpus, 100)

        tracemalloc.start()
        for _ in fit_batches(batches, settings=settings)[1]:
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(1)  # caches
    assert peak(12) < 1.5 * peak(3)


def test_nothing_to_draw_from_is_said() -> None:
    with pytest.raises(DataError, match="only empty batches"):
        draw_sample([], 5, seed=0)
    with pytest.raises(DataError, match="one vector, text and id"):
        Batch(np.zeros((2, 3), np.float32), ["a"], ["a"])
