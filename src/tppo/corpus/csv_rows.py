"""Read CSV files so that damage stays where it is: a stray quote costs its own line, not the rest of the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from tppo.corpus.streams import MAX_ROW_BYTES, bounded_lines, detect_encoding

__all__ = ["read_csv"]

_HEAD_BYTES = 256 * 1024
# A quoted cell that is not closed within so many lines is taken for a stray quote.
_MAX_LINES = 20_000
_TOO_LONG = f"line is too long: at most {MAX_ROW_BYTES:,} characters"
csv.field_size_limit(MAX_ROW_BYTES)


def read_csv(path: Path) -> Iterator[tuple[str, Mapping[str, str | None] | str]]:
    """Yield the rows of a CSV file with a header, each with the place where it ends, or the reason there is none.

    The delimiter is the most frequent of comma, semicolon and tab in the header. A quoted cell may hold line breaks. A
    row of several lines must have as many cells as the header; where it has not, or its quotes do not close, its first
    line alone is given up and reading goes on with the second.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    # Rows of no known encoding are refused one by one, and do not take the others with them.
    encoding = detect_encoding(head, whole=len(head) < _HEAD_BYTES) or "utf-8-sig"
    first = head.decode(encoding, "replace").splitlines()[:1] or [""]
    delimiter = max(",;\t", key=first[0].count)
    # Escaped bytes of UTF-8 are found, and refused, row by row; other encodings know no such escape.
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    with path.open(encoding=encoding, errors=errors, newline="") as text:
        records = _Records(bounded_lines(text, MAX_ROW_BYTES), delimiter)
        header = next((row for row in records if row), [])
        if isinstance(header, str) or "text" not in header:
            columns = ", ".join(header) if isinstance(header, list) else header
            yield str(path), f"no column 'text'; columns: {columns or 'none'}"
            return
        records.width = len(header)
        for row in records:
            source = f"{path}:{records.line}"
            if isinstance(row, str):
                yield source, row
            elif len(row) > len(header):
                yield source, f"row has more cells than the header's {len(header)}"
            elif row:
                yield source, dict(zip(header, [*row, *[None] * (len(header) - len(row))]))


class _Records:
    """The records of CSV lines as lists of cells, or the reason why a line belongs to none."""

    def __init__(self, lines: Iterator[str | None], delimiter: str) -> None:
        self.line = 0
        self.width: int | None = None
        self._lines = lines
        self._again: deque[str | None] = deque()
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str] | str]:
        return self

    def __next__(self) -> list[str] | str:
        first = self._next()
        if first is None:
            return _TOO_LONG
        if '"' not in first:
            return self._parse([first])
        taken = [first]
        try:
            row: list[str] = next(csv.reader(self._feed(taken), delimiter=self._delimiter, strict=True))
        except csv.Error:
            pass
        else:
            if len(taken) == 1 or self.width is None or len(row) == self.width:
                return row
        self._again.extendleft(reversed(taken[1:]))
        self.line -= len(taken) - 1
        if first.count('"') % 2:
            return f"a quote is opened and never closed; line begins {first[:60]!r}"
        return self._parse([first])  # quotes that are not doubled inside a cell

    def _parse(self, lines: list[str]) -> list[str]:
        return next(csv.reader(lines, delimiter=self._delimiter), [])

    def _next(self) -> str | None:
        line = self._again.popleft() if self._again else next(self._lines)
        self.line += 1
        return line

    def _feed(self, taken: list[str]) -> Iterator[str]:
        """Yield the line taken and those after it, noting them, until there are too many."""
        yield taken[0]
        size = len(taken[0])
        while len(taken) < _MAX_LINES and size < MAX_ROW_BYTES:
            try:
                line = self._next()
            except StopIteration:
                return
            if line is None:
                self._again.appendleft(None)
                self.line -= 1
                return
            taken.append(line)
            size += len(line)
            yield line
