"""What a model said about labelled articles, as a table that a run keeps and that two runs are compared by."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tppo.errors import DataError

__all__ = ["Predictions", "align", "text_digest"]

FloatArray = NDArray[np.float64]

_TEXT = ("id", "group", "text_sha256")
_NUMBERS = ("true", "p", "given")


@dataclass(frozen=True)
class Predictions:
    """Truth, probabilities and labels given for a set of articles.

    Parameters
    ----------
    labels : tuple of str
        Label keys; the columns of the arrays.
    ids, groups : tuple of str, length n_articles
        Of the articles and their syndication groups.
    digests : tuple of str, length n_articles
        `text_digest` of each article: the same id may stand for another text in another corpus.
    truth : ndarray of shape (n_articles, n_labels)
        0, 1, or NaN where a label is not known.
    probabilities : ndarray of shape (n_articles, n_labels), in [0, 1]
        What the model gave.
    given : ndarray of shape (n_articles, n_labels), bool
        The labels it decided on.
    """

    labels: tuple[str, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    digests: tuple[str, ...]
    truth: FloatArray
    probabilities: FloatArray
    given: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shape = (len(self.ids), len(self.labels))
        found = [a.shape for a in (self.truth, self.probabilities, self.given)]
        if any(s != shape for s in found) or not len(self.ids) == len(self.groups) == len(self.digests):
            raise ValueError(
                f"expected arrays of shape {shape} and as many groups and digests as ids, got {found}, "
                f"{len(self.groups)} groups, {len(self.digests)} digests"
            )

    def to_csv(self) -> str:
        """Return a row per article: id, group, text_sha256, and per label true_, p_ and given_; floats round-trip."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*_TEXT, *(f"{kind}_{key}" for key in self.labels for kind in _NUMBERS)])
        arrays = [self.truth.tolist(), self.probabilities.tolist(), self.given.astype(int).tolist()]
        for i, identity in enumerate(zip(self.ids, self.groups, self.digests)):
            numbers = [array[i][k] for k in range(len(self.labels)) for array in arrays]
            writer.writerow([*identity, *("" if x != x else x for x in numbers)])
        return stream.getvalue()

    @classmethod
    def from_csv(cls, content: str) -> Predictions:
        """Read what `to_csv` wrote.

        Raises
        ------
        DataError
            If columns are missing or hold no numbers.
        """
        rows = list(csv.DictReader(io.StringIO(content)))
        names = next(csv.reader(io.StringIO(content)), [])
        labels = tuple(name.removeprefix("p_") for name in names if name.startswith("p_"))
        try:
            ids, groups, digests = (tuple(row[name] for row in rows) for name in _TEXT)
            truth, probabilities, given = (
                np.array([[float(row[f"{kind}_{key}"] or "nan") for key in labels] for row in rows])
                for kind in _NUMBERS
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"not a table of predictions: {type(error).__name__}: {error}") from None
        if not (labels and rows):
            raise DataError(
                f"not a table of predictions: {len(rows)} rows with the columns {', '.join(names) or '(none)'}"
            )
        return cls(labels, ids, groups, digests, truth, probabilities, given == 1)

    def only(self, labels: Sequence[str]) -> Predictions:
        """Return the predictions of some labels, in the order of `labels`."""
        columns = [self.labels.index(key) for key in labels]
        return Predictions(
            tuple(labels),
            self.ids,
            self.groups,
            self.digests,
            self.truth[:, columns],
            self.probabilities[:, columns],
            self.given[:, columns],
        )

    def take(self, rows: Sequence[int]) -> Predictions:
        """Return the predictions of some articles, in the order of `rows`."""
        picked = np.asarray(rows, dtype=np.intp)
        ids, groups, digests = (tuple(x[i] for i in picked) for x in (self.ids, self.groups, self.digests))
        return Predictions(
            self.labels,
            ids,
            groups,
            digests,
            self.truth[picked],
            self.probabilities[picked],
            self.given[picked],
        )


def text_digest(text: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def align(first: Predictions, second: Predictions, *, names: tuple[str, str] = ("first", "second")) -> Predictions:
    """Return `second` in the order of `first`.

    Raises
    ------
    DataError
        If they are not about the same articles with the same labels; the message says which differ.
    """
    if first.labels != second.labels:
        raise DataError(
            f"the runs have different labels and cannot be compared: {names[0]} has {', '.join(first.labels)}; "
            f"{names[1]} has {', '.join(second.labels)}"
        )
    ours, theirs = set(first.ids), set(second.ids)
    if ours != theirs:
        parts = [
            f"{len(only)} only in {name} ({_some(sorted(only))})"
            for name, only in zip(names, (ours - theirs, theirs - ours))
            if only
        ]
        raise DataError(
            f"the runs were scored on different articles and cannot be compared: {len(ours & theirs)} in both, "
            f"{', '.join(parts)}; train both on the same corpus and split"
        )
    place = {identifier: row for row, identifier in enumerate(second.ids)}
    other = second.take([place[identifier] for identifier in first.ids])
    unlike = {
        "texts": [a != b for a, b in zip(first.digests, other.digests)],
        "true labels": ~((first.truth == other.truth) | (np.isnan(first.truth) & np.isnan(other.truth))).all(axis=1),
        "syndication groups": [a != b for a, b in zip(first.groups, other.groups)],
    }
    for what, differs in unlike.items():
        if np.any(differs):
            found = [identifier for identifier, odd in zip(first.ids, differs) if odd]
            raise DataError(
                f"the runs were scored on different articles and cannot be compared: the {what} of {len(found)} of "
                f"{len(first.ids)} differ ({_some(found)}); train both on the same corpus"
            )
    return other


def _some(items: Sequence[str], n: int = 3) -> str:
    return ", ".join(items[:n]) + (" …" if len(items) > n else "")
