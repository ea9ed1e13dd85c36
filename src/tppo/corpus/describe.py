"""Describe an article from its own words: dateline place, outlet, publication date, and the date of the event."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict, RootModel

__all__ = ["Describer", "Description", "Gazetteer", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A city or regency (``Kota Batam``, ``Kabupaten Cianjur``) and its province; `area` None for a whole province."""

    area: str | None
    province: str


@dataclass(frozen=True, slots=True)
class Description:
    """What an article says of itself; None where it does not say."""

    place: Place | None
    outlet: str | None
    published_at: datetime.date | None
    event_date: datetime.date | None


class _Province(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kota: tuple[str, ...] = ()
    kab: tuple[str, ...] = ()
    towns: dict[str, str] = {}


class Gazetteer(RootModel[dict[str, _Province]]):
    """Provinces with their cities, regencies and the towns that datelines name."""

    @cached_property
    def names(self) -> Mapping[str, tuple[Place, ...]]:
        """Normalised place name to the places it can mean, the likeliest first: city, regency, town, province."""
        found: dict[str, dict[Place, None]] = {_key("Jakarta"): {Place("Jakarta", "DKI Jakarta"): None}}

        def add(name: str, place: Place) -> None:
            found.setdefault(_key(name), {}).setdefault(place)

        for kind in ("Kota", "Kabupaten"):
            for province, areas in self.root.items():
                for area in areas.kota if kind == "Kota" else areas.kab:
                    place = Place(f"{kind} {area}", province)
                    for name in (area, f"{kind} {area}", *([f"Kab {area}"] if kind == "Kabupaten" else [])):
                        add(name, place)
        for province, areas in self.root.items():
            for town, area in areas.towns.items():
                kinds = [k for k, of in (("Kabupaten", areas.kab), ("Kota", areas.kota)) if area in of]
                for kind in kinds:
                    add(town, Place(f"{kind} {area}", province))
            add(province, Place(None, province))
        return {name: tuple(places) for name, places in found.items()}


# Where a dateline can end: a dash (blanks may be missing after capitals), a bar, a colon, a full stop, the line's end.
_END = re.compile(
    r"""\s*(?:--+|[–—])|\s+-|-\s|(?<=[A-Z)])-(?=["“A-Z])|(?<=\.(?i:com|net|org))-|(?<=\.(?i:id|co|tv))-|\s*\||:\s|\.\s|$"""
)
_HEAD = 110
_BARE = re.compile(r"([A-Z][A-Z .'/()-]{2,40}),")
_PART = re.compile(r"[,()/|;:\[\]]|\s-|-\s|--+|[–—]|(?<=[A-Za-z])-(?=[A-Z][a-z])|\.(?=\s|$)")
_LOWER = re.compile(r"(?<![\w.])[a-z]{2,}(?![\w.])")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+(?:com|co\.id|or\.id|net|id|co|news|tv|info|org|online)\b", re.I)
# At most four words, no numbers of two digits.
_MAY_BE_OUTLET = re.compile(r"(?!.*\d\d)\S{2,}(?:\s\S+){0,3}")
_COPYRIGHT = re.compile(
    r"(?:copyright|hak cipta|©)\s*(?:©|@|\(c\))?\s*(?:\d{4}\s+)?([A-Z][\w. ]{2,40}?)\s*(?:\d{4}|$|,|-)", re.M
)
_TAYANG = re.compile(
    r"(?:telah|sudah) (?:tayang|terbit)(?: (?:sebelumnya|pertama kali))? di ([A-Z][\w.]+(?: [A-Z][\w.]+){0,3})"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("januari jan", "februari pebruari feb", "maret mar", "april apr", "mei", "juni jun", "juli jul"),
            *("agustus agu agt ags", "september sept sep", "oktober okt", "november nopember nov", "desember des"),
        ),
        1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    "senin": 0,
    "selasa": 1,
    "rabu": 2,
    "kamis": 3,
    "jumat": 4,
    "jum'at": 4,
    "sabtu": 5,
    "minggu": 6,
    "ahad": 6,
}
_DAY = "|".join(_WEEKDAYS)
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMERIC = re.compile(
    rf"\b(?:({_DAY})\s*,?\s*)?\(?\b(\d{{1,2}})\s?[/.-]\s?(\d{{1,2}})(?:\s?[/.-]\s?(\d{{4}}|\d{{2}}))?\)", re.I
)
_SPELLED = re.compile(rf"\b(?:({_DAY})\s*,?\s*)?\(?(\d{{1,2}})\s+({_MONTH})\.?(?:\s+(\d{{4}}))?\b", re.I)
_WEEKDAY = re.compile(rf"\b(?:pada|hari|,)\s+({_DAY})\b", re.I)
_STAMP = re.compile(
    rf"\W*(?:[a-z ]{{0,30}}:?\s*)?(?:({_DAY})\W+)?(\d{{1,2}})[ /.-]+({_MONTH}|\d{{1,2}})[ /.-]+(\d{{4}})"
    r"(?:\W+(?:pukul|jam)?\s*\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*(?:wib|wita|wit|am|pm))?)?(?:\s*\|.{0,60})?\W*",
    re.I,
)


class Describer:
    """Reads place, outlet and dates off article texts.

    Parameters
    ----------
    gazetteer : Gazetteer
        Which names are places.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._names = gazetteer.names

    def describe(self, text: str, *, original: str | None = None, published_at: str | None = None) -> Description:
        """Describe an article.

        Parameters
        ----------
        text : str
            Without boilerplate.
        original : str, optional
            With boilerplate, where outlet and publication date stand.
        published_at : str, optional
            ISO date, if it is known; gives the year to dates that state none, and the week to weekdays.
        """
        scraped = text if original is None else original
        published = _published(scraped) if published_at is None else datetime.date.fromisoformat(published_at)
        return Description(self.place(text), self.outlet(text, scraped), published, self.event_date(text, published))

    def place(self, text: str) -> Place | None:
        """Return the place of the dateline ("BATAM, Kabar.id - …", "Batam (ANTARA) - …"), if there is one."""
        for line in text.split("\n", 3)[:3]:
            for head in _heads(line.strip()):
                found = self._lookup([part for part in _PART.split(head) if part.strip()], text)
                if found is not None:
                    return found
        return None

    def outlet(self, text: str, original: str) -> str | None:
        """Return the outlet that the dateline, the copyright line or "telah tayang di …" names."""
        for line in text.split("\n", 3)[:3]:
            for head in _heads(line.strip()):
                parts = [part.strip() for part in _PART.split(head) if part.strip()]
                if self._lookup(parts, text) is None:
                    continue
                others = [part for part in parts if not self._places(part) and _MAY_BE_OUTLET.fullmatch(part)]
                if others:
                    return next((part for part in others if _DOMAIN.search(part)), others[0])
        match = _COPYRIGHT.search(original) or _TAYANG.search(original)
        return match[1].strip() if match is not None else None

    def _places(self, name: str) -> tuple[Place, ...]:
        return self._names.get(_key(name), ())

    def _lookup(self, parts: Sequence[str], text: str) -> Place | None:
        """Return the place that the parts of a dateline name; a province beside it, or else the text, decides."""
        options = [places for part in parts if (places := self._places(part))]
        if not options:  # "PatroliJurnal JAKARTA", "CIKARANG KOTA": the last or the first words of a part
            for words in (part.split() for part in parts):
                pieces = [words[-2:], words[-1:], words[:2], words[:1]] if 2 <= len(words) <= 4 else []
                options += [places for piece in pieces if (places := self._places(" ".join(piece)))]
        provinces = {place.province for places in options for place in places if place.area is None}
        for places in options:
            areas = [place for place in places if place.area is not None]
            fitting = [place for place in areas if place.province in provinces] or ([] if provinces else areas)
            if fitting:
                return max(fitting, key=lambda place: _mentions(place, text))
        return options[0][0] if options else None

    def event_date(self, text: str, published: datetime.date | None) -> datetime.date | None:
        """Return the first date the text states, not after publication; a weekday alone means the last such day.

        A date of the last two years goes before an older one: births, laws and earlier cases have dates as well.
        """
        matches = sorted([*_NUMERIC.finditer(text), *_SPELLED.finditer(text)], key=lambda match: match.start())
        dates = [date for match in matches if (date := _resolve(match, published)) is not None]
        if published is None:
            return dates[0] if dates else None
        past = [date for date in dates if date <= published]
        recent = [date for date in past if published - date <= datetime.timedelta(days=730)]
        if recent or past:
            return (recent or past)[0]
        if weekday := _WEEKDAY.search(text):
            back = (published.weekday() - _WEEKDAYS[weekday[1].lower()]) % 7
            return published - datetime.timedelta(days=back)
        return None


def _heads(line: str) -> Iterator[str]:
    """Yield the beginnings of a line that have a dateline's form: short, every word with a capital."""
    start = line[:_HEAD]
    for end in _END.finditer(start):
        head = start[: end.start()]
        if end.start() == len(start) and len(line) > _HEAD:
            return
        if len(head) > 2 and len(head.split()) <= 12:
            if _LOWER.search(re.sub(r"\([^()]*\)", " ", head)):
                return
            yield head
    if (bare := _BARE.match(start)) is not None:
        yield bare[1]


def _mentions(place: Place, text: str) -> int:
    """Count what in the text speaks for a place; a regency only by its full name."""
    area = place.area or ""
    bare = area.removeprefix("Kota ").removeprefix("Kabupaten ")
    if area.startswith("Kabupaten "):
        full = len(re.findall(rf"\b(?:Kabupaten|Kab\.?|Bupati|Pemkab|DPRD Kabupaten) {re.escape(bare)}\b", text))
    else:
        full = len(re.findall(rf"\b(?:Kota|Wali ?[Kk]ota|Pemkot) {re.escape(bare)}\b", text))
    return 4 * full + 2 * text.count(place.province) + text.count(bare)


def _published(text: str) -> datetime.date | None:
    """Return the date of the first line that holds nothing but a date ("Senin, 27 Mei 2024 06:24 WITA")."""
    for line in text.split("\n"):
        if len(line) <= 140 and (match := _STAMP.fullmatch(line)) is not None:
            return _resolve(match, None)
    return None


def _resolve(match: re.Match[str], published: datetime.date | None) -> datetime.date | None:
    """Return the date of a mention; one without a year is the last such day before publication."""
    day, month_text, year_text = int(match[2]), match[3].lower(), match[4]
    month = int(month_text) if month_text.isdigit() else _MONTHS[month_text]
    if year_text is not None:
        return _date(int(year_text) + (2000 if len(year_text) == 2 else 0), month, day)
    if published is None:
        return None
    date = _date(published.year, month, day)
    return _date(published.year - 1, month, day) if date is not None and date > published else date


def _date(year: int, month: int, day: int) -> datetime.date | None:
    """Return the date, None if the calendar has no such day."""
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _key(name: str) -> str:
    """Return a name's letters and digits only: "Batu Bara" and "BATUBARA" are one place."""
    return re.sub(r"[\W_]+", "", name.casefold())
