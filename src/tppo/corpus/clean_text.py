"""A text with stretches left out, the map back to its original, and the arithmetic of such stretches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

__all__ = ["CleanText", "Interval", "between", "compose", "join_lines", "strip"]

Interval = tuple[int, int]


@dataclass(frozen=True)
class CleanText:
    """A cleaned text and where it came from.

    Parameters
    ----------
    text : str
        The text without boilerplate.
    kept : tuple of (int, int)
        The stretches of the original that were kept, in order; their concatenation is `text`.
    """

    text: str
    kept: tuple[Interval, ...]

    @cached_property
    def _starts(self) -> list[int]:
        """Where each kept stretch begins in the clean text, then its length."""
        return [0, *accumulate(end - start for start, end in self.kept)]

    def to_original(self, start: int, end: int) -> Interval:
        """Map the non-empty stretch ``text[start:end]`` to the smallest stretch of the original that covers it."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"expected 0 <= start < end <= {len(self.text)}, got {start}, {end}")
        return self._original(start), self._original(end - 1) + 1

    def to_clean(self, start: int, end: int) -> Interval | None:
        """Map a stretch of the original into the clean text; None if nothing of it was kept."""
        first = last = None
        for (low, high), offset in zip(self.kept, self._starts):
            left, right = max(low, start), min(high, end)
            if left < right:
                first = offset + left - low if first is None else first
                last = offset + right - low
        return None if first is None or last is None else (first, last)

    def _original(self, position: int) -> int:
        """Return where a character of the clean text stands in the original."""
        piece = bisect_right(self._starts, position) - 1
        return self.kept[piece][0] + position - self._starts[piece]


def between(cuts: Iterable[Interval], length: int) -> Iterator[Interval]:
    """Yield what is left of a line of some length between stretches to cut out."""
    start = 0
    for cut_start, cut_end in sorted(cuts):
        yield start, cut_start
        start = max(start, cut_end)
    yield start, length


def strip(text: str, pieces: list[Interval]) -> list[Interval]:
    """Trim blanks at the outer ends of a line's pieces; an all-blank line has none."""
    pieces = [(start, end) for start, end in pieces if start < end]
    while pieces:
        start, end = pieces[0]
        lead = len(text[start:end]) - len(text[start:end].lstrip())
        if start + lead < end:
            pieces[0] = (start + lead, end)
            break
        pieces.pop(0)
    while pieces:
        start, end = pieces[-1]
        length = len(text[start:end].rstrip())
        if length:
            pieces[-1] = (start, start + length)
            break
        pieces.pop()
    return pieces


def join_lines(text: str, lines: list[list[Interval]]) -> list[Interval]:
    """Concatenate lines, keeping one of the original's own newlines between each two."""
    joined: list[Interval] = []
    for number, pieces in enumerate(lines):
        if number:
            newline = text.rindex("\n", 0, pieces[0][0])
            joined.append((newline, newline + 1))
        joined.extend(pieces)
    return _merge(joined)


def _merge(intervals: list[Interval]) -> list[Interval]:
    """Make one of stretches that touch."""
    merged: list[Interval] = []
    for start, end in intervals:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def compose(outer: list[Interval], inner: list[Interval]) -> list[Interval]:
    """Express `inner`, stretches of the text that `outer` keeps, as stretches of the original."""
    before = CleanText(" " * sum(end - start for start, end in outer), tuple(outer))
    composed: list[Interval] = []
    for start, end in inner:
        for (low, high), offset in zip(before.kept, before._starts):
            left, right = max(offset, start), min(offset + high - low, end)
            if left < right:
                composed.append((low + left - offset, low + right - offset))
    return _merge(composed)
