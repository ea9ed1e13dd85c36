"""`tppo corpus` over files: rows in, rows out, bad ones set aside."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tppo.cli.corpus import corpus_app
from tppo.corpus import Cleaner, CleaningRules
from tppo.corpus_run import clean_files, dedup_files, describe_files, read_option, weak_label_files
from tppo.errors import UsageError

TEXT = "BATAM, Kabar.id - Polisi menangkap calo PMI ilegal, Rabu (21/6/2023). Lima korban dipulangkan.\nEditor: Rina"
START = TEXT.index("Polisi")


@pytest.fixture
def source(tmp_path: Path) -> str:
    evidence = [{"label": "illegal_migrant_work", "start": START, "end": START + 20}]
    rows = [
        {"id": "a", "text": TEXT, "labels": ["illegal_migrant_work"], "tppo": True, "evidence": evidence},
        {"id": "b", "text": TEXT + " Sari"},
        {"id": "c", "text": ""},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_clean_keeps_what_maps_back(source, tmp_path):
    summary = clean_files([source], tmp_path / "out", cleaning="indonesian-news")
    first = rows(summary.out)[0]
    assert first["text"] == TEXT.split("\n")[0]
    assert "".join(TEXT[start:end] for start, end in first["kept"]) == first["text"]
    (span,) = first["evidence"]
    assert first["text"][span["start"] : span["end"]] == TEXT[START : START + 20]


def test_bad_rows_are_set_aside_with_their_reason(source, tmp_path):
    summary = clean_files([source], tmp_path / "out.jsonl", cleaning="none")
    assert (summary.articles, summary.rejected) == (2, 1)
    assert "no text" in rows(tmp_path / "out.quarantine.jsonl")[0]["reason"]


def test_describe_adds_what_the_article_says(source, tmp_path):
    first = rows(describe_files([source], tmp_path, cleaning="indonesian-news", gazetteer="indonesia").out)[0]
    said = {name: first[name] for name in ("place", "province", "outlet", "event_date")}
    assert said == {
        "place": "Kota Batam",
        "province": "Kepulauan Riau",
        "outlet": "Kabar.id",
        "event_date": "2023-06-21",
    }


def test_dedup_names_groups_and_can_drop_all_but_one(source, tmp_path):
    summary = dedup_files([source], tmp_path / "all.jsonl", cleaning="indonesian-news")
    assert [row["group"] for row in rows(summary.out)] == ["s-a", "s-a"]
    assert summary.counts == {"stories": 1, "groups": 1, "articles in groups": 2}
    dropped = dedup_files([source], tmp_path / "one.jsonl", cleaning="indonesian-news", copies_only=True, drop=True)
    assert [row["id"] for row in rows(dropped.out)] == ["a"]


def test_weak_labels_can_be_trained_on_and_are_scored_where_gold_is(source, tmp_path):
    from tppo.corpus import Article, read_articles

    summary = weak_label_files([source], tmp_path / "weak.jsonl", cleaning="indonesian-news", taxonomy="tppo")
    articles = list(read_articles([summary.out]))
    assert all(isinstance(a, Article) and a.labels == ("illegal_migrant_work",) for a in articles)
    assert articles[1].text[articles[1].evidence[0].start :].startswith("BATAM")
    assert {f.accuracy for f in summary.functions} == {None, 1.0}


def test_an_unknown_option_is_refused_with_the_nearest(source, tmp_path):
    with pytest.raises(UsageError, match=r"cleaning must be one of .*did you mean 'indonesian-news'"):
        read_option("cleaning", "indonesia-news", CleaningRules)
    assert Cleaner(read_option("cleaning", "none", CleaningRules)).clean("a").text == "a"


def test_output_over_its_own_input_or_of_another_kind_is_refused(source, tmp_path):
    with pytest.raises(UsageError, match="overwrite its own input"):
        clean_files([source], Path(source), cleaning="none")
    with pytest.raises(UsageError, match=r"must be a folder or a file ending in \.jsonl"):
        clean_files([source], tmp_path / "out.csv", cleaning="none")


DOCUMENT = (Path(__file__).parents[1] / "docs" / "corpus.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", re.findall(r"^tppo corpus (.+)$", DOCUMENT, re.MULTILINE))
def test_the_documented_commands_run(command, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(source).rename("articles.jsonl")
    result = CliRunner().invoke(corpus_app, command.split())
    assert result.exit_code == 0, result.output
    assert "2 articles read" in result.output
    assert Path(command.split("--out ")[1].split()[0]).is_file()


def test_the_weak_label_table_shows_each_cue(source, tmp_path):
    result = CliRunner().invoke(corpus_app, ["weak-label", source, "--out", str(tmp_path / "weak.jsonl")])
    assert re.search(r"tppo/1 .*tppo", result.output), result.output
