"""What a model says of its training articles, kept with it so that labelling can tell when the news has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tppo.classify.scorer import FloatArray
from tppo.errors import ModelError

__all__ = ["Reference", "stability_index"]

_BINS = 10


def stability_index(expected: Sequence[float], found: Sequence[int]) -> float:
    """Return the population stability index of counts against expected shares.

    ``sum((q - p) * log(q / p))`` over the bins, the symmetric Kullback-Leibler divergence (Jeffreys); half a count is
    added to each bin, so that an empty one does not make it infinite. By custom below 0.1 is stable and above 0.25 a
    shift (Siddiqi 2006). NaN without counts.

    Parameters
    ----------
    expected : sequence of float, length n_bins
        Shares that add up to 1.
    found : sequence of int, length n_bins
        Counts.
    """
    total = sum(found)
    if not total:
        return float("nan")
    p = np.maximum(np.asarray(expected, dtype=np.float64), 1e-6)
    q = (np.asarray(found, dtype=np.float64) + 0.5) / (total + 0.5 * len(found))
    return float(np.sum((q - p) * np.log(q / p)))


@dataclass(frozen=True)
class Reference:
    """How the probabilities of training articles are distributed.

    Parameters
    ----------
    edges : mapping of str to sequence of float
        Label key to the ascending inner edges of the bins of its probabilities: deciles of training, repeats left out.
    shares : mapping of str to sequence of float
        Label key to the share of training probabilities in each bin; one more than the edges.
    """

    edges: Mapping[str, Sequence[float]]
    shares: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, probabilities: FloatArray, keys: Sequence[str]) -> Self:
        """Describe probabilities.

        Parameters
        ----------
        probabilities : ndarray of shape (n_articles, n_labels), in [0, 1]
            Held-out ones: those of a model for its own training articles are too sure.
        keys : sequence of str
            The labels, the columns of `probabilities`.
        """
        deciles = np.quantile(probabilities, np.arange(1, _BINS) / _BINS, axis=0)
        edges = {key: np.unique(deciles[:, k]).tolist() for k, key in enumerate(keys)}
        counts = {key: _counts(edges[key], probabilities[:, k]) for k, key in enumerate(keys)}
        return cls(edges, {key: (n / n.sum()).tolist() for key, n in counts.items()})

    def histogram(self, key: str, probabilities: FloatArray) -> list[int]:
        """Return how many of a label's probabilities lie in each bin."""
        return [int(n) for n in _counts(self.edges[key], probabilities)]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps({"edges": self.edges, "shares": self.shares}), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            edges, shares = (
                {key: [float(x) for x in values] for key, values in state[name].items()} for name in ("edges", "shares")
            )
            return cls(edges, shares)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"cannot read the scores of the training articles {path}: {error}") from None


def _counts(edges: Sequence[float], values: FloatArray) -> NDArray[np.int64]:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
