"""Split Indonesian news text into sentences by rule, as offsets."""

from __future__ import annotations

import re

__all__ = ["sentence_spans"]

# Words before a full stop that rarely end a sentence: titles, ranks, units, addresses, company forms, degrees.
_ABBREVIATIONS = frozenset(
    [
        "a.n",
        "akp",
        "akbp",
        "alm",
        "almh",
        "amd",
        "apt",
        "bc",
        "bp",
        "bpk",
        "brigjen",
        "bripda",
        "bripka",
        "briptu",
        "brigpol",
        "co",
        "cq",
        "d.a",
        "dkk",
        "dll",
        "dr",
        "dra",
        "drg",
        "drs",
        "drh",
        "dsb",
        "dst",
        "dt",
        "ed",
        "gg",
        "h",
        "hj",
        "hlm",
        "inc",
        "ipda",
        "iptu",
        "ir",
        "irjen",
        "jl",
        "jln",
        "jend",
        "k.h",
        "kab",
        "kapt",
        "kav",
        "kec",
        "kel",
        "kep",
        "kh",
        "kol",
        "kom",
        "kombes",
        "komjen",
        "kompol",
        "ko",
        "letda",
        "letjen",
        "letkol",
        "lettu",
        "ltd",
        "m.h",
        "m.hum",
        "m.kes",
        "m.pd",
        "m.si",
        "m.sc",
        "mayjen",
        "no",
        "nn",
        "nurs",
        "ny",
        "pdt",
        "pol",
        "prof",
        "prov",
        "psl",
        "pt",
        "purn",
        "r.a",
        "rp",
        "rs",
        "s.h",
        "s.e",
        "s.ik",
        "s.i.k",
        "s.pd",
        "s.sos",
        "s.kom",
        "s.t",
        "sdr",
        "sdri",
        "serda",
        "sertu",
        "serka",
        "st",
        "tel",
        "telp",
        "tgl",
        "tn",
        "tsb",
        "ust",
        "vs",
        "yth",
    ]
)
# A run of end marks, with closing quotes or brackets, before a blank and something that can begin a sentence. It starts
# with a mark and then looks back, because `re` finds a given character faster than a place.
_BOUNDARY = re.compile(r"""[.!?…](?<![.!?…]{2})[.!?…]*+["'”’»)\]]*+(?=\s+["'“‘«(\[]*[A-Z0-9À-Þ])""")
_LONGEST_TOKEN = 32  # longer than any abbreviation; bounds the search
_LAST_WORD = re.compile(r"([\w.]+)$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as offsets.

    Parameters
    ----------
    text : str
        Any text; a newline always ends a sentence.

    Returns
    -------
    list of (int, int)
        Start and end of each sentence without surrounding blanks, in order; every non-blank character lies in
        exactly one of them.
    """
    spans = []
    line_start = 0
    for line in text.split("\n"):
        start = 0
        for match in _BOUNDARY.finditer(line):
            if _ends_sentence(line, start, match):
                spans.append((line_start + start, line_start + match.end()))
                start = match.end()
        spans.append((line_start + start, line_start + len(line)))
        line_start += len(line) + 1
    trimmed = (_trim(text, start, end) for start, end in spans)
    return [(start, end) for start, end in trimmed if start < end]


def _ends_sentence(line: str, start: int, match: re.Match[str]) -> bool:
    """Tell the mark at a sentence's end from that of an abbreviation, initial or list number."""
    mark = match.group()
    if mark[0] != "." or len(mark) > 1:
        return True
    word = _LAST_WORD.search(line, max(start, match.start() - _LONGEST_TOKEN), match.start())
    if word is None:
        return True
    token = word.group().lower()
    if token in _ABBREVIATIONS:
        return False
    # An initial ("I. Wayan") or a list number at the sentence's beginning ("1. Perekrut").
    return not (len(token) == 1 and token.isalpha()) and not (token.isdigit() and word.start() == start)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
