"""Topics against what else is known of the articles: modus, province, time; and how topics nest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tppo.embedding import IntVector
from tppo.topics.model import TopicModel

__all__ = ["CrossTable", "cross_table", "merge_tree", "period"]


@dataclass(frozen=True)
class CrossTable:
    """Articles per topic and value: `counts` of shape (n_topics, n_values), int64, and the names of its sides."""

    topics: tuple[int, ...]
    values: tuple[str, ...]
    counts: NDArray[np.int64]

    def as_csv(self) -> str:
        """Return the table as CSV text with a header line."""
        import pandas as pd

        return str(
            pd.DataFrame(self.counts, index=list(self.topics), columns=list(self.values)).to_csv(index_label="topic")
        )


def cross_table(
    labels: IntVector, values: Sequence[Sequence[str]], topics: Sequence[int], *, order: Sequence[str] | None = None
) -> CrossTable:
    """Count articles per topic and value.

    Parameters
    ----------
    labels : ndarray of shape (n_articles,), int64
        Topic ids; -1 is left out.
    values : sequence of sequence of str, length n_articles
        The values of each article: none, one or several.
    topics : sequence of int
        Rows.
    order : sequence of str, optional
        Columns; by default all values, sorted.
    """
    columns = tuple(order) if order is not None else tuple(sorted({v for row in values for v in row}))
    row_of: dict[Hashable, int] = {topic: i for i, topic in enumerate(topics)}
    column_of: dict[Hashable, int] = {value: i for i, value in enumerate(columns)}
    counts = np.zeros((len(topics), len(columns)), dtype=np.int64)
    for label, row in zip(labels.tolist(), values):
        for value in row:
            if label in row_of and value in column_of:
                counts[row_of[label], column_of[value]] += 1
    return CrossTable(tuple(topics), columns, counts)


def period(date: str | None, *, length: str) -> list[str]:
    """Return the year (``length="year"``), quarter or month of an ISO date, as a list of one; empty without a date."""
    if date is None:
        return []
    if length == "year":
        return [date[:4]]
    return [f"{date[:4]}-Q{(int(date[5:7]) + 2) // 3}"] if length == "quarter" else [date[:7]]


def merge_tree(model: TopicModel) -> NDArray[np.float64]:
    """Return how topics nest: average linkage over the cosine distance of their centroids.

    Returns
    -------
    ndarray of shape (n_topics - 1, 4)
        In SciPy's linkage format, over positions in ``model.topics``; empty for one topic.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    if len(model.topics) < 2:
        return np.zeros((0, 4))
    similarity = model.centroids.astype(np.float64) @ model.centroids.T.astype(np.float64)
    distance = np.clip(1 - (similarity + similarity.T) / 2, 0, 2)
    np.fill_diagonal(distance, 0)
    tree: NDArray[np.float64] = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return tree
