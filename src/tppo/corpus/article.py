"""The Article contract: one row of input, checked at the door; what fails is rejected with its reason."""

from __future__ import annotations

import datetime
import hashlib
import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tppo.errors import nearest

__all__ = [
    "COLUMNS",
    "SNIPPET",
    "Article",
    "InvalidRowError",
    "Limits",
    "Rejected",
    "Span",
    "admit_row",
    "article_from_row",
    "text_id",
]

COLUMNS = ("id", "text", "title", "url", "outlet", "published_at", "labels", "tppo", "group", "evidence")
SNIPPET = 120  # characters of a refused text that are kept


class InvalidRowError(ValueError):
    """A row does not fit the Article contract; its message is the quarantine reason."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text that carries a label: ``text[start:end]``."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One news article.

    Parameters
    ----------
    id : str
        Stable identifier: given, else the stem of a one-article file, else a hash of the text.
    text : str
        The body as scraped, boilerplate included.
    labels : tuple of str or None
        Keys of the modus the body states; ``()`` means none of them, None means unlabelled.
    tppo : bool or None
        Whether the article concerns human trafficking at all; None means unlabelled.
    group : str or None
        Syndication group: articles that re-tell one story share it.
    evidence : tuple of Span or None
        Sentences known to state a label, as offsets into `text`; None means not marked.
    """

    id: str
    text: str
    title: str | None = None
    url: str | None = None
    outlet: str | None = None
    published_at: str | None = None
    labels: tuple[str, ...] | None = None
    tppo: bool | None = None
    group: str | None = None
    evidence: tuple[Span, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: where it stood, why it was refused, and how it began."""

    source: str
    reason: str
    id: str | None = None
    snippet: str = ""

    def as_row(self) -> dict[str, str | None]:
        """Return the quarantine row; what UTF-8 cannot hold is written as an escape."""
        row = {"source": self.source, "id": self.id, "reason": self.reason, "snippet": self.snippet}
        return {key: value and value.encode("utf-8", "backslashreplace").decode("utf-8") for key, value in row.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the door lets through.

    Parameters
    ----------
    max_chars : int
        Longest body in characters (100,000 words are about 700,000).
    modus_keys : collection of str or None
        Valid label keys; None accepts any.
    """

    max_chars: int = 2_000_000
    modus_keys: Collection[str] | None = None


def text_id(text: str) -> str:
    """Return the id of a text that has none: SHA-256 of its NFKC, case-folded, single-spaced form, 16 hex digits."""
    normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def article_from_row(row: Mapping[str, Any], *, limits: Limits, default_id: str | None = None) -> Article:
    """Build an Article from a row of any format.

    Parameters
    ----------
    row : mapping
        Column name to value; unknown columns are ignored.
    limits : Limits
        Longest body and valid label keys.
    default_id : str or None
        Id for a row without one (a one-article file's stem).

    Raises
    ------
    InvalidRowError
        If the row breaks the contract; the message states what was expected and what was got.
    """
    text = row.get("text")
    if _missing(text):
        known = ", ".join(sorted(map(str, row))[:8]) or "none"
        raise InvalidRowError(f"no text: expected a non-empty column 'text'; columns: {known}")
    if not isinstance(text, str):
        raise InvalidRowError(f"text must be a string, got {type(text).__name__}")
    _check_text(text, limits)
    given = row.get("id")
    identifier = _identifier(default_id if _missing(given) else given)
    return Article(
        id=identifier if identifier is not None else text_id(text),
        text=text,
        title=_optional_string(row, "title"),
        url=_optional_string(row, "url"),
        outlet=_optional_string(row, "outlet"),
        published_at=_date(row.get("published_at")),
        labels=_labels(row.get("labels"), limits),
        tppo=_boolean(row.get("tppo")),
        group=_optional_string(row, "group"),
        evidence=_evidence(row.get("evidence"), text, limits),
    )


def admit_row(
    row: Mapping[str, Any], *, source: str, limits: Limits | None = None, default_id: str | None = None
) -> Article | Rejected:
    """Return the row's Article, or what `article_from_row` has against it.

    Parameters
    ----------
    row : mapping
        Column name to value.
    source : str
        Where the row stands, for the quarantine.
    limits, default_id
        As `article_from_row` takes them; the default limits if None.
    """
    try:
        return article_from_row(row, limits=limits or Limits(), default_id=default_id)
    except InvalidRowError as error:
        identifier, text = row.get("id"), row.get("text")
        snippet = text[:SNIPPET].replace("\x00", "\\0") if isinstance(text, str) else ""
        snippet = snippet.encode("utf-8", "replace").decode("utf-8")
        return Rejected(source, str(error), None if identifier is None else str(identifier)[:SNIPPET], snippet)


def _missing(value: object) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _check_text(text: str, limits: Limits) -> None:
    """Refuse a text that is too long or not text."""
    if len(text) > limits.max_chars:
        raise InvalidRowError(f"text is too long: at most {limits.max_chars:,} characters, got {len(text):,}")
    if "\x00" in text:
        raise InvalidRowError(f"text holds a NUL character at offset {text.index(chr(0))}: a binary or damaged file")
    _check_writable("text", text)


def _check_writable(name: str, value: str) -> None:
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidRowError(f"{name} holds lone surrogates: it was decoded with the wrong encoding")


def _identifier(value: object) -> str | None:
    """Return an id as a string; None if it is to be made from the text."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidRowError(f"id must be a string or an integer, got {value!r:.60}")
    identifier = str(value).strip()
    if len(identifier) > 512 or any(ord(char) < 32 for char in identifier):
        raise InvalidRowError(f"id must be at most 512 printable characters, got {identifier!r:.60}")
    _check_writable("id", identifier)
    return identifier


def _optional_string(row: Mapping[str, Any], key: str) -> str | None:
    """Return a column's stripped value, None if it is missing."""
    value = row.get(key)
    if _missing(value):
        return None
    _check_writable(key, str(value))
    return str(value).strip()


def _date(value: object) -> str | None:
    """Return an ISO date, None if it is missing."""
    if _missing(value):
        return None
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()[:10]
    try:
        return datetime.datetime.fromisoformat(str(value).strip()).date().isoformat()
    except ValueError:
        raise InvalidRowError(f"published_at must be an ISO date such as 2023-06-21, got {value!r:.40}") from None


def _labels(value: Any, limits: Limits) -> tuple[str, ...] | None:
    """Return the label keys, sorted; None if the article is not labelled."""
    if isinstance(value, str):
        value = _labels_from_string(value)
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or value != value:
        return None
    if not isinstance(value, Sequence) or not all(isinstance(label, str) for label in value):
        raise InvalidRowError(f"labels must be a list of modus keys, got {value!r:.60}")
    for label in value:
        _check_label(label, limits)
    return tuple(sorted(set(value)))


def _labels_from_string(value: str) -> list[str] | None:
    """Split labels given as JSON, or with commas or semicolons between them; None if there is nothing."""
    text = value.strip()
    if not text:
        return None
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError):
            raise InvalidRowError(f"labels must be a JSON list of modus keys, got {text!r:.60}") from None
    return [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]


def _check_label(label: str, limits: Limits) -> None:
    _check_writable("label", label)
    if limits.modus_keys is not None and label not in limits.modus_keys:
        raise InvalidRowError(f"unknown label {label!r}{nearest(label, limits.modus_keys)}")


def _boolean(value: Any) -> bool | None:
    """Return a truth value given in one of the usual spellings, None if it is missing."""
    if _missing(value):
        return None
    text = str(value).strip().lower()
    if text in {"true", "yes", "1", "1.0", "ya"}:
        return True
    if text in {"false", "no", "0", "0.0", "tidak"}:
        return False
    raise InvalidRowError(f"tppo must be true or false, got {value!r:.40}")


def _evidence(value: Any, text: str, limits: Limits) -> tuple[Span, ...] | None:
    """Return the marked sentences, given as objects or JSON; None if nothing was marked."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidRowError(f"evidence must be a JSON list, got {value!r:.60}") from None
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if _missing(value):
        return None
    spans = []
    for item in value if isinstance(value, Sequence) else [value]:
        try:
            span = Span(str(item["label"]), int(item["start"]), int(item["end"]))
        except (TypeError, KeyError, ValueError, OverflowError):
            raise InvalidRowError(f"evidence must be a list of {{label, start, end}}, got {item!r:.60}") from None
        if not 0 <= span.start < span.end <= len(text):
            raise InvalidRowError(f"evidence must lie inside the text (0-{len(text)}), got {span.start}-{span.end}")
        _check_label(span.label, limits)
        spans.append(span)
    return tuple(spans)
