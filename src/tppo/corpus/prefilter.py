"""Tell in one pass over a text which of its lines some regular expressions may match.

Most lines of an article match no cleaning rule, and trying every rule on every line is what cleaning would spend its
time on. RE2 finds the lines that may match with one automaton for all rules. It knows no lookarounds, and its states
multiply over long gaps (``.{0,260}``), so it gets less than the rules: how a match of each begins, up to such a gap.
Whatever a rule matches begins so; what begins so is tried with Python's `re`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from re import _constants as sre  # type: ignore[attr-defined]  # not in typeshed
from re import _parser as sre_parser  # type: ignore[attr-defined]  # not in typeshed
from typing import Any

import re2

__all__ = ["LineFilter"]

Node = tuple[Any, Any]
"""An operator of a pattern that Python has parsed, and its operand."""

# Printable ASCII and signs that are neither letters, digits nor blanks (but one: \xa0), as members of RE2's classes.
# Python and RE2 read these alike; a line with any other character may match everything.
PLAIN = (
    r"\t\f\r -~\xa0-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20a0}-\x{20bf}"
    r"\x{2190}-\x{21ff}"
)
_ODD = f"(?-i:[^{PLAIN}])"
# Python's shorthands, exact for plain characters.
SHORTHANDS = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
    sre.CATEGORY_SPACE: r"\s\xa0",
    sre.CATEGORY_NOT_SPACE: r"!-~\xa1-\x{10ffff}",
}
_POSITIONS = {sre.AT_BOUNDARY: r"\b", sre.AT_END: "$"}  # others are left out, as lookarounds are
_CHARACTERS = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_HARMLESS = re.UNICODE | re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE
_GAP: Node = ("gap", None)
_ANYTHING = ".*"
# More repetitions than this, of what can be a letter as well as a blank, are a gap.
_SHORT = 3
# With so many characters in front of it, a gap ends what RE2 gets.
_ENOUGH = 5
# A pattern with more ways through it is left to `re`.
_MOST_WAYS = 300
# Bytes that the states of one automaton may take; when they are full, it begins anew.
_MEMORY = 16 << 20


class LineFilter:
    """Find the lines of a text that some of the patterns may match, and which patterns these are.

    Parameters
    ----------
    patterns : sequence of str
        Regular expressions for Python's `re`; case is ignored.
    whole : bool
        Whether a pattern is to match a line from start to end; else it is searched in it.
    """

    def __init__(self, patterns: Sequence[str], *, whole: bool) -> None:
        self._n_patterns = len(patterns)
        options = re2.Options()
        options.never_nl, options.never_capture, options.log_errors, options.max_mem = True, True, False, _MEMORY
        ways = [_beginnings(pattern, whole=whole) for pattern in patterns]
        self._which = re2.Set.SearchSet(options)
        for some in [*ways, [_ODD]]:
            self._which.Add(_either(some))
        self._which.Compile()
        # two automata: one for both kinds has many times the states
        bound = [way for way in chain(*ways) if way.startswith("^")]
        free = [_ODD, *(way for way in chain(*ways) if not way.startswith("^"))] if patterns else []
        self._where = [re2.compile(_either(kind), options) for kind in (bound, free) if kind]

    def find(self, lines: Sequence[str]) -> dict[int, Collection[int]]:
        """Return by line number, from 0, the patterns that may match the line; none matches a line left out.

        With `whole`, the lines are to have no outer blanks.
        """
        if not lines:
            return {}
        text = "\n".join(lines)
        try:
            data = text.encode()
        except UnicodeEncodeError:  # halves of surrogate pairs become odd characters
            data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        numbers = {number for where in self._where for number in _numbers(where, data)}
        pieces = data.split(b"\n") if numbers else []
        return {number: self._patterns(pieces[number]) for number in numbers}

    def _patterns(self, line: bytes) -> Collection[int]:
        found: list[int] | None = self._which.Match(line)
        return range(self._n_patterns) if not found or self._n_patterns in found else found


def _numbers(where: re2._Regexp, data: bytes) -> Iterator[int]:
    """Yield the numbers of the lines in which an expression is found."""
    number = position = 0
    while match := where.search(data, position):
        number += data.count(b"\n", position, match.start())
        yield number
        position = data.find(b"\n", match.start()) + 1
        if not position:
            return
        number += 1


def _either(ways: Iterable[str]) -> bytes:
    return f"(?mi:{'|'.join(ways)})".encode()


def _beginnings(pattern: str, *, whole: bool) -> list[str]:
    """Return, for RE2, the ways in which a pattern's matches begin; those that begin where the line does have a ^."""
    parsed = sre_parser.parse(pattern, re.IGNORECASE)
    try:
        if parsed.state.flags & ~_HARMLESS:
            raise _UnknownError
        ways = list(_ways(list(parsed), 0, "$" if whole else "", iter(range(_MOST_WAYS))))
    except _UnknownError:
        return ["^"]
    ways = [f"^{way}" if whole and not way.startswith(_ANYTHING) else way.removeprefix(_ANYTHING) for way in ways]
    return [way or "^" for way in ways]


class _UnknownError(Exception):
    """A pattern has something in it that is not translated."""


def _ways(nodes: Sequence[Node], length: int, end: str, steps: Iterator[int]) -> Iterator[str]:
    """Translate a sequence up to the first gap after `_ENOUGH` characters, of which `length` have been; else to `end`.

    Choices and repetitions that hold a gap are taken apart, and what follows them is translated for each way through.
    A sequence that begins with a gap comes out beginning with `_ANYTHING`.
    """
    if next(steps, None) is None:
        raise _UnknownError
    done = ""
    for position, node in enumerate(nodes):
        if _is_gap(node):
            if length >= _ENOUGH:
                break
            done = done + _ANYTHING if length else _ANYTHING
        elif not _holds_gap([node]):
            done += _translate(*node)
            length += int(sre_parser.SubPattern(None, [node]).getwidth()[0])
        else:
            for branch in _branches(*node):
                for way in _ways([*branch, *nodes[position + 1 :]], length, end, steps):
                    yield way if way.startswith(_ANYTHING) and not length else done + way
            return
    else:
        done += end
    yield done


def _branches(op: Any, value: Any) -> list[list[Node]]:
    """Take a node that holds a gap apart."""
    if op is sre.SUBPATTERN:
        _, on, off, nodes = value
        return [[_GAP] if on or off else list(nodes)]
    if op is sre.BRANCH:
        opened = [list(branch) for branch in value[1] if _holds_gap(branch)]
        closed = [branch for branch in value[1] if not _holds_gap(branch)]
        return [*opened, [(sre.BRANCH, (None, closed))]] if closed else opened
    least, most, nodes = value
    times = 1 if _holds_gap(nodes) else min(max(least, 1), _ENOUGH)
    once = [*list(nodes) * times, *([_GAP] if most > 1 else [])]
    return [once] if least else [once, []]


def _translate(op: Any, value: Any) -> str:
    """Translate a node without gaps; only what it asserts of the neighbourhood is left out."""
    if op is sre.ANY:
        return "."
    if op in _CHARACTERS:
        return _class(value if op is sre.IN else [(op, value)])
    if op is sre.BRANCH:
        return f"(?:{'|'.join(map(_sequence, value[1]))})"
    if op is sre.SUBPATTERN:
        _, on, off, nodes = value
        if (on | off) & ~re.IGNORECASE:
            raise _UnknownError
        return f"(?{'i' * bool(on)}{'-i' * bool(off)}:{_sequence(nodes)})"
    if op in _REPEATS:
        least, most, nodes = value
        once = f"(?:{_sequence(nodes)})"
        return f"{once}{{{least},{most}}}" if most <= _SHORT else f"{once * min(least, _SHORT)}{once}*"
    if op is sre.AT:
        return _POSITIONS.get(value, "")
    if op is sre.ASSERT or op is sre.ASSERT_NOT:
        return ""
    raise _UnknownError


def _sequence(nodes: Iterable[Node]) -> str:
    return "".join(_translate(op, value) for op, value in nodes)


def _class(items: Iterable[Node]) -> str:
    """Write a character class for RE2."""
    inverted, members = "", ""
    for op, value in items:
        if op is sre.NEGATE or op is sre.NOT_LITERAL:
            inverted = "^"
        if op is sre.LITERAL or op is sre.NOT_LITERAL:
            members += rf"\x{{{value:x}}}"
        elif op is sre.RANGE:
            members += rf"\x{{{value[0]:x}}}-\x{{{value[1]:x}}}"
        elif op is sre.CATEGORY:
            members += SHORTHANDS[value]
    return f"[{inverted}{members}]"


def _is_gap(node: Node) -> bool:
    """Tell whether a node is a long repetition of a character that may be a letter as well as a blank."""
    op, value = node
    if op in _REPEATS and value[1] > _SHORT and len(value[2]) == 1 and value[2][0][0] in _CHARACTERS:
        return _takes_words(_translate(*value[2][0]))
    return node == _GAP


@cache
def _takes_words(character: str) -> bool:
    return all(re2.fullmatch(character, one) for one in "a ")


def _holds_gap(nodes: Iterable[Node]) -> bool:
    """Tell whether a sequence has a gap in it, or more than a character in a long repetition."""
    for node in nodes:
        op, value = node
        if op is sre.SUBPATTERN:
            held = _holds_gap(value[3])
        elif op is sre.BRANCH:
            held = any(map(_holds_gap, value[1]))
        elif op in _REPEATS:
            single = len(value[2]) == 1 and value[2][0][0] in _CHARACTERS
            held = _is_gap(node) or _holds_gap(value[2]) or (value[1] > _SHORT and not single)
        else:
            held = node == _GAP
        if held:
            return True
    return False
