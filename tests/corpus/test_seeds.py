"""The five seed articles: every line of boilerplate goes, no line of the body does.

The boilerplate is named by its form, since the articles are not part of this repository.
"""

import re
from pathlib import Path

import pytest

from tppo.corpus import Cleaner

SEEDS = Path(__file__).parents[2].parent / "shared" / "seeds"
REMOVED = {
    "000": [r"BACA JUGA:.+"],
    "001": [r"Pewarta : .+", r"Uploader : .+", r"Copyright © .+ \d{4}"],
    "002": [r"Penulis : .+", "Advertisements"],
    "003": ["Post A Comment:", r"\d comments:"],
    "004": [
        r"\w+, \d+ \w+ \d{4} \d\d:\d\d WITA",
        r".+ \(Foto: .+\)",
        r"Males Baca\?",
        r"\{bbseparator\}",
        "Reporter: .+",
        "Editor: .+",
    ],
}
N_REMOVED = {"000": 4, "001": 3, "002": 2, "003": 2, "004": 20}
FROM_HERE_ON = {"004": "Berita Lainnya"}

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the seed articles are not at {SEEDS}")


def lines(number: str) -> tuple[list[str], list[str]]:
    """Return the lines of a seed that are boilerplate and those that are body."""
    (path,) = SEEDS.glob(f"{number}_*.txt")
    boilerplate, body = [], []
    for line in filter(None, map(str.strip, path.read_text(encoding="utf-8").split("\n"))):
        past = FROM_HERE_ON.get(number) in [*boilerplate, line]
        goes = past or any(re.fullmatch(pattern, line) for pattern in REMOVED[number])
        (boilerplate if goes else body).append(line)
    return boilerplate, body


@pytest.fixture(params=sorted(REMOVED))
def number(request: pytest.FixtureRequest) -> str:
    return request.param


def cleaned(number: str, rules) -> list[str]:
    (path,) = SEEDS.glob(f"{number}_*.txt")
    return Cleaner(rules).clean(path.read_text(encoding="utf-8")).text.split("\n")


def test_the_expected_patterns_name_as_many_lines_as_were_counted_by_hand(number):
    assert len(lines(number)[0]) == N_REMOVED[number]


def test_every_boilerplate_line_goes(number, rules):
    assert set(cleaned(number, rules)) & set(lines(number)[0]) == set()


def test_no_body_line_goes(number, rules):
    assert cleaned(number, rules) == lines(number)[1]
