"""Take the boilerplate out of scraped news by rules, keeping a map back to the original offsets.

Cleaning only ever deletes: the clean text is the original with stretches left out, so every character of it has one
place in the original.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, field_validator

__all__ = ["CleanText", "Cleaner", "CleaningRules", "Rule"]

Interval = tuple[int, int]


class Rule(BaseModel):
    """One rule: a name, a regular expression, lines it must catch and lines it must leave (both tested).

    A rule that is slow on ordinary paragraphs names lower-case strings of which every match holds one (`needs`): it is
    tried only in lines that have one of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pattern: str
    needs: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}: {pattern!r}") from None
        return pattern


class CleaningRules(BaseModel):
    """The rules of one cleaning file.

    Attributes
    ----------
    inline : tuple of Rule
        Stretches inside a line that are cut out (the pattern is searched).
    line : tuple of Rule
        Lines that go as a whole (the pattern must match the stripped line from start to end).
    heading : tuple of Rule
        Lines that go together with the headline-like lines that follow them ("Berita Terkait").
    to_end : tuple of Rule
        Lines from which everything goes, if they stand in the second half (comment blocks).
    stray : tuple of Rule
        Headline-like lines that go from between two paragraphs if the article shares few of their words: links to other
        articles that have lost their label. A subheading shares its words with the text.
    head : tuple of Rule
        Lines that go above the dateline, or else above the first paragraph (menus, desks, captions, other headlines). A
        first line that shares its words with the paragraph stays: it is the title.
    tail : tuple of Rule
        Lines that go where no paragraph follows them any more: what a page adds below its article seldom ends as a
        sentence does. Nothing goes after a line that ends in a colon: that is the article's own list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    inline: tuple[Rule, ...] = ()
    line: tuple[Rule, ...] = ()
    heading: tuple[Rule, ...] = ()
    to_end: tuple[Rule, ...] = ()
    stray: tuple[Rule, ...] = ()
    head: tuple[Rule, ...] = ()
    tail: tuple[Rule, ...] = ()


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
        piece = bisect_right(self._starts, position) - 1
        return self.kept[piece][0] + position - self._starts[piece]


class Cleaner:
    """Apply cleaning rules to texts.

    Parameters
    ----------
    rules : CleaningRules
        What goes. ``CleaningRules(name="none")`` only drops blank lines and surrounding blanks.
    """

    def __init__(self, rules: CleaningRules) -> None:
        self.rules = rules
        self._inline = _Patterns(rules.inline)
        self._line = _Patterns(rules.line)
        self._heading = _alternation(rules.heading)
        self._to_end = _alternation(rules.to_end)
        self._stray = _alternation(rules.stray)
        self._head = _alternation(rules.head)
        self._tail = _alternation(rules.tail)

    def clean(self, text: str) -> CleanText:
        """Return `text` without boilerplate; cleaning the result again changes nothing."""
        kept: list[Interval] = [(0, len(text))] if text else []
        current = text
        known: dict[str, bool] = {}
        while True:
            step = self._pass(current, known)
            cleaned = "".join(current[start:end] for start, end in step)
            if cleaned == current:
                return CleanText(current, tuple(kept))
            kept = _compose(kept, step)
            current = cleaned

    def _pass(self, text: str, known: dict[str, bool]) -> list[Interval]:
        """Return the stretches of `text` that one round of the rules keeps; `known` remembers which lines go."""
        lines = [piece for line in _lines(text) for piece in [self._inline.cut(text, line)] if piece]
        total = sum(end - start for pieces in lines for start, end in pieces)
        kept: list[list[Interval]] = []
        read = 0
        in_list = False
        for pieces in lines:
            line = "".join(text[start:end] for start, end in pieces).strip()
            read += sum(end - start for start, end in pieces)
            if self._to_end and self._to_end.fullmatch(line) and 2 * read > total:
                break
            if self._heading and self._heading.fullmatch(line):
                in_list = True
            elif in_list and _looks_like_headline(line):
                continue
            else:
                in_list = False
                if line not in known:
                    known[line] = len(line) <= _LONGEST_LINE and self._line.fullmatch(line)
                if not known[line]:
                    kept.append(pieces)
        return _join_lines(text, self._without_positioned(text, kept))

    def _without_positioned(self, text: str, lines: list[list[Interval]]) -> list[list[Interval]]:
        """Leave out what `head`, `stray` and `tail` name above, between and below the paragraphs."""
        if self._head is None and self._stray is None and self._tail is None:
            return lines
        whole = ["".join(text[start:end] for start, end in pieces) for pieces in lines]
        if sum(line[:1].islower() for line in whole) > max(1, len(whole) // 4):
            return lines  # paragraphs broken into lines: a line's end says nothing
        paragraph = next((n for n, line in enumerate(whole) if _is_paragraph(line)), 0)
        first = next((n for n, line in enumerate(whole[:10]) if _DATELINE.match(line)), paragraph)
        last = max((n for n, line in enumerate(whole) if _ends_paragraph(line)), default=len(whole))
        if last < len(whole) and whole[last].endswith(":"):
            last = len(whole)
        title = 1 if whole and _is_title(whole[0], whole[first]) else 0
        gone = {n for n in range(title, first) if self._head and self._head.fullmatch(whole[n])}
        gone |= {n for n in range(last + 1, len(whole)) if self._tail and self._tail.fullmatch(whole[n])}
        if self._stray:
            gone |= {n for n in range(first + 1, last) if self._stray.fullmatch(whole[n]) and _is_foreign(n, whole)}
        return [pieces for n, pieces in enumerate(lines) if n not in gone]


class _Patterns:
    """The rules of one section: one pattern for all that are always tried, one for each that has needs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._always = _alternation([rule for rule in rules if not rule.needs])
        self._needy = [(rule.needs, re.compile(rule.pattern, re.IGNORECASE)) for rule in rules if rule.needs]

    def _for(self, line: str) -> Iterator[re.Pattern[str]]:
        if self._always is not None:
            yield self._always
        lowered = line.lower()
        for needs, pattern in self._needy:
            for need in needs:  # any() with a generator takes three times as long
                if need in lowered:
                    yield pattern
                    break

    def fullmatch(self, line: str) -> bool:
        """Tell whether a pattern matches a line from start to end."""
        return any(pattern.fullmatch(line) for pattern in self._for(line))

    def cut(self, text: str, line: Interval) -> list[Interval]:
        """Return what is left of a line when all matches of the patterns are cut out."""
        start, end = line
        cuts = sorted(m.span() for pattern in self._for(text[start:end]) for m in pattern.finditer(text, start, end))
        pieces = []
        for cut_start, cut_end in cuts:
            pieces.append((start, cut_start))
            start = max(start, cut_end)
        pieces.append((start, end))
        return _strip(text, pieces)


def _alternation(rules: Sequence[Rule]) -> re.Pattern[str] | None:
    if not rules:
        return None
    return re.compile("|".join(f"(?:{rule.pattern})" for rule in rules), re.IGNORECASE)


def _lines(text: str) -> Iterable[Interval]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _strip(text: str, pieces: list[Interval]) -> list[Interval]:
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


def _join_lines(text: str, lines: list[list[Interval]]) -> list[Interval]:
    """Concatenate lines, keeping one of the original's own newlines between each two."""
    joined: list[Interval] = []
    for number, pieces in enumerate(lines):
        if number:
            newline = text.rindex("\n", 0, pieces[0][0])
            joined.append((newline, newline + 1))
        joined.extend(pieces)
    return _merge(joined)


def _merge(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in intervals:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _compose(outer: list[Interval], inner: list[Interval]) -> list[Interval]:
    """Express `inner`, stretches of the text that `outer` keeps, as stretches of the original."""
    before = CleanText(" " * sum(end - start for start, end in outer), tuple(outer))
    composed: list[Interval] = []
    for start, end in inner:
        for (low, high), offset in zip(before.kept, before._starts):
            left, right = max(offset, start), min(offset + high - low, end)
            if left < right:
                composed.append((low + left - offset, low + right - offset))
    return _merge(composed)


# Longer lines are never boilerplate as a whole.
_LONGEST_LINE = 500
# "BATAM, Kabar.id - Polisi …", "Jakarta (ANTARA) - …": what stands above it is not the article.
_DATELINE = re.compile(
    r"(?:[A-Z]{3,}[A-Z ]{0,30}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
    r"(?:,? ?\([^()]{2,40}\)|[,/][ ]?[\w.,: ]{2,40}?)?\s*(?:--+|[-–—])\s\W?[A-Z0-9]"
)
# A sentence's end with its closing quotes; at the article's end the writer's initials follow: "… pekan depan. (ant)"
_SENTENCE_END = re.compile(r"""[.!?…:]["'”’»)\]*]*$""")
_PARAGRAPH_END = re.compile(r"""[.!?…:]["'”’»)\]*]*(\s*[(\[][^()\[\]]{1,30}[)\]])?[\W_]*$""")


def _is_title(line: str, paragraph: str) -> bool:
    """A line that tells what the first paragraph tells: three fifths of its longer words stand there."""
    words = set(re.findall(r"\w{4,}", line.casefold()))
    return (
        len(words) >= 3
        and not line.endswith(".")
        and 5 * len(words & set(re.findall(r"\w+", paragraph.casefold()))) >= 3 * len(words)
    )


def _is_foreign(number: int, lines: Sequence[str]) -> bool:
    """A line of which the other lines share at most a fifth of the longer words."""
    words = set(re.findall(r"\w{4,}", lines[number].casefold()))
    others = set(re.findall(r"\w{4,}", "\n".join([*lines[:number], *lines[number + 1 :]]).casefold()))
    return len(words) >= 3 and 5 * len(words & others) <= len(words)


def _is_paragraph(line: str) -> bool:
    """A line of at least ten words that ends as a sentence does."""
    return line.count(" ") >= 9 and _SENTENCE_END.search(line, max(0, len(line) - 20)) is not None


def _ends_paragraph(line: str) -> bool:
    """A line of at least five words that ends as the last paragraph of an article may."""
    return line.count(" ") >= 4 and _PARAGRAPH_END.search(line, max(0, len(line) - 60)) is not None


def _looks_like_headline(line: str) -> bool:
    """A line without a sentence's end, of at most 25 words: a linked headline rather than a paragraph."""
    return not line.rstrip("\"'”’) ").endswith((".", "!", "…", ":", ";", ",")) and len(line.split()) <= 25
