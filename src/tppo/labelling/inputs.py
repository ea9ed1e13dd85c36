"""The input of a job: digests of its files, its rows in batches."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from tppo.corpus import Article, Limits, Rejected
from tppo.corpus.readers import read_rows, repeated
from tppo.errors import DataError
from tppo.labelling.index import Index
from tppo.labelling.pool import Batch

__all__ = ["MAX_CHARS", "DescribedFile", "InputFile", "describe_files", "is_watched", "make_batches", "rows_of"]

# The first articles are all watched for drift, so that small jobs have a report, and of the others one in so many.
_WATCHED_FIRST, _WATCHED_STEP = 1000, 32
MAX_CHARS = 4_000_000  # of a batch, unless one article has more
_LINED = {".jsonl"}


class DescribedFile(Protocol):
    """What a job must know of an input file, wherever it lies."""

    @property
    def path(self) -> Path | str:
        """Path or URI, as it stands in the manifest."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""

    @property
    def n_rows(self) -> int | None:
        """Number of rows, None if not known."""

    def check(self) -> None:
        """Hold the file against what it was.

        Raises
        ------
        DataError
            If it was changed.
        """


@dataclass(frozen=True)
class InputFile:
    """A file as it was when the job began: path, size in bytes, modification time, SHA-256, rows where easily told."""

    path: Path
    size: int
    mtime_ns: int
    digest: str
    n_rows: int | None

    def check(self) -> None:
        """Hold the file against what it was.

        Raises
        ------
        DataError
            If it was changed.
        """
        now = self.path.stat() if self.path.exists() else None
        if now is None or (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise DataError(f"{self.path} was changed while it was labelled: label it again with --fresh")


def describe_files(paths: Iterable[Path]) -> list[InputFile]:
    """Read every file once for its digest, which costs a thousandth of labelling it."""
    return [_describe(path) for path in paths]


def _describe(path: Path) -> InputFile:
    """Return size, digest and number of rows of a file."""
    state, digest, n_lines = path.stat(), hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(1024 * 1024):
            digest.update(block)
            n_lines += block.count(b"\n")
    n_rows = n_lines if path.suffix.lower() in _LINED else _parquet_rows(path)
    return InputFile(path, state.st_size, state.st_mtime_ns, digest.hexdigest(), n_rows)


def _parquet_rows(path: Path) -> int | None:
    """Return how many rows a Parquet file says it has; None for others."""
    if path.suffix.lower() != ".parquet":
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):  # the reader will say what is wrong with it
        return None


def rows_of(
    files: Sequence[InputFile], *, limits: Limits, skip: int, sample: int | None
) -> Iterator[tuple[str, Article | Rejected]]:
    """Yield the rows of a job with the places where they stand.

    Parameters
    ----------
    files : sequence of InputFile
        In order.
    limits : Limits
        What the door lets through.
    skip : int
        Rows that were done before.
    sample : int, optional
        Only so many rows, drawn evenly (reservoir sampling, always the same), in the order of the input.
    """
    paths = [file.path for file in files]
    if sample is None:
        return read_rows(paths, limits=limits, skip=skip)
    draw = random.Random(0)
    drawn: list[tuple[int, tuple[str, Article | Rejected]]] = []
    for number, row in enumerate(read_rows(paths, limits=limits)):
        if number < sample:
            drawn.append((number, row))
        elif (place := draw.randrange(number + 1)) < sample:
            drawn[place] = (number, row)
    return islice((row for _, row in sorted(drawn, key=lambda one: one[0])), skip, None)


def is_watched(row: int) -> bool:
    """Tell whether the article of a row is watched for drift."""
    return row < _WATCHED_FIRST or row % _WATCHED_STEP == 0


def make_batches(
    rows: Iterable[tuple[str, Article | Rejected]],
    index: Index,
    *,
    first: int,
    size: int,
    rows_per_part: int,
    once: bool,
) -> Iterator[Batch]:
    """Cut rows into batches.

    Parameters
    ----------
    rows : iterable of (str, Article or Rejected)
        From row number `first` on.
    index : Index
        Knows the ids before, and texts if `once`.
    first : int
        Number of the first row.
    size : int
        Most rows in a batch; fewer where the articles are long, and no batch lies in two parts.
    rows_per_part : int
        Rows in a part.
    once : bool
        Leave out articles whose text came before.
    """
    number, start = first, first
    draft = _Draft()
    for source, outcome in rows:
        if isinstance(outcome, Article) and not index.is_new(outcome.id, number):
            outcome = repeated(source, outcome)
        if isinstance(outcome, Rejected):
            draft.rejected.append(outcome)
        elif once and (before := index.first_with_text(outcome.text, number)) != number:
            draft.repeats.append((number, before, outcome.id, outcome.group))
        else:
            draft.add(number, outcome)
        number += 1
        if number - start == size or number % rows_per_part == 0 or draft.n_chars > MAX_CHARS:
            yield draft.batch(start, number)
            draft, start = _Draft(), number
    if number > start:
        yield draft.batch(start, number)


class _Draft:
    """A batch in the making."""

    def __init__(self) -> None:
        self.articles: list[Article] = []
        self.rows: list[int] = []
        self.rejected: list[Rejected] = []
        self.repeats: list[tuple[int, int, str, str | None]] = []
        self.n_chars = 0

    def add(self, number: int, article: Article) -> None:
        self.articles.append(article)
        self.rows.append(number)
        self.n_chars += len(article.text)

    def batch(self, first: int, end: int) -> Batch:
        """Return the collected rows, `first` up to `end`, as one batch."""
        import pyarrow as pa

        text = pa.string()
        columns: dict[str, Any] = {
            "id": pa.array([a.id for a in self.articles], text),
            "text": pa.array([a.text for a in self.articles], text),
            "group": pa.array([a.group for a in self.articles], text),
        }
        watch = [i for i, row in enumerate(self.rows) if is_watched(row)]
        articles = pa.RecordBatch.from_pydict(columns)
        return Batch(first, end - first, articles, self.rows, self.rejected, self.repeats, watch)
