"""The filter leaves out no line that Python's `re` matches, and most of the others."""

import re
import string
from itertools import chain

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from tppo.corpus import Cleaner, CleaningRules
from tppo.corpus.prefilter import PLAIN, SHORTHANDS, LineFilter

PARAGRAPHS = [
    "Polisi menangkap seorang perempuan yang diduga merekrut warga desa untuk bekerja di luar negeri.",
    "Korban dijanjikan gaji tinggi, tetapi paspor mereka ditahan setibanya di tempat penampungan.",
    "“Penyidik masih mencari dua orang lain,” kata kepala satuan reserse kepada wartawan, Selasa.",
    "Keluarga melapor setelah kehilangan kabar selama dua pekan – tanpa uang sepeser pun.",
]


def matches(patterns: list[str], line: str, *, whole: bool) -> set[int]:
    """The plain reading: every pattern is tried on the line."""
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return {n for n, one in enumerate(compiled) if (one.fullmatch(line) if whole else one.search(line))}


def missed(patterns: list[str], lines: list[str], *, whole: bool) -> list[tuple[str, set[int]]]:
    """Lines with the patterns that match them although the filter left them out."""
    lines = [line.strip() for line in lines] if whole else lines
    found = LineFilter(patterns, whole=whole).find(lines)
    truth = [matches(patterns, line, whole=whole) - set(found.get(n, ())) for n, line in enumerate(lines)]
    return [(line, lost) for line, lost in zip(lines, truth) if lost]


# Patterns made of what rules are made of

TOKENS = r"a B k s i - \. . [abc] [^a] [^a-c\s] [A-C] [^\W] \w \W \s \S \d \D \b \B ^ $ \A \Z foto © — é [\s:] [^\s.]"
ATOMS = st.sampled_from([*TOKENS.split(), "(?!a)", "(?=b)", "(?<=a)", "(?<!b)", r"[\]\\^-]", "baca juga", "(a)", " "])
TIMES = st.sampled_from(["", "?", "*", "+", "{0,3}", "{2}", "{2,9}", "{0,260}", "{5,24}", "*?", "{0,80}?", "++", "?+"])
ASSERTED = re.compile(r"\\[bBAZ]|[\^$]|\(\?")


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({'|'.join(some)})"),
        st.tuples(inner, TIMES).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        inner.map(lambda one: f"(?-i:{one})"),
        inner.map(lambda one: f"(?s:{one})"),
    )


REPEATED = st.tuples(ATOMS, TIMES).map(lambda pair: pair[0] if ASSERTED.match(pair[0]) else f"(?:{pair[0]}){pair[1]}")
PATTERNS = st.recursive(st.one_of(ATOMS, REPEATED), combined, max_leaves=8)
LINES = st.one_of(
    st.lists(
        st.sampled_from([*"aAbBcCkKsSiI -.:,1_©—é\u00a0\u212a\u017f\u0130\u2028\x1c\x0b\ud800", "foto", "Baca juga"])
    ),
    st.lists(st.sampled_from([*"abcAB .-"]), max_size=30),
).map("".join)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(LINES, min_size=1, max_size=6), st.booleans())
@example(["(?-i:[^a-z].{0,9}x)"], ["Kxx"], True)
@example(["(?a:\\s)b"], ["\u00a0b", "\u2003b"], False)
@example([r"(a)\1", r"(?a)\Sb", "(?x) a b # c"], ["aa", "\u00a0b", "ab"], False)
@example(["k"], ["\u212a"], True)
@example(["a.{0,80}|.{0,80}b|"], ["", "a", "cb"], True)
def test_no_line_that_matches_is_left_out(patterns, lines, whole):
    assert missed(patterns, lines, whole=whole) == []


# The shipped rules

SECTIONS = {True: ("line", "heading", "to_end", "stray"), False: ("inline",)}
EDITS = (
    str.upper,
    str.lower,
    str.title,
    str.swapcase,
    lambda s: f"• {s}",
    lambda s: f"{s}.",
    lambda s: s[1:],
    lambda s: s[:-1],
)
EDITS += (
    lambda s: s.replace(" ", "\u00a0"),
    lambda s: s.replace("a", "á"),
    lambda s: f"{s} {s}",
    lambda s: f"Warga {s}",
)


@pytest.mark.parametrize("whole", [True, False])
def test_no_example_of_the_shipped_rules_is_left_out_however_edited(rules: CleaningRules, whole):
    patterns = [rule.pattern for section in SECTIONS[whole] for rule in getattr(rules, section)]
    stated = [
        line
        for section in chain(*SECTIONS.values())
        for rule in getattr(rules, section)
        for line in rule.examples + rule.keeps
    ]
    lines = [*stated, *PARAGRAPHS, *(edit(line) for line in stated for edit in EDITS)]
    assert missed(patterns, lines, whole=whole) == []


@pytest.mark.parametrize("whole", [True, False])
def test_paragraphs_are_passed_over(rules: CleaningRules, whole):
    patterns = [rule.pattern for section in SECTIONS[whole] for rule in getattr(rules, section)]
    assert LineFilter(patterns, whole=whole).find(PARAGRAPHS) == {}


TEXTS = st.deferred(
    lambda: st.lists(st.one_of(st.sampled_from(PARAGRAPHS), LINES, st.sampled_from(MIXED)), max_size=12)
)
MIXED = [
    "Berita Terkait",
    "Baca juga: Harga Cabai Naik",
    "Komentar",
    "(ant)",
    "Harga Cabai Naik Lagi Jelang Lebaran Haji",
]
MIXED += [
    "Warga pulang. (Baca juga: Timnas Menang) Mereka lega.",
    "{bbseparator}",
    "Editor: Rina",
    "Foto: Humas",
    "iklan",
]


class TriesEverything(LineFilter):
    """A filter that holds nothing back."""

    def find(self, lines):
        return {number: range(self._n_patterns) for number in range(len(lines))}


@pytest.fixture(scope="module")
def plain(rules: CleaningRules) -> Cleaner:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tppo.corpus.cleaning.LineFilter", TriesEverything)
        return Cleaner(rules)


@pytest.fixture(scope="module")
def cleaner(rules: CleaningRules) -> Cleaner:
    return Cleaner(rules)


@given(TEXTS.map("\n".join))
def test_texts_are_cleaned_as_if_every_rule_were_tried_on_every_line(cleaner, plain, text):
    assert cleaner.clean(text) == plain.clean(text)


# What is told apart


def test_patterns_are_told_apart():
    patterns = ["iklan", "foto .{0,80}", ".{0,80} lagi"]
    found = LineFilter(patterns, whole=True).find(["Satu.", "iklan", "foto lama", "", "Iklan lagi"])
    assert {number: list(one) for number, one in found.items()} == {1: [0], 2: [1], 4: [2]}


def test_without_patterns_nothing_is_found():
    assert LineFilter([], whole=True).find(["Satu.", "é"]) == {}


def test_a_line_with_a_letter_beyond_ascii_may_match_everything():
    assert LineFilter(["iklan", "foto"], whole=True).find(["satu", "Kafé"]) == {1: range(2)}


@pytest.mark.parametrize("shorthand", SHORTHANDS, ids=str)
@pytest.mark.parametrize("inverted", ["", "^"])
def test_python_and_re2_read_plain_characters_alike(shorthand, inverted):
    name = {"D": "d", "W": "w", "S": "s"}
    letter = str(shorthand).rsplit("_", 1)[-1][0]
    letter = letter if "NOT" in str(shorthand) else name[letter]
    theirs = re2.compile(f"(?i:[{inverted}{SHORTHANDS[shorthand]}])")
    ours = re.compile(rf"[{inverted}\{letter}]", re.IGNORECASE)
    plain = re2.compile(f"[{PLAIN}]")
    characters = [c for c in map(chr, chain(range(0xD800), range(0xE000, 0x11000))) if plain.fullmatch(c)]
    assert set(string.printable) - set("\n\x0b") <= set(characters)
    assert [c for c in characters if bool(ours.fullmatch(c)) != bool(theirs.fullmatch(c))] == []


def test_plain_characters_are_no_letters_beyond_ascii():
    plain = re2.compile(f"[{PLAIN}]")
    odd = [chr(n) for n in chain(range(0x80, 0xD800), range(0xE000, 0x11000)) if plain.fullmatch(chr(n))]
    assert [c for c in odd if c.isalnum() or c.lower() != c or c.upper() != c or c.casefold() != c] == []


def test_many_ways_through_a_pattern_do_not_take_long():
    pattern = "".join(f"({letter}.{{0,80}})?" for letter in string.ascii_lowercase)
    assert missed([pattern], ["abc", "a  b", "zz"], whole=True) == []
