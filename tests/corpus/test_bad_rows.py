"""Bad rows come out with their reason; no good row is lost with them and none stops the reading."""

import gzip
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tppo.corpus import Article, Limits, Rejected, csv_rows, read_articles, readers

LIMITS = Limits(max_chars=2000, modus_keys=("contract_marriage", "illegal_migrant_work", "organ_trade", "scam"))
GOOD = [b'{"id": "g1", "text": "Polisi menangkap perekrut."}', b'{"id": "g2", "text": "Korban dipulangkan."}']


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file and return its path."""

    def write(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def sort_out(*paths: Path) -> tuple[list[str], list[str]]:
    """Return the ids of the good rows and the reasons of the others."""
    found = list(read_articles(paths, limits=LIMITS))
    return [x.id for x in found if isinstance(x, Article)], [x.reason for x in found if isinstance(x, Rejected)]


def row(**fields: object) -> bytes:
    return json.dumps({"id": "bad", "text": "Korban pulang.", **fields}).encode()


BAD_LINES = {
    "no text": (b'{"id": "bad", "title": "a"}', "no text: expected a non-empty column 'text'; columns: id, title"),
    "broken JSON": (b'{"id": "bad", "text": "Korb', "broken JSON: "),
    "not an object": (b'["Korban pulang."]', "expected a JSON object, got list"),
    "a bare number": (b"17", "expected a JSON object, got int"),
    "wrong encoding": ('{"text": "café"}'.encode("latin-1"), "wrong encoding: JSONL is UTF-8, got byte 0xe9 at 13"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16-le"), "broken JSON: "),
    "duplicate id": (row(id="g1"), "duplicate id 'g1'"),
    "unknown label": (row(labels=["organ_trad"]), "unknown label 'organ_trad'; did you mean 'organ_trade'?"),
    "labels of another type": (row(labels=5), "labels must be a list of modus keys, got 5"),
    "oversize body": (row(text="a" * 2001), "text is too long: at most 2,000 characters, got 2,001"),
    "NUL byte": (row(text="Kor\0ban"), "text holds a NUL character at offset 3"),
    "bad date": (row(published_at="kemarin"), "published_at must be an ISO date such as 2023-06-21, got 'kemarin'"),
    "bad flag": (row(tppo="entah"), "tppo must be true or false, got 'entah'"),
    "lone surrogate": (
        b'{"text": "Kor\\ud800ban"}',
        "text holds lone surrogates: it was decoded with the wrong encoding",
    ),
    "nested too deep": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "broken JSON: maximum recursion depth"),
    "number of too many digits": (b'{"text": "a", "id": ' + b"1" * 5000 + b"}", "broken JSON: "),
    "infinite offset": (b'{"text": "a", "evidence": [{"label": "scam", "start": 1e999, "end": 1}]}', "evidence must"),
    "labels nested too deep": (row(labels="[" * 100_000), "labels must be a JSON list of modus keys"),
}


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_quarantined_and_its_neighbours_are_read(file, line, reason):
    good, reasons = sort_out(file("a.jsonl", b"\n".join([GOOD[0], line, GOOD[1]])))
    assert good == ["g1", "g2"]
    assert [found[: len(reason)] for found in reasons] == [reason]


def test_a_rejection_states_file_and_line(file):
    path = file("a.jsonl", b"\n".join([GOOD[0], b"", b"{"]))
    rejected = list(read_articles([path]))[1]
    assert rejected.source == f"{path}:3"


def test_a_rejection_states_the_id_and_the_beginning_of_the_text(file):
    (rejected,) = read_articles([file("a.jsonl", row(text="kata " * 100, tppo="entah"))])
    assert (rejected.id, rejected.snippet) == ("bad", ("kata " * 100)[:120])


def test_a_nul_is_made_visible_in_the_snippet(file):
    (rejected,) = read_articles([file("a.jsonl", row(text="a\0b"))])
    assert rejected.snippet == r"a\0b"


def test_an_id_is_a_duplicate_across_files_too(file):
    assert sort_out(file("a.jsonl", GOOD[0]), file("b.jsonl", GOOD[0])) == (["g1"], ["duplicate id 'g1'"])


def test_a_text_that_comes_again_without_an_id_is_a_duplicate(file):
    good, reasons = sort_out(file("a.jsonl", b'{"text": "Korban pulang."}\n{"text": "KORBAN  pulang."}'))
    assert (len(good), len(reasons)) == (1, 1)


def test_the_id_of_a_refused_row_stays_free(file):
    assert sort_out(file("a.jsonl", row(tppo="entah") + b"\n" + row()))[0] == ["bad"]


@pytest.mark.parametrize("length", [50, 63, 65, 100, 127, 128, 129, 300])
def test_a_line_over_the_limit_is_skipped_whole(file, monkeypatch, length):
    monkeypatch.setattr(readers, "MAX_ROW_BYTES", 64)
    line = b'{"text": "%s"}' % (b"a" * (length - 12))
    good, reasons = sort_out(file("a.jsonl", b"\n".join([GOOD[0], line, GOOD[1]])))
    assert good[0] == "g1"
    assert good[-1] == "g2"
    assert reasons == ([] if length < 64 else ["line is too long: at most 64 bytes"])


# CSV


def test_a_csv_row_with_too_many_cells_is_quarantined(file):
    found = sort_out(file("a.csv", b"id,text\ng1,Satu.\nbad,Dua, tiga.\ng2,Empat.\n"))
    assert found == (["g1", "g2"], ["row has more cells than the header's 2"])


def test_a_csv_row_with_too_few_cells_is_quarantined(file):
    good, reasons = sort_out(file("a.csv", b"id,text\ng1,Satu.\nbad\ng2,Dua.\n"))
    assert good == ["g1", "g2"]
    assert reasons[0].startswith("no text")


def test_a_nul_in_a_csv_is_quarantined(file):
    good, reasons = sort_out(file("a.csv", b"id,text\ng1,Satu.\nbad,D\0a.\ng2,Tiga.\n"))
    assert good == ["g1", "g2"]
    assert reasons[0].startswith("text holds a NUL character")


def test_a_csv_without_a_text_column_states_its_columns(file):
    assert sort_out(file("a.csv", b"id,isi\n1,Satu.\n")) == ([], ["no column 'text'; columns: id, isi"])


def test_a_bad_byte_late_in_a_csv_loses_no_good_row(file):
    many = [b"g%d,Berita %s\n" % (n, b"x" * 1000) for n in range(300)]
    good, reasons = sort_out(file("a.csv", b"id,text\n" + b"".join(many) + b"bad,caf\xe9\nlast,Korban pulang.\n"))
    assert good == [*(f"g{n}" for n in range(300)), "last"]
    assert len(reasons) == 1


def test_a_bad_byte_in_a_utf8_csv_does_not_garble_the_other_rows(file):
    lines = ["g1,“Korban” dipulangkan dari Kamboja – café.\n".encode()] * 2
    data = b"id,text\n" + lines[0] + b"bad,caf\xe9\n" + lines[1].replace(b"g1", b"g2")
    articles = [one for one in read_articles([file("a.csv", data)]) if isinstance(one, Article) and one.id != "bad"]
    assert [one.text for one in articles] == ["“Korban” dipulangkan dari Kamboja – café."] * 2


def test_an_open_quote_in_a_csv_is_reported(file):
    good, reasons = sort_out(file("a.csv", b'id,text\ng1,Satu.\nbad,"Dua.\ng2,Tiga.\ng3,Empat.\n'))
    assert good == ["g1", "g2", "g3"]
    assert reasons == ["a quote is opened and never closed; line begins 'bad,\"Dua.\\n'"]


@pytest.mark.parametrize(
    ("broken", "n_reasons"),
    [
        (b'bad,"Dua.\n', 1),
        (b'bad,"Dua."x"\n', 1),
        (b'"bad","Dua\nlagi\n', 2),
        (b'bad,Du"a.\n', 0),
        (b'bad,"Dua ""kata"" lagi."\n', 0),
    ],
)
def test_a_stray_quote_costs_no_row_after_it(file, broken, n_reasons):
    quoted = b'"g2","Tiga, ""kata"" dia,\nlalu pulang."\n"g3","Empat."\n'
    good, reasons = sort_out(file("a.csv", b"id,text\ng1,Satu.\n" + broken + quoted))
    assert [one for one in good if one != "bad"] == ["g1", "g2", "g3"]
    assert len(reasons) == n_reasons


def test_a_csv_line_over_the_limit_is_skipped_whole(file, monkeypatch):
    monkeypatch.setattr(csv_rows, "MAX_ROW_BYTES", 64)
    lines = [b"id,text", b"g1,Satu.", b'bad,"' + b"a" * 500 + b'"', b"bad," + b"a" * 60, b'g2,"Dua.\n\nTiga."']
    good, reasons = sort_out(file("a.csv", b"\n".join(lines) + b"\n"))
    assert good == ["g1", "g2"]
    assert [reason.split(":")[0] for reason in reasons] == ["line is too long"] * 2


def test_a_file_too_large_for_one_article_is_not_read(file, monkeypatch):
    monkeypatch.setattr(readers, "MAX_ROW_BYTES", 64)
    for name in ("a.txt", "a.html"):
        good, reasons = sort_out(file(name, b"a" * 65))
        assert (good, reasons) == ([], ["file is too large for one article: at most 64 bytes, got 65"])


def test_a_parquet_text_over_the_limit_is_refused_and_its_neighbours_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_ROW_BYTES", 1000)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["g1", "bad", "g2"], "text": ["Satu.", "a" * 2000, "Dua."]}), path)
    good, reasons = sort_out(path)
    assert good == ["g1", "g2"]
    assert reasons[0].startswith("row is too long")


def test_every_row_of_a_damaged_row_group_is_accounted_for(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"id": [f"g{i}" for i in range(30)], "text": [os.urandom(400).hex() for _ in range(30)]})
    pq.write_table(table, path, row_group_size=10, compression="none", use_dictionary=False)
    page = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    data = bytearray(path.read_bytes())
    data[page : page + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    good, reasons = sort_out(path)
    assert good == [f"g{i}" for i in (*range(10), *range(20, 30))]
    assert len(reasons) == 10
    assert reasons[0].startswith("damaged row group 1: ")


# Damaged files


def rows(n: int) -> bytes:
    return b"".join(b'{"id": "%d", "text": "%s"}\n' % (i, os.urandom(100).hex().encode()) for i in range(n))


def test_a_truncated_gzip_keeps_the_rows_before_the_break(file):
    packed = gzip.compress(rows(2000))
    good, reasons = sort_out(file("a.jsonl.gz", packed[: len(packed) // 2]))
    assert good[:100] == [str(i) for i in range(100)]
    assert reasons[-1].startswith("cannot read file: EOFError")


def test_a_truncated_zst_is_reported(file):
    packed = zstandard.compress(rows(50))
    assert sort_out(file("a.jsonl.zst", packed[: len(packed) // 2]))[1]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.parquet"])
def test_a_file_that_is_not_what_its_name_says_is_reported(file, name):
    good, reasons = sort_out(file(name, b"bukan berkas yang benar " * 20))
    assert good == []
    assert [reason[:17] for reason in reasons] == ["cannot read file:"]


def test_a_corrupted_parquet_keeps_the_rows_before_the_break(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"id": [str(i) for i in range(1000)], "text": [f"Berita {i} " + "x" * 200 for i in range(1000)]})
    pq.write_table(table, path, row_group_size=250, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 + 4000
    data[middle : middle + 4000] = b"\xff" * 4000
    path.write_bytes(data)
    good, reasons = sort_out(path)
    assert good[:250] == [str(i) for i in range(250)]
    assert reasons[-1].startswith("damaged row group 2: ")
    assert len(good) + len(reasons) == 1000


def test_a_parquet_without_a_text_column_states_its_columns(tmp_path):
    pq.write_table(pa.table({"id": ["a"], "isi": ["b"]}), tmp_path / "a.parquet")
    assert sort_out(tmp_path / "a.parquet") == ([], ["no column 'text'; columns: id, isi"])


def test_a_bad_byte_in_a_parquet_text_loses_no_good_row(tmp_path):
    raw = pa.array([b"Satu.", b"caf\xe9", b"Tiga."], pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    pq.write_table(pa.table({"id": ["g1", "bad", "g2"], "text": text}), tmp_path / "a.parquet")
    good, reasons = sort_out(tmp_path / "a.parquet")
    assert good == ["g1", "g2"]
    assert len(reasons) == 1


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv", "a.parquet"])
def test_an_empty_file_is_reported(file, name):
    assert len(sort_out(file(name, b""))[1]) == 1


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst"])
def test_an_empty_jsonl_has_no_rows(file, name):
    assert sort_out(file(name, b"")) == ([], [])


def test_a_web_page_without_an_article_is_reported(file):
    (reason,) = sort_out(file("a.html", b"<html><body></body></html>"))[1]
    assert reason == "no article text found in the HTML (26 bytes)"


def test_a_binary_text_file_is_reported(file):
    assert sort_out(file("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 5))[0] == []


def test_a_missing_file_does_not_stop_the_others(file, tmp_path):
    good, reasons = sort_out(tmp_path / "gone.jsonl", file("a.jsonl", GOOD[0]))
    assert good == ["g1"]
    assert reasons[0].startswith("cannot read file: FileNotFoundError")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.parquet", "a.html", "a.txt", "a.csv"])
def test_a_damaged_file_does_not_stop_the_others(file, name):
    assert sort_out(file(name, b"\0\xff\xfe" * 50), file("b.jsonl", GOOD[0]))[0] == ["g1"]


# Whatever comes

ANY_TEXT = st.text(alphabet="a1\0\n[\ud800é“😀", max_size=8)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
OFFSETS = st.sampled_from([0, 3, 14, 15, -1, 1.5, float("inf"), float("nan"), "3", None, []])
SPAN = st.fixed_dictionaries({"label": st.just("scam") | ANY_JSON, "start": OFFSETS, "end": OFFSETS})
FIELDS = {
    "id": ANY_JSON,
    "text": st.just("Korban pulang.") | ANY_JSON,
    "title": ANY_JSON,
    "published_at": ANY_JSON,
    "labels": ANY_JSON,
    "tppo": ANY_JSON,
    "evidence": st.lists(SPAN, max_size=2) | ANY_JSON,
}
ONE_ODD_FIELD = st.sampled_from(sorted(FIELDS)).flatmap(lambda f: FIELDS[f].map(lambda value: {f: value}))
ANY_ROW = ONE_ODD_FIELD.map(lambda field: json.dumps({"text": "Korban pulang.", **field}).encode())
ANY_LINE = st.binary(max_size=60) | ANY_ROW | st.dictionaries(ANY_TEXT, ANY_JSON).map(lambda r: json.dumps(r).encode())


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(ANY_LINE, max_size=4))
def test_whatever_the_lines_nothing_stops_the_reading_and_all_that_comes_out_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, lines: Sequence[bytes]
):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"\n".join(line.replace(b"\n", b"") for line in lines) + b'\n{"id": "the last", "text": "a"}\n')
    found = list(read_articles([path], limits=LIMITS))
    assert found[-1].id == "the last"
    for one in found:
        repr_row = one.as_row() if isinstance(one, Rejected) else {"id": one.id, "title": one.title}
        assert json.dumps(repr_row, ensure_ascii=False).encode("utf-8")


@given(st.binary(max_size=200), st.sampled_from([".csv", ".txt", ".jsonl.gz", ".jsonl.zst", ".parquet"]))
def test_whatever_the_bytes_of_a_file_the_next_file_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
):
    folder = tmp_path_factory.getbasetemp()
    (folder / f"any{suffix}").write_bytes(data)
    (folder / "next.jsonl").write_bytes(b'{"id": "the next", "text": "Korban pulang dengan selamat hari ini."}')
    found = list(read_articles([folder / f"any{suffix}", folder / "next.jsonl"]))
    assert found[-1].id == "the next"
