"""Cleaning and describing, against the gold that was written with the articles. The test part's gold wrote no rule."""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tppo.corpus import Article, Cleaner, CleaningRules, read_articles
from tppo.corpus.describe import Describer, Gazetteer

REPO = Path(__file__).parents[2]
GOLD = REPO / "data" / "gold"
RULES = CleaningRules.model_validate(
    yaml.safe_load((REPO / "configs/cleaning/indonesian-news.yaml").read_text(encoding="utf-8"))
)
SECTIONS = ("head", "stray", "tail")
POSITIONED = [(s, rule, line) for s in SECTIONS for rule in getattr(RULES, s) for line in rule.examples]
STAYING = [(s, rule, line) for s in SECTIONS for rule in getattr(RULES, s) for line in rule.keeps]
BODY = "Polisi menangkap seorang perempuan yang diduga merekrut warga desa untuk bekerja di luar negeri."


@pytest.mark.parametrize("section", SECTIONS)
def test_every_positioned_rule_has_an_example(section):
    assert all(rule.examples for rule in getattr(RULES, section))


def articles(part: str) -> list[Article]:
    return [a for a in read_articles([REPO / "data" / "articles" / f"{part}.jsonl"]) if isinstance(a, Article)]


def gold(name: str, part: str) -> dict[str, dict]:
    rows = map(json.loads, (GOLD / f"{name}-{part}.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["id"]: row for row in rows}


def lines_judged(part: str) -> Iterator[tuple[bool, bool]]:
    """Yield for every line whether it is boilerplate and whether it goes: at least half of its characters each."""
    cleaner = Cleaner(RULES)
    marked = gold("boilerplate", part)
    for article in articles(part):
        boilerplate = {i for start, end in marked[article.id]["spans"] for i in range(start, end)}
        kept = {i for start, end in cleaner.clean(article.text).kept for i in range(start, end)}
        for line in re.finditer(r"[^\n]+", article.text):
            inked = [i for i in range(line.start(), line.end()) if not article.text[i].isspace()]
            if inked:
                yield (
                    2 * sum(i in boilerplate for i in inked) >= len(inked),
                    2 * sum(i in kept for i in inked) <= len(inked),
                )


def test_boilerplate_lines_go_and_body_lines_stay():
    judged = list(lines_judged("test"))
    right = sum(is_boilerplate and goes for is_boilerplate, goes in judged)
    assert right / sum(goes for _, goes in judged) >= 0.98
    assert right / sum(is_boilerplate for is_boilerplate, _ in judged) >= 0.95


def test_teasers_inside_paragraphs_go_and_nothing_else_does():
    cleaner, marked = Cleaner(RULES), gold("boilerplate", "train")
    right = cut = wanted = 0
    for article in articles("train"):
        boilerplate = {i for start, end in marked[article.id]["spans"] for i in range(start, end)}
        kept = {i for start, end in cleaner.clean(article.text).kept for i in range(start, end)}
        for line in re.finditer(r"[^\n]+", article.text):
            inked = {i for i in range(line.start(), line.end()) if not article.text[i].isspace()}
            if 2 * len(inked & boilerplate) < len(inked) and 2 * len(inked & kept) > len(inked):
                right += len(inked & boilerplate - kept)
                cut += len(inked - kept)
                wanted += len(inked & boilerplate)
    assert right / cut >= 0.98
    assert right / wanted >= 0.95


@pytest.mark.parametrize(
    ("section", "rule", "line"), POSITIONED, ids=[f"{s}-{r.name}-{n}" for n, (s, r, _) in enumerate(POSITIONED)]
)
def test_a_positioned_rule_catches_its_example_and_only_there(section, rule, line):
    cleaner = Cleaner(CleaningRules(name="one", **{section: (rule,)}))
    dateline = f"BATAM - {BODY}"
    above, between, below = f"{line}\n{dateline}", f"{dateline}\n{line}\n{BODY}", f"{dateline}\n{line}"
    catching = {"head": above, "stray": between, "tail": below}[section]
    assert line not in cleaner.clean(catching).text
    for text in {above, between, below} - {catching}:
        assert cleaner.clean(text).text == text


@pytest.mark.parametrize(("section", "rule", "line"), STAYING, ids=[f"{s}-{n}" for n, (s, _, _) in enumerate(STAYING)])
def test_a_positioned_rule_leaves_what_it_must_keep(section, rule, line):
    text = {"head": f"{line}\n{BODY}", "stray": f"{BODY}\n{line}\n{BODY}", "tail": f"{BODY}\n{line}"}[section]
    assert Cleaner(CleaningRules(name="one", **{section: (rule,)})).clean(text).text == text


def test_a_first_line_that_tells_the_story_is_the_title_and_stays():
    title = "Polisi Menangkap Perempuan yang Merekrut Warga Desa"
    text = f"{title}\nTimnas Menang Tipis atas Tamunya Malam Tadi\n{BODY}"
    assert Cleaner(RULES).clean(text).text == f"{title}\n{BODY}"


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_a_paragraph_broken_into_lines_stays(width):
    second = "Menurut kepala satuan, korban dijanjikan gaji tinggi, tetapi paspor mereka ditahan setibanya di sana."
    text = textwrap.fill(f"{BODY} {second}", width)
    assert Cleaner(RULES).clean(text).text == text


def plain(area: str | None) -> str:
    return re.sub(r"kota|kabupaten|administrasi|[\W_]", "", (area or "").casefold())


@pytest.mark.parametrize("part", ["train", "test"])
def test_places_and_dates_are_right_on_95_percent_of_the_articles_that_state_them(part):
    cleaner = Cleaner(RULES)
    names = yaml.safe_load((REPO / "configs/gazetteer/indonesia.yaml").read_text(encoding="utf-8"))
    describer = Describer(Gazetteer.model_validate(names))
    known = gold("describe", part)
    places, dates = [], []
    for article in articles(part):
        said = known[article.id]
        found = describer.describe(
            cleaner.clean(article.text).text, original=article.text, published_at=article.published_at
        )
        if said["place"]:
            area, _, province = said["place"].rpartition(", ")
            right = found.place is not None and plain(found.place.area or found.place.province) in {
                plain(area),
                plain(province),
            }
            places.append(right and (found.place.area is None or plain(found.place.area) == plain(area)))
        if said["event_date"]:
            dates.append(found.event_date is not None and found.event_date.isoformat() == said["event_date"])
    assert sum(places) / len(places) >= 0.95
    assert sum(dates) / len(dates) >= 0.95
