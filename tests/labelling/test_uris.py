"""Inputs of a cluster job: what a path or URI stands for, and its rows in tables."""

from pathlib import Path

import pytest

from small_corpus import articles, write_jsonl
from tppo.errors import DataError, UsageError
from tppo.labelling import LabelOptions
from tppo.labelling.ray_engine import label_with_ray
from tppo.labelling.uris import Stretch, describe, find_inputs, read_stretch


def rows_of(uri: str, **options: int) -> list[dict]:
    stretch = Stretch(uri, first=options.get("first", 0), skip=options.get("skip", 0))
    return [row for table in read_stretch(stretch, max_chars=1000, size=7) for row in table.to_pylist()]


def test_a_uri_gives_the_rows_of_the_file(mixed: Path) -> None:
    by_path, by_uri = rows_of(str(mixed)), rows_of(mixed.as_uri())
    assert [row.pop("source") for row in by_uri] == [f"{mixed.as_uri()}:{n}" for n in range(1, 41)]
    assert [row.pop("source") for row in by_path] == [f"{mixed}:{n}" for n in range(1, 41)]
    assert by_uri == by_path
    assert [row["row"] for row in by_path if row["reason"]] == [4, 14, 24, 34]


def test_rows_keep_their_numbers_where_some_are_skipped(mixed: Path) -> None:
    assert rows_of(str(mixed), first=100, skip=13) == [
        row | {"row": row["row"] + 100} for row in rows_of(str(mixed))[13:]
    ]


def test_a_folder_by_uri_gives_its_article_files_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a b.csv", "deep/c.jsonl.gz", "note.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = find_inputs([tmp_path.as_uri()])
    assert [uri.removeprefix(tmp_path.as_uri()) for uri in found] == ["/a%20b.csv", "/b.jsonl", "/deep/c.jsonl.gz"]
    assert [describe(uri).n_rows for uri in found[1:2]] == [0]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:///nowhere/at/all.jsonl", "no such file or folder"),
        ("wrong://bucket/a.jsonl", "cannot open wrong://bucket/a.jsonl"),
        ("wrong://key:secret@bucket/a.jsonl", r"cannot open wrong://key:\*\*\*@bucket"),
    ],
)
def test_a_uri_that_leads_nowhere_is_refused(uri: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_inputs([uri])


def test_a_description_holds_digest_and_rows_and_notices_changes(mixed: Path) -> None:
    for uri in (str(mixed), mixed.as_uri()):
        described = describe(uri)
        assert (described.n_rows, described.size) == (40, mixed.stat().st_size)
        described.check()
    write_jsonl(mixed, articles(3))
    with pytest.raises(DataError, match=r"mixed\.jsonl was changed while it was labelled"):
        described.check()


def test_without_ray_the_message_says_what_to_install(mixed, tmp_path, model, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'tppo\[ray\]'"):
        label_with_ray([mixed], tmp_path / "out", model, model_name="m", model_folder=tmp_path)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:port", "nowhere.invalid:6379"])
def test_where_no_cluster_answers_the_message_says_so_at_once(mixed, tmp_path, model, address) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(UsageError, match=f"no Ray cluster at '{address}'.*ray start --head"):
        label_with_ray([mixed], tmp_path / "out", model, model_name="m", model_folder=tmp_path, address=address)


def test_the_ray_engine_takes_no_sample(mixed, tmp_path, model) -> None:
    options = LabelOptions(sample=5)
    with pytest.raises(UsageError, match="--engine local"):
        label_with_ray([mixed], tmp_path / "out", model, model_name="m", model_folder=tmp_path, options=options)
