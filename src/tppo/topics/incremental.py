"""Topics of corpora that do not fit in memory: fit on a drawn sample, then take the articles in batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tppo.embedding import FloatMatrix, IntVector
from tppo.errors import DataError
from tppo.topics.base import TopicSettings
from tppo.topics.model import TopicModel

__all__ = ["Batch", "draw_sample", "fit_batches"]


@dataclass(frozen=True)
class Batch:
    """Some articles: `vectors` of shape (n, dimension), float32, and as many clean `texts` and `ids`."""

    vectors: FloatMatrix
    texts: Sequence[str]
    ids: Sequence[str]

    def __post_init__(self) -> None:
        if not len(self.vectors) == len(self.texts) == len(self.ids):
            found = (len(self.vectors), len(self.texts), len(self.ids))
            raise DataError(f"expected one vector, text and id per article of a batch, got {found}")


def draw_sample(batches: Iterable[Batch], size: int, *, seed: int) -> Batch:
    """Draw `size` articles with equal chances in one pass (reservoir sampling, Vitter's algorithm R).

    Parameters
    ----------
    batches : iterable of Batch
        Read once; only the drawn articles are kept.
    size : int
        Articles to draw; all of them if there are fewer.
    seed : int
        Same seed and batches, same sample.

    Raises
    ------
    DataError
        If there are no articles.
    """
    rng = np.random.default_rng([seed, 11])
    kept: list[tuple[int, FloatMatrix, str, str]] = []
    seen = 0
    for batch in batches:
        # One draw per article, whatever the batches: article number s replaces a kept one with chance size / (s + 1).
        places = (rng.random(len(batch.texts)) * (seen + 1 + np.arange(len(batch.texts)))).astype(np.int64)
        for row, place in enumerate(places.tolist()):
            if seen < size:
                kept.append((seen, batch.vectors[row].copy(), batch.texts[row], batch.ids[row]))
            elif place < size:
                kept[place] = (seen, batch.vectors[row].copy(), batch.texts[row], batch.ids[row])
            seen += 1
    if not kept:
        raise DataError("topics need articles, got only empty batches")
    kept.sort(key=lambda item: item[0])
    _, vectors, texts, ids = zip(*kept)
    return Batch(np.stack(vectors), list(texts), list(ids))


def fit_batches(
    batches: Callable[[], Iterable[Batch]],
    *,
    settings: TopicSettings | None = None,
    seeds: Mapping[str, FloatMatrix] | None = None,
    fingerprint: str = "",
) -> tuple[TopicModel, Iterator[tuple[Batch, IntVector]]]:
    """Fit on a sample of ``settings.max_sample`` articles; then assign all articles, one batch in memory at a time.

    Parameters
    ----------
    batches : callable that returns an iterable of Batch
        Called twice: to draw the sample and to assign.
    settings, seeds, fingerprint
        See `TopicModel.fit`.

    Returns
    -------
    model : TopicModel
        Fitted on the sample. Its sizes and words are those of all articles once the second value is used up.
    assigned : iterator of (Batch, ndarray of shape (n,), int64)
        Each batch with its topic ids.

    Raises
    ------
    DataError
        As `TopicModel.fit`.
    """
    s = settings or TopicSettings()
    sample = draw_sample(batches(), s.max_sample, seed=s.seed)
    model = TopicModel.fit(sample.vectors, sample.texts, sample.ids, settings=s, seeds=seeds, fingerprint=fingerprint)
    model.forget_counts()

    def assign() -> Iterator[tuple[Batch, IntVector]]:
        for batch in batches():
            yield batch, model.add(batch.vectors, batch.texts, batch.ids)

    return model, assign()
