"""What a line of an article looks like: a dateline, title, paragraph or headline."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["ends_paragraph", "is_dateline", "is_foreign", "is_paragraph", "is_title", "looks_like_headline"]

# "BATAM, Kabar.id - Polisi …", "Jakarta (ANTARA) - …": what stands above it is not the article.
_DATELINE = re.compile(
    r"(?:[A-Z]{3,}[A-Z ]{0,30}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
    r"(?:,? ?\([^()]{2,40}\)|[,/][ ]?[\w.,: ]{2,40}?)?\s*(?:--+|[-–—])\s\W?[A-Z0-9]"
)
# A sentence's end with its closing quotes; at the article's end the writer's initials follow: "… pekan depan. (ant)"
_SENTENCE_END = re.compile(r"""[.!?…:]["'”’»)\]*]*$""")
_PARAGRAPH_END = re.compile(r"""[.!?…:]["'”’»)\]*]*(\s*[(\[][^()\[\]]{1,30}[)\]])?[\W_]*$""")


def is_dateline(line: str) -> bool:
    """Return whether a line begins with the place, as an agency's report does."""
    return _DATELINE.match(line) is not None


def is_title(line: str, paragraph: str) -> bool:
    """Return whether a line tells what the first paragraph tells: three fifths of its longer words stand there."""
    words = set(re.findall(r"\w{4,}", line.casefold()))
    return (
        len(words) >= 3
        and not line.endswith(".")
        and 5 * len(words & set(re.findall(r"\w+", paragraph.casefold()))) >= 3 * len(words)
    )


def is_foreign(number: int, lines: Sequence[str]) -> bool:
    """Return whether the other lines share at most a fifth of the longer words of the line of this number."""
    words = set(re.findall(r"\w{4,}", lines[number].casefold()))
    others = set(re.findall(r"\w{4,}", "\n".join([*lines[:number], *lines[number + 1 :]]).casefold()))
    return len(words) >= 3 and 5 * len(words & others) <= len(words)


def is_paragraph(line: str) -> bool:
    """Return whether a line has at least ten words and ends as a sentence does."""
    return line.count(" ") >= 9 and _SENTENCE_END.search(line, max(0, len(line) - 20)) is not None


def ends_paragraph(line: str) -> bool:
    """Return whether a line has at least five words and ends as the last paragraph of an article may."""
    return line.count(" ") >= 4 and _PARAGRAPH_END.search(line, max(0, len(line) - 60)) is not None


def looks_like_headline(line: str) -> bool:
    """Return whether a line has no sentence's end and at most 25 words: a linked headline rather than a paragraph."""
    return not line.rstrip("\"'”’) ").endswith((".", "!", "…", ":", ";", ",")) and len(line.split()) <= 25
