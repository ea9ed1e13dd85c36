"""Take the boilerplate out of scraped news by rules, keeping a map back to the original offsets.

Cleaning only ever deletes: the clean text is the original with stretches left out, so every character of it has one
place in the original.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, field_validator

from tppo.corpus.clean_text import CleanText, Interval, between, compose, join_lines, strip
from tppo.corpus.line_kinds import (
    ends_paragraph,
    is_dateline,
    is_foreign,
    is_paragraph,
    is_title,
    looks_like_headline,
)
from tppo.corpus.prefilter import LineFilter

__all__ = ["CleanText", "Cleaner", "CleaningRules", "Rule"]

Line = tuple[str, list[Interval]]

_LONGEST_LINE = 500  # longer ones are never boilerplate as a whole


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


class Cleaner:
    """Apply cleaning rules to texts.

    Parameters
    ----------
    rules : CleaningRules
        What goes. ``CleaningRules(name="none")`` only drops blank lines and surrounding blanks.
    """

    def __init__(self, rules: CleaningRules) -> None:
        self.rules = rules
        self._inline = _Patterns(rules, ["inline"], whole=False)
        self._whole = _Patterns(rules, ["line", "heading", "to_end", "stray"], whole=True)
        self._head = _alternation(rules.head)
        self._tail = _alternation(rules.tail)

    def clean(self, text: str) -> CleanText:
        """Return `text` without boilerplate; cleaning the result again changes nothing."""
        kept: list[Interval] = [(0, len(text))] if text else []
        current = text
        while True:
            lines = self._pass(current)
            cleaned = "\n".join(line for line, _ in lines)
            if cleaned == current:
                return CleanText(current, tuple(kept))
            kept = compose(kept, join_lines(current, [pieces for _, pieces in lines]))
            current = cleaned

    def _pass(self, text: str) -> list[Line]:
        """Return the lines of `text` that one round of the rules keeps."""
        lines = self._cut(text)
        named = self._named([line for line, _ in lines])
        lines, strays = _not_named(lines, named)
        gone = self._positioned([line for line, _ in lines], strays)
        return [line for number, line in enumerate(lines) if number not in gone]

    def _cut(self, text: str) -> list[Line]:
        """Return what `inline` leaves of the lines of `text`, without outer blanks; of a blank line nothing."""
        raw = text.split("\n")
        cuts: dict[int, list[Interval]] = {}
        for number, _, pattern in self._inline.find(raw):
            cuts.setdefault(number, []).extend(match.span() for match in pattern.finditer(raw[number]))
        lines: list[Line] = []
        offset = 0
        for number, line in enumerate(raw):
            if number in cuts:
                left = strip(line, list(between(cuts[number], len(line))))
                pieces = [(offset + start, offset + end) for start, end in left]
                lines += [("".join(line[start:end] for start, end in left), pieces)] if pieces else []
            elif bare := line.strip():
                start = offset + line.index(bare)
                lines.append((bare, [(start, start + len(bare))]))
            offset += len(line) + 1
        return lines

    def _named(self, lines: Sequence[str]) -> dict[int, set[str]]:
        """Return, by line number, the sections with a rule that matches the line."""
        named: dict[int, set[str]] = {}
        for number, section, pattern in self._whole.find(lines):
            line = lines[number]
            if (section != "line" or len(line) <= _LONGEST_LINE) and pattern.fullmatch(line):
                named.setdefault(number, set()).add(section)
        return named

    def _positioned(self, lines: Sequence[str], strays: Iterable[int]) -> set[int]:
        """Return the numbers of the lines that go from above, between (of `strays`) and below the paragraphs."""
        if sum(line[:1].islower() for line in lines) > max(1, len(lines) // 4):
            return set()  # paragraphs broken into lines: a line's end says nothing
        paragraph = next((n for n, line in enumerate(lines) if is_paragraph(line)), 0)
        first = next((n for n, line in enumerate(lines[:10]) if is_dateline(line)), paragraph)
        last = next((n for n in reversed(range(len(lines))) if ends_paragraph(lines[n])), len(lines))
        if last < len(lines) and lines[last].endswith(":"):
            last = len(lines)
        title = 1 if first and is_title(lines[0], lines[first]) else 0
        gone = {n for n in range(title, first) if self._head.fullmatch(lines[n])}
        gone |= {n for n in range(last + 1, len(lines)) if self._tail.fullmatch(lines[n])}
        gone |= {n for n in strays if first < n < last and is_foreign(n, lines)}
        return gone


class _Patterns:
    """The rules of some sections, tried only where they may match."""

    def __init__(self, rules: CleaningRules, sections: Sequence[str], *, whole: bool) -> None:
        self._rules = [
            (section, rule.needs, re.compile(rule.pattern, re.IGNORECASE))
            for section in sections
            for rule in getattr(rules, section)
        ]
        self._filter = LineFilter([pattern.pattern for _, _, pattern in self._rules], whole=whole)

    def find(self, lines: Sequence[str]) -> Iterator[tuple[int, str, re.Pattern[str]]]:
        """Yield number of line, section and pattern, for each pattern that may match."""
        for number, indices in self._filter.find(lines).items():
            lowered = lines[number].lower()
            for section, needs, pattern in map(self._rules.__getitem__, indices):
                if not needs or any(need in lowered for need in needs):
                    yield number, section, pattern


def _not_named(lines: Sequence[Line], named: Mapping[int, Collection[str]]) -> tuple[list[Line], list[int]]:
    """Return the lines that `to_end`, `heading` and `line` leave, and which of these `stray` names."""
    if not named:
        return list(lines), []
    kept: list[Line] = []
    strays = []
    total = sum(len(line) for line, _ in lines)
    read = 0
    in_list = False
    for number, (line, pieces) in enumerate(lines):
        sections = named.get(number, ())
        read += len(line)
        if "to_end" in sections and 2 * read > total:
            break
        if "heading" in sections:
            in_list = True
        elif not (in_list and looks_like_headline(line)):
            in_list = False
            if "line" not in sections:
                strays += [len(kept)] if "stray" in sections else []
                kept.append((line, pieces))
    return kept, strays


def _alternation(rules: Sequence[Rule]) -> re.Pattern[str]:
    """Return one pattern for all rules; one that never matches if there are none."""
    either = "|".join(f"(?:{rule.pattern})" for rule in rules) if rules else "(?!)"
    return re.compile(either, re.IGNORECASE)
