"""The shipped corpus is what its datasheet says: schema, mix, provenance, and no text that stands twice."""

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tppo.corpus import Article, Limits, load_split, read_articles, sentence_spans

REPO = Path(__file__).parents[2]
DATA = REPO / "data"
SHARED = REPO.parent / "shared"
KEYS = tuple(
    m["key"] for m in yaml.safe_load((REPO / "configs/taxonomy/tppo.yaml").read_text(encoding="utf-8"))["modus"]
)
COLUMNS = {"id", "title", "outlet", "published_at", "labels", "tppo", "group", "evidence", "text"}
# The phrases a keyword search would look for first.
CANONICAL = {
    "illegal_migrant_work": r"\b(pmi|tki|tkw|cpmi|ctki|pekerja migran( indonesia)?|tenaga kerja( indonesia)?)\b"
    r"[\s\w(),-]{0,25}\b(ilegal|non[- ]?prosedural|unprosedural)",
    "contract_marriage": r"kawin kontrak|pengantin pesanan|nikah kontrak|pernikahan kontrak",
    "organ_trade": r"(jual|menjual|penjualan|jual[- ]beli|perdagangan)\w*[\s\w]{0,15}(organ|ginjal)",
    "scam": r"scam",
}


def read(part: str) -> list[Article]:
    items = list(read_articles([DATA / "articles" / f"{part}.jsonl"], limits=Limits(modus_keys=KEYS)))
    assert [item for item in items if not isinstance(item, Article)] == []
    return items


TRAIN, TEST = read("train"), read("test")
ALL = [*TRAIN, *TEST]
BOILERPLATE = {
    row["id"]: row["spans"]
    for part in ("train", "test")
    for row in map(json.loads, (DATA / "gold" / f"boilerplate-{part}.jsonl").read_text(encoding="utf-8").splitlines())
}
SOURCES = {
    row["id"]: row["source"]
    for row in csv.DictReader((DATA / "provenance.csv").read_text(encoding="utf-8").splitlines())
}


def body(article: Article) -> str:
    kept = "".join(
        char if not any(start <= i < end for start, end in BOILERPLATE[article.id]) else " "
        for i, char in enumerate(article.text)
    )
    return f"{article.title}\n{kept}"


# Schema


@pytest.mark.parametrize("part", ["train", "test"])
def test_rows_have_the_columns_of_the_datasheet(part):
    rows = map(json.loads, (DATA / "articles" / f"{part}.jsonl").read_text(encoding="utf-8").splitlines())
    assert all(COLUMNS - {"group"} <= set(row) <= COLUMNS for row in rows)


def test_ids_are_distinct_and_split_as_saved():
    assert len({a.id for a in ALL}) == len(ALL)
    split = load_split(DATA / "splits" / "authored.json")
    assert (set(split.train), set(split.test)) == ({a.id for a in TRAIN}, {a.id for a in TEST})


def test_every_article_is_labelled_and_its_labels_are_those_of_its_evidence():
    for a in ALL:
        assert a.tppo is not None, a.id
        assert a.evidence is not None, a.id
        assert set(a.labels or ()) == {span.label for span in a.evidence}, a.id
        assert all(a.text[span.start : span.end].strip() for span in a.evidence), a.id


def test_no_evidence_lies_in_boilerplate():
    for a in ALL:
        for span in a.evidence or ():
            inside = sum(max(0, min(span.end, end) - max(span.start, start)) for start, end in BOILERPLATE[a.id])
            assert inside < span.end - span.start, a.id


@pytest.mark.parametrize("name", ["boilerplate", "describe"])
@pytest.mark.parametrize(("part", "articles"), [("train", TRAIN), ("test", TEST)])
def test_gold_is_there_for_every_article(name, part, articles):
    rows = map(json.loads, (DATA / "gold" / f"{name}-{part}.jsonl").read_text(encoding="utf-8").splitlines())
    assert [row["id"] for row in rows] == [a.id for a in articles]


def test_provenance_names_articles_that_are_there():
    assert set(SOURCES) <= {a.id for a in ALL}
    assert all(re.match(r"https?://\S+$", source) for source in SOURCES.values())


def test_judged_pairs_name_articles_that_are_there_and_each_pair_once():
    rows = list(csv.DictReader((DATA / "gold" / "syndication-pairs.csv").read_text(encoding="utf-8").splitlines()))
    assert {row[end] for row in rows for end in ("id_a", "id_b")} <= {a.id for a in ALL}
    assert len({frozenset((row["id_a"], row["id_b"])) for row in rows}) == len(rows)
    assert all(row["same"] in {"0", "1"} and row["reason"] for row in rows)


# Mix: what issue 3 asks for


def canonical_absent(key: str) -> Callable[[Article], bool]:
    return lambda a: key in (a.labels or ()) and not re.search(CANONICAL[key], body(a), re.IGNORECASE)


def hidden(a: Article) -> bool:
    spans = Counter(span.label for span in a.evidence or ())
    return len(a.text) >= 1500 and bool(spans) and max(spans.values()) <= 2


MIX: dict[str, tuple[int, Callable[[Article], bool]]] = {
    "articles": (1200, lambda a: True),
    **{key: (220, lambda a, key=key: key in (a.labels or ())) for key in KEYS},
    **{f"{key}, canonical phrase absent": (60, canonical_absent(key)) for key in KEYS},
    "two or more modus": (120, lambda a: len(a.labels or ()) >= 2),
    "TPPO with none of the modus": (200, lambda a: a.tppo is True and not a.labels),
    "not TPPO and no modus": (300, lambda a: a.tppo is False and not a.labels),
    "1,500 characters or more, modus in one or two sentences": (200, hidden),
}


@pytest.mark.parametrize("name", MIX)
def test_the_mix_has_as_many_as_were_planned(name):
    least, wanted = MIX[name]
    assert sum(map(wanted, ALL)) >= least


def test_there_are_sixty_syndication_clusters():
    sizes = Counter(a.group for a in ALL if a.group)
    assert sum(2 <= n <= 6 for n in sizes.values()) >= 60


# Nothing stands twice


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return frozenset(tuple(words[i : i + 5]) for i in range(len(words) - 4))


def near_duplicates() -> Iterator[tuple[Article, Article]]:
    sets = [shingles(a.text) for a in ALL]
    where: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for n, grams in enumerate(sets):
        shared = Counter(m for gram in grams for m in where[gram])
        for m, common in shared.items():
            if common / (len(grams) + len(sets[m]) - common) >= 0.6:
                yield ALL[m], ALL[n]
        for gram in grams:
            where[gram].append(n)


def test_no_near_duplicates_across_groups_or_parts():
    test = {a.id for a in TEST}
    assert [
        (a.id, b.id)
        for a, b in near_duplicates()
        if a.group is None or a.group != b.group or (a.id in test) != (b.id in test)
    ] == []


def test_no_syndication_group_stands_in_both_parts():
    assert {a.group for a in TRAIN if a.group} & {a.group for a in TEST if a.group} == set()


def test_no_source_page_is_retold_in_both_parts():
    train, test = ({SOURCES[a.id] for a in part if a.id in SOURCES} for part in (TRAIN, TEST))
    assert sorted(train & test) == []


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def normal(sentence: str) -> str | None:
    words = re.findall(r"\w+", sentence.casefold())
    return " ".join(words) if len(words) >= 12 else None


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the shared texts are not at {SHARED}")
def test_no_sentence_of_twelve_words_is_shared_with_the_shared_texts():
    ours: dict[str, str] = {}
    for a in ALL:
        for start, end in sentence_spans(a.text):
            if (key := normal(a.text[start:end])) is not None:
                ours[key] = a.id
    found = []
    for path in sorted(SHARED.rglob("*")):
        if path.name.endswith(".jsonl.gz"):
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                texts = [text for line in stream for text in texts_in(json.loads(line))]
        elif path.suffix == ".txt":
            texts = [path.read_text(encoding="utf-8")]
        else:
            continue
        for text in texts:
            for start, end in sentence_spans(text):
                key = normal(text[start:end])
                if key in ours:
                    found.append((ours[key], path.name, key))
    assert found == []
