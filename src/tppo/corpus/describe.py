"""Describe an article from its own words: the place of its dateline and the date of the event."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
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
    event_date: datetime.date | None


class _Province(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kota: tuple[str, ...] = ()
    kab: tuple[str, ...] = ()
    towns: dict[str, str] = {}


class Gazetteer(RootModel[dict[str, _Province]]):
    """Provinces with their cities, regencies and the towns that datelines name."""

    @cached_property
    def names(self) -> Mapping[str, Place]:
        """Normalised place name to place. A bare name that a city and a regency share means the city."""
        found: dict[str, Place] = {}
        for province, areas in self.root.items():
            found.setdefault(_normal(province), Place(None, province))
        for province, areas in self.root.items():
            kinds = {"Kota": areas.kota, "Kabupaten": areas.kab}
            for town, area in areas.towns.items():
                kind = next((k for k in ("Kabupaten", "Kota") if area in kinds[k]), "Kabupaten")
                found[_normal(town)] = Place(f"{kind} {area}", province)
            for kind in ("Kabupaten", "Kota"):
                for area in kinds[kind]:
                    place = Place(f"{kind} {area}", province)
                    found[_normal(area)] = place
                    found[_normal(f"{kind} {area}")] = place
                    if kind == "Kabupaten":
                        found[_normal(f"Kab {area}")] = place
        found[_normal("Jakarta")] = Place("Jakarta", "DKI Jakarta")
        return found


_DATELINE = re.compile(r"^(.{2,90}?)\s*(?:--|[-–—:]|\|)\s", re.DOTALL)
_BARE = re.compile(r"^([A-Z][A-Z .'/()-]{2,40}),\s")
_SEPARATOR = re.compile(r"[,()/|;]| - |\.(?=\s|$)")
_MONTHS = {
    name: number
    for number, names in enumerate(
        "januari jan|februari pebruari feb|maret mar|april apr|mei|juni jun|juli jul|agustus agu agt ags|"
        "september sept sep|oktober okt|november nopember nov|desember des".split("|"),
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
_NUMERIC = re.compile(
    rf"\b(?:({_DAY})\s*,?\s*)?\(?\b(\d{{1,2}})\s?[/.-]\s?(\d{{1,2}})(?:\s?[/.-]\s?(\d{{4}}|\d{{2}}))?\)", re.I
)
_SPELLED = re.compile(
    rf"\b(?:({_DAY})\s*,?\s*)?\(?(\d{{1,2}})\s+({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?(?:\s+(\d{{4}}))?\b",
    re.I,
)
_WEEKDAY = re.compile(rf"\b(?:pada|hari|,)\s+({_DAY})\b", re.I)


class Describer:
    """Reads place and date off clean article texts.

    Parameters
    ----------
    gazetteer : Gazetteer
        Which names are places.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._names = gazetteer.names

    def describe(self, text: str, *, published_at: str | None = None) -> Description:
        """Describe a clean text.

        Parameters
        ----------
        text : str
            Without boilerplate.
        published_at : str, optional
            ISO date; gives the year to dates that state none, and the week to weekdays.
        """
        published = None if published_at is None else datetime.date.fromisoformat(published_at)
        return Description(self.place(text), self.event_date(text, published))

    def place(self, text: str) -> Place | None:
        """Return the place of the dateline ("BATAM, Kabar.id - …", "Batam (ANTARA) - …"), if there is one."""
        for line in text.split("\n")[:3]:
            for pattern in (_DATELINE, _BARE):
                match = pattern.match(line.strip())
                if match is not None and (found := self._lookup(_SEPARATOR.split(match[1]))) is not None:
                    return found
        return None

    def _lookup(self, parts: Sequence[str]) -> Place | None:
        found = [place for part in parts if (place := self._names.get(_normal(part))) is not None]
        for place in found:
            named = [p for p in found if p.area is None and p.province != place.province]
            if place.area is not None and not named:
                return place
        return found[0] if found else None

    def event_date(self, text: str, published: datetime.date | None) -> datetime.date | None:
        """Return the first date the text states, not after publication; a weekday alone means the last such day."""
        dated = sorted(
            [(m.start(), m) for m in _NUMERIC.finditer(text)] + [(m.start(), m) for m in _SPELLED.finditer(text)],
            key=lambda item: item[0],
        )
        for _, match in dated:
            date = _resolve(match, published)
            if date is not None and (published is None or date <= published):
                return date
        if published is not None and (match := _WEEKDAY.search(text)):
            back = (published.weekday() - _WEEKDAYS[match[1].lower()]) % 7
            return published - datetime.timedelta(days=back)
        return None


def _resolve(match: re.Match[str], published: datetime.date | None) -> datetime.date | None:
    day, month_text, year_text = int(match[2]), match[3].lower(), match[4]
    month = int(month_text) if month_text.isdigit() else _MONTHS[month_text]
    if year_text is not None:
        return _date(int(year_text) + (2000 if len(year_text) == 2 else 0), month, day)
    if published is None:
        return None
    date = _date(published.year, month, day)
    return _date(published.year - 1, month, day) if date is not None and date > published else date


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _normal(name: str) -> str:
    return " ".join(re.sub(r"[^\w\s'-]", " ", name.casefold()).split())
