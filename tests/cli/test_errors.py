"""What can go wrong, by kind, in two tables: refusals are one line with exit code 1 or 2, bad rows are quarantined.

Never a traceback, and never a good row lost.
"""

import gzip
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from small_corpus import REPO, articles, write_jsonl

Prepare = Callable[[Path], object]

STAGE = re.compile(r"\w+ +[\d.]+ s")  # what `train` reports before it gets to the error
BASE = "train embedding=tfidf-svd 'corpus.paths=[good.jsonl]'"
TRAIN = f"{BASE} split=balanced"
SAVED = f"{BASE} split=authored split.file"


@dataclass(frozen=True)
class Refusal:
    """A kind of mistake: the command, with MODEL for a good model's folder, and what the one line must say.

    `prepare` is called with the working folder, which holds ``good.jsonl`` and ``model``, a model that may be spoilt.
    """

    kind: str
    command: str
    code: int
    said: str
    prepare: Prepare = lambda here: None


def write(name: str, content: str | bytes) -> Prepare:
    def prepare(here: Path) -> None:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return prepare


def rows(name: str, content: Iterable[dict[str, Any]]) -> Prepare:
    return lambda here: write_jsonl(here / name, content)


def remove(name: str) -> Prepare:
    return lambda here: shutil.rmtree(here / name) if (here / name).is_dir() else (here / name).unlink()


def model_setting(key: str, value: Any) -> Prepare:
    def prepare(here: Path) -> None:
        path = here / "model" / "model.json"
        settings = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**settings, key: value}), encoding="utf-8")

    return prepare


def configuration(change: Callable[[Path], object]) -> Prepare:
    """Change a copy of the shipped configuration; ``configs`` in the working folder, which the test points to."""

    def prepare(here: Path) -> None:
        shutil.copytree(REPO / "configs", here / "configs")
        change(here / "configs")

    return prepare


def two_labels_with_one_key(configs: Path) -> None:
    path = configs / "taxonomy" / "tppo.yaml"
    taxonomy = yaml.safe_load(path.read_text(encoding="utf-8"))
    taxonomy["modus"].append(taxonomy["modus"][0])
    path.write_text(yaml.safe_dump(taxonomy), encoding="utf-8")


UNLABELLED = [{"id": "1", "text": "Polisi menangkap calo."}]
SPLIT_OF_STRANGERS = json.dumps({"train": ["x"], "test": ["y"]})
SPLIT_WITH_BOTH = json.dumps({"train": ["art-000", "art-001"], "test": ["art-001"]})

REFUSALS = [
    # Input as a whole
    Refusal("input that is not there", "label nope.jsonl --out out --model MODEL", 1, "no such file.*nope.jsonl"),
    Refusal("glob that matches nothing", "label 'x/*.jsonl' --out out --model MODEL", 1, r"no such file.*x/\*\.jsonl"),
    Refusal(
        "format nobody reads", "label a.docx --out out --model MODEL", 1, "cannot read a.docx", write("a.docx", "")
    ),
    Refusal(
        "folder without articles", "label dir --out out --model MODEL", 1, "no article files", write("dir/a.md", "")
    ),
    Refusal(
        "file as output folder", "label good.jsonl --out good.jsonl --model MODEL", 1, "cannot write to good.jsonl"
    ),
    Refusal(
        "folder below a file", "label good.jsonl --out good.jsonl/x --model MODEL", 1, "cannot write to good.jsonl/x"
    ),
    Refusal(
        "output of another job",
        "label good.jsonl --out out --model MODEL",
        2,
        "--fresh",
        write("out/part-00000.csv", ""),
    ),
    Refusal(
        "damaged record of a job",
        "label good.jsonl --out out --model MODEL",
        2,
        "damaged",
        write("out/state.json", "{"),
    ),
    # How the command is called
    Refusal("nothing to label", "label --model MODEL", 2, "either files to label or --text"),
    Refusal("files and a text", "label good.jsonl --text x --model MODEL", 2, "either files to label or --text"),
    Refusal("no output folder", "label good.jsonl --model MODEL", 2, "give --out DIR"),
    # Models
    Refusal("model that is not there", "label good.jsonl --out out --model nope", 1, "no such model: 'nope'"),
    Refusal("store that is not there", "label good.jsonl --out out", 1, "there is no MLflow store mlflow.db"),
    Refusal("folder that is no model", "label good.jsonl --out out --model .", 1, "not a tppo model: .* no model.json"),
    Refusal(
        "damaged model description",
        "label --text x --model model",
        1,
        "model.json is damaged",
        write("model/model.json", "{"),
    ),
    Refusal(
        "model of a later version", "label --text x --model model", 1, "model format 99", model_setting("format", 99)
    ),
    Refusal(
        "damaged weights", "label --text x --model model", 1, "damaged weights", write("model/scorer.safetensors", "x")
    ),
    Refusal("model without weights", "label --text x --model model", 1, "scorer", remove("model/scorer.safetensors")),
    Refusal("model without encoder", "label --text x --model model", 1, "encoder", remove("model/encoder")),
    Refusal(
        "encoder of no known kind",
        "label --text x --model model",
        1,
        "unknown kind of encoder 'pickle'",
        write("model/encoder/encoder.json", '{"kind": "pickle"}'),
    ),
    Refusal("encoder folder that is no model", f"{TRAIN} embedding=.", 1, "not a sentence-transformers model"),
    Refusal(
        "encoder with pickled weights",
        f"{TRAIN} embedding=st",
        1,
        "pickled",
        lambda here: (write("st/modules.json", "[]")(here), write("st/pytorch_model.bin", b"\x80\x04")(here)),
    ),
    # Configuration
    Refusal("unknown key", f"{TRAIN} clasifier.C=3", 2, "unknown configuration key 'clasifier.C'.*'classifier'"),
    Refusal("unknown nested key", f"{TRAIN} classifier.temprature=3", 2, "'classifier.temprature'.*'temperature'"),
    Refusal("unknown option", f"{TRAIN} classifier=modsu", 2, "classifier must be one of.*'modsu'.*'modus'"),
    Refusal("value of the wrong type", f"{TRAIN} classifier.C=many", 2, "classifier.C: .*number.*'many'"),
    Refusal("value out of range", f"{TRAIN} classifier.target=2", 2, "classifier.target: .*less than or equal to 1.*2"),
    Refusal("value not in the list", f"{TRAIN} classifier.criterion=f2", 2, "classifier.criterion: .*best_f1.*'f2'"),
    Refusal("value for a section", f"{TRAIN} corpus=good.jsonl", 2, "corpus is a section"),
    Refusal("argument that is no override", f"{TRAIN} classifier", 2, "expected an override.*'classifier'"),
    Refusal("value that cannot be parsed", f"{TRAIN} 'corpus.paths=[a,[b]'", 2, "cannot compose|corpus.paths"),
    Refusal("wrong value for labelling", "label good.jsonl --out out batch_size=0", 2, "batch_size: .*got 0"),
    Refusal("unknown key for labelling", "label good.jsonl --out out batchsize=9", 2, "'batchsize'.*'batch_size'"),
    Refusal(
        "broken YAML",
        TRAIN,
        2,
        "broken YAML|cannot compose",
        configuration(lambda configs: (configs / "classifier" / "modus.yaml").write_text("C: [1", encoding="utf-8")),
    ),
    Refusal(
        "main file missing",
        "label --text x",
        2,
        "'label'",
        configuration(lambda configs: (configs / "label.yaml").unlink()),
    ),
    Refusal("two labels with one key", TRAIN, 2, "must be distinct", configuration(two_labels_with_one_key)),
    Refusal(
        "rule that is no regular expression",
        f"{TRAIN} cleaning=x",
        2,
        "not a regular expression",
        configuration(
            lambda configs: (configs / "cleaning" / "x.yaml").write_text(
                "{name: x, line: [{name: y, pattern: '(['}]}", encoding="utf-8"
            )
        ),
    ),
    # Training data
    Refusal("corpus that is not there", f"{TRAIN} 'corpus.paths=[nope]'", 1, "no such file, folder or glob: nope"),
    Refusal("nothing labelled", TRAIN, 1, "no labelled articles.*not labelled", rows("good.jsonl", UNLABELLED)),
    Refusal(
        "labels of another taxonomy",
        TRAIN,
        1,
        "no labelled articles.*unknown label 'scams'.*'scam'",
        rows("good.jsonl", [{"text": "x", "labels": ["scams"]}]),
    ),
    Refusal("too few articles to split", TRAIN, 2, "a part would be empty", rows("good.jsonl", articles(1))),
    Refusal("split that is not there", f"{SAVED}=nope.json", 1, "cannot read split nope.json"),
    Refusal(
        "split with an id twice",
        f"{SAVED}=s.json",
        1,
        "both parts.*art-001",
        write("s.json", SPLIT_WITH_BOTH),
    ),
    Refusal(
        "split of other articles",
        f"{SAVED}=s.json",
        1,
        "leaves 0 articles",
        write("s.json", SPLIT_OF_STRANGERS),
    ),
    Refusal(
        "nothing to evaluate on",
        "evaluate a.jsonl --model MODEL",
        1,
        "no labelled articles",
        rows("a.jsonl", UNLABELLED),
    ),
]


def test_the_table_lists_at_least_twenty_kinds_once_each() -> None:
    kinds = [case.kind for case in REFUSALS]
    assert len(kinds) == len(set(kinds)) >= 20


@pytest.mark.parametrize("case", REFUSALS, ids=[case.kind for case in REFUSALS])
def test_a_mistake_is_one_line_and_exit_code_1_or_2(
    case: Refusal, here: Path, model_folder: Path, tppo: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(here / "good.jsonl", articles(6))
    shutil.copytree(model_folder, here / "model")
    case.prepare(here)
    if (here / "configs").is_dir():
        monkeypatch.setenv("TPPO_CONFIG_DIR", str(here / "configs"))
    answer = tppo(*shlex.split(case.command.replace("MODEL", str(model_folder))))
    lines = [line for line in answer.err.splitlines() if not STAGE.fullmatch(line.strip())]
    assert len(lines) == 1, answer.err
    assert re.search(rf"^error: .*({case.said})", lines[0]), lines[0]
    assert answer.code == case.code
    assert "Traceback" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("nosuch", "No such command 'nosuch'"),
        ("label --nope", "No such option: --nope"),
        ("label x --format xml", "'xml' is not one of"),
        ("ui --port 0", "--port"),
        ("evaluate", "Missing argument"),
    ],
)
def test_what_the_parser_refuses_ends_in_one_line_and_exit_code_2(
    command: str, said: str, tppo: Callable[..., Any]
) -> None:
    answer = tppo(*shlex.split(command))
    assert answer.code == 2
    assert said in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err


def test_a_folder_named_like_markup_is_printed_as_it_stands(
    here: Path, model_folder: Path, tppo: Callable[..., Any]
) -> None:
    write_jsonl(here / "good.jsonl", articles(3))
    answer = tppo("label", "good.jsonl", "--out", "out[/b]", "--model", model_folder)
    assert answer.code == 0, answer.err
    assert "out[/b]" in answer.out


GOOD = articles(3)


def line(**fields: Any) -> str:
    return json.dumps({"id": "bad", "text": "Polisi menangkap calo.", **fields})


# Kind of bad row, the line of JSON, and how the reason begins.
BAD_LINES: list[tuple[str, str | bytes, str]] = [
    ("no text", '{"id": "bad"}', "no text"),
    ("blank text", line(text=" \n\t"), "no text"),
    ("text that is a number", line(text=5), "text must be a string, got int"),
    ("broken JSON", '{"id": "bad", "text": ', "broken JSON"),
    ("JSON that looks like markup", "[/b]", "broken JSON"),
    ("list in place of an object", "[1, 2]", "expected a JSON object, got list"),
    ("nested too deep", "[" * 100_000, "broken JSON"),
    ("bytes that are no UTF-8", b'{"id": "bad", "text": "\xff\xfe\xfa"}', "wrong encoding"),
    ("id that came before", line(id=GOOD[0]["id"]), f"duplicate id '{GOOD[0]['id']}'"),
    ("id that is an object", line(id={"a": 1}), "id must be"),
    ("id of a thousand characters", line(id="x" * 1000), "id must be at most 512"),
    ("NUL in the text", line(text="Polisi\x00menangkap"), "text holds a NUL character"),
    ("half a character", '{"id": "bad", "text": "x \\ud83d y"}', "text holds lone surrogates"),
    ("ten-megabyte body", line(text="kata " * 2_000_000), "text is too long"),
    ("date that is none", line(published_at="kemarin"), "published_at must be an ISO date"),
    ("labels that are a number", line(labels=3), "labels must be a list"),
    ("labels that are broken JSON", line(labels='["scam"'), "labels must be a JSON list"),
    ("tppo that is neither yes nor no", line(tppo="mungkin"), "tppo must be true or false"),
    (
        "evidence outside the text",
        line(evidence=[{"label": "scam", "start": 5, "end": 500}]),
        "evidence must lie inside",
    ),
    ("evidence without a label", line(evidence=[{"start": 0, "end": 3}]), "evidence must be a list"),
]


@pytest.mark.parametrize(("content", "reason"), [case[1:] for case in BAD_LINES], ids=[case[0] for case in BAD_LINES])
def test_a_bad_row_is_quarantined_and_no_good_row_is_lost(
    content: str | bytes, reason: str, here: Path, model_folder: Path, tppo: Callable[..., Any]
) -> None:
    first, *others = (json.dumps(row).encode() for row in GOOD)
    bad = content.encode() if isinstance(content, str) else content
    (here / "in.jsonl").write_bytes(b"\n".join([first, bad, *others, b""]))
    check_labelled(here, model_folder, tppo, "in.jsonl", reason)


def damaged_parquet(path: Path) -> None:
    pq.write_table(pa.table({"text": ["x"]}), path)
    path.write_bytes(path.read_bytes()[:-10])


def cut_off_gzip(path: Path) -> None:
    content = gzip.compress(
        b"".join(json.dumps({"id": f"z{i}", "text": f"{i} {i * i}"}).encode() + b"\n" for i in range(2000))
    )
    path.write_bytes(content[: len(content) // 2])


# Kind of bad file, its name, how it is made, and how the reason of its last quarantined row begins.
BAD_FILES: list[tuple[str, str, Callable[[Path], object], str]] = [
    ("damaged Parquet", "b.parquet", damaged_parquet, "cannot read file"),
    ("Parquet without text", "b.parquet", lambda p: pq.write_table(pa.table({"body": ["x"]}), p), "no column 'text'"),
    ("CSV without text", "b.csv", lambda p: p.write_text("id,body\n1,x\n", encoding="utf-8"), "no column 'text'"),
    (
        "CSV row with a cell too many",
        "b.csv",
        lambda p: p.write_text("id,text\n1,x,y\n", encoding="utf-8"),
        "row has more",
    ),
    ("gzip that is none", "b.jsonl.gz", lambda p: p.write_bytes(b"not gzip"), "cannot read file"),
    ("gzip that breaks off", "b.jsonl.gz", cut_off_gzip, "cannot read file"),
    ("zstandard that is none", "b.jsonl.zst", lambda p: p.write_bytes(b"not zstandard"), "cannot read file"),
    ("HTML without an article", "b.html", lambda p: p.write_text("<html></html>", encoding="utf-8"), "no article text"),
    ("empty text file", "b.txt", lambda p: p.touch(), "no text"),
    (
        "binary in a text file",
        "b.txt",
        lambda p: p.write_bytes(bytes(range(256)) * 4),
        "wrong encoding|text holds|no text",
    ),
]


@pytest.mark.parametrize(
    ("name", "make", "reason"), [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES]
)
def test_a_bad_file_is_quarantined_and_no_row_of_others_is_lost(
    name: str, make: Callable[[Path], object], reason: str, here: Path, model_folder: Path, tppo: Callable[..., Any]
) -> None:
    (here / "in").mkdir()
    write_jsonl(here / "in" / "a.jsonl", GOOD[:1])
    make(here / "in" / name)
    write_jsonl(here / "in" / "c.jsonl", GOOD[1:])
    check_labelled(here, model_folder, tppo, "in", reason)


def check_labelled(here: Path, model: Path, tppo: Callable[..., Any], given: str, reason: str) -> None:
    """Label, and check that the good rows came out in order and the one bad entry was quarantined for its reason."""
    answer = tppo("label", given, "--out", "out", "--format", "jsonl", "--model", model)
    assert (answer.code, answer.err) == (0, ""), answer.err
    parts = [path.read_text(encoding="utf-8").splitlines() for path in sorted((here / "out").glob("part-*"))]
    labelled = [json.loads(row)["id"] for part in parts for row in part]
    assert [i for i in labelled if i in {row["id"] for row in GOOD}] == [row["id"] for row in GOOD]
    quarantine = (here / "out" / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(quarantine) == 1
    assert re.match(reason, json.loads(quarantine[0])["reason"])
    assert f"{len(labelled):,} labelled + 1 quarantined" in " ".join(answer.out.split())
