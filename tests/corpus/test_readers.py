"""Every format and encoding is read, in order; files are found."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tppo.corpus import SUFFIXES, Article, Limits, find_files, read_articles
from tppo.errors import DataError

ROWS = [
    {"id": "a", "text": "Polisi menangkap perekrut.", "labels": ["scam"], "published_at": "2024-05-27"},
    {"id": "b", "text": "Korban “dipulangkan” – café.", "labels": [], "published_at": None},
]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
PAGE = """<!doctype html><html lang="id"><head><meta charset="{charset}"><title>Polisi Tangkap Perekrut - Kabar</title>
<meta property="og:title" content="Polisi Tangkap Perekrut"><meta property="og:site_name" content="Kabar Nusa">
<meta property="article:published_time" content="2024-05-27T06:24:00+08:00">
<link rel="canonical" href="https://kabar.example/berita/1"></head><body><nav><a href="/">Beranda</a></nav><article>
<p>Polisi menangkap seorang perempuan yang diduga merekrut warga desa untuk bekerja di luar negeri tanpa dokumen.</p>
<p>Korban dijanjikan gaji “tinggi”, tetapi paspor mereka ditahan setibanya di tempat penampungan di kota itu.</p>
<p>Kapolres mengatakan penyidik masih mencari dua orang lain yang diduga membiayai keberangkatan para korban.</p>
</article><footer>Tentang kami</footer></body></html>"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file and return its path."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def read(*paths: Path) -> list[Article]:
    """Read files in which every row must be good."""
    found = list(read_articles(paths))
    assert all(isinstance(one, Article) for one in found), found
    return found  # type: ignore[return-value]


def texts(*paths: Path) -> list[str]:
    return [article.text for article in read(*paths)]


# JSONL


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.jsonl", bytes),
        ("a.jsonl.gz", gzip.compress),
        ("a.jsonl.zst", zstandard.compress),
        ("A.JSONL.GZ", gzip.compress),
    ],
)
def test_jsonl_is_read_plain_and_packed(file, name, pack):
    assert [article.id for article in read(file(name, pack(JSONL)))] == ["a", "b"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_packed_files_of_several_frames_are_read_to_the_end(file, pack):
    first, second = JSONL.splitlines(keepends=True)
    suffix = "gz" if pack is gzip.compress else "zst"
    assert [article.id for article in read(file(f"a.jsonl.{suffix}", pack(first) + pack(second)))] == ["a", "b"]


def test_jsonl_keeps_every_field(file):
    article = read(file("a.jsonl", JSONL))[0]
    assert (article.text, article.labels, article.published_at) == (ROWS[0]["text"], ("scam",), "2024-05-27")


def test_jsonl_may_begin_with_a_byte_order_mark(file):
    assert [article.id for article in read(file("a.jsonl", b"\xef\xbb\xbf" + JSONL))] == ["a", "b"]


def test_jsonl_may_end_its_lines_the_windows_way(file):
    assert [article.id for article in read(file("a.jsonl", JSONL.replace(b"\n", b"\r\n")))] == ["a", "b"]


def test_blank_lines_of_jsonl_are_no_rows(file):
    assert len(read(file("a.jsonl", b"\n" + JSONL.replace(b"\n", b"\n \t\n")))) == 2


def test_the_last_line_of_jsonl_needs_no_line_break(file):
    assert len(read(file("a.jsonl", JSONL.rstrip()))) == 2


def test_a_line_separator_inside_a_json_string_does_not_end_the_row(file):
    row = json.dumps({"text": "Korban\u2028pulang\u0085."}, ensure_ascii=False).encode()
    assert texts(file("a.jsonl", row)) == ["Korban\u2028pulang\u0085."]


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_is_read_with_any_delimiter_and_encoding(file, delimiter, encoding):
    table = [["id", "text"], *([row["id"], f'"{row["text"]}"'] for row in ROWS)]
    data = "".join(delimiter.join(cells) + "\r\n" for cells in table).encode(encoding)
    assert texts(file("a.csv", data)) == [row["text"] for row in ROWS]


def test_a_quoted_csv_cell_may_hold_delimiters_quotes_and_line_breaks(file):
    assert texts(file("a.csv", b'id,text\n1,"Kata ""ya"", lalu\npulang."\n2,Dua\n')) == [
        'Kata "ya", lalu\npulang.',
        "Dua",
    ]


def test_an_empty_csv_cell_is_an_unknown_field(file):
    assert read(file("a.csv", b"id,text,labels,tppo\n1,Korban pulang.,,\n"))[0].labels is None


def test_csv_labels_may_be_separated_by_semicolons(file):
    assert read(file("a.csv", b"text,labels\nKorban pulang.,scam;organ_trade\n"))[0].labels == ("organ_trade", "scam")


def test_a_csv_cell_may_be_longer_than_the_library_default(file):
    assert len(texts(file("a.csv", b"text\n" + b"kata " * 40_000 + b"\n"))[0]) == 200_000


def test_blank_lines_of_csv_are_no_rows(file):
    assert len(read(file("a.csv", b"text\nSatu.\n\nDua.\n\n"))) == 2


# Parquet


def test_parquet_is_read_with_its_types(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    articles = read(tmp_path / "a.parquet")
    assert [(one.id, one.labels, one.published_at) for one in articles] == [
        ("a", ("scam",), "2024-05-27"),
        ("b", (), None),
    ]


def test_parquet_is_read_over_several_batches_in_order(tmp_path):
    rows = [{"id": n, "text": f"Berita {n}."} for n in range(600)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=250)
    assert [one.id for one in read(tmp_path / "a.parquet")] == [str(n) for n in range(600)]


def test_a_parquet_timestamp_becomes_a_date(tmp_path):
    table = pa.table({"text": ["Korban pulang."], "published_at": pa.array([1_716_764_640], pa.timestamp("s", "UTC"))})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[0].published_at == "2024-05-26"


# One article a file

INDONESIAN = "Polisi menangkap seorang perekrut. “Korban dipulangkan,” kata Kapolres di café itu."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_text_file_is_read_in_any_encoding(file, encoding):
    data = INDONESIAN.encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    assert texts(file("a.txt", data)) == [INDONESIAN]


def test_a_latin_1_text_file_keeps_its_accents(file):
    assert texts(file("a.txt", INDONESIAN.replace("“", '"').replace("”", '"').encode("latin-1")))[0].count("café") == 1


def test_a_text_file_comes_out_with_plain_line_breaks(file):
    assert texts(file("a.txt", b"Satu.\r\nDua.\rTiga.\n")) == ["Satu.\nDua.\nTiga.\n"]


@pytest.mark.parametrize(("name", "stem"), [("berita-7.txt", "berita-7"), ("2024.05.27.txt", "2024.05.27")])
def test_the_id_of_a_text_file_is_its_stem(file, name, stem):
    assert read(file(name, b"Korban pulang."))[0].id == stem


@pytest.mark.parametrize("name", ["a.html", "a.htm"])
def test_a_web_page_gives_its_body_without_navigation(file, name):
    text = texts(file(name, PAGE.format(charset="utf-8").encode()))[0]
    assert "paspor mereka ditahan" in text
    assert "Beranda" not in text


def test_a_web_page_gives_its_metadata(file):
    article = read(file("a.html", PAGE.format(charset="utf-8").encode()))[0]
    assert (article.id, article.title, article.url, article.outlet, article.published_at) == (
        "a",
        "Polisi Tangkap Perekrut",
        "https://kabar.example/berita/1",
        "Kabar Nusa",
        "2024-05-27",
    )


def test_a_web_page_in_its_declared_encoding_keeps_its_quotes(file):
    assert "“tinggi”" in texts(file("a.html", PAGE.format(charset="windows-1252").encode("cp1252")))[0]


# Several files


def test_files_are_read_in_the_order_given(file):
    first, second = file("b.txt", b"Satu."), file("a.txt", b"Dua.")
    assert texts(first, second) == ["Satu.", "Dua."]


def test_reading_is_a_stream(file):
    stream = read_articles([file("a.txt", b"Satu."), Path("missing.jsonl")])
    assert next(stream).id == "a"


def test_the_default_limits_take_any_label(file):
    assert read(file("a.jsonl", b'{"text": "a", "labels": ["apa saja"]}'))[0].labels == ("apa saja",)


def test_limits_are_applied_to_every_format(file):
    path = file("a.txt", b"Korban pulang.")
    (rejected,) = read_articles([path], limits=Limits(max_chars=5))
    assert "too long" in rejected.reason


# Finding files


@pytest.fixture
def tree(file, tmp_path: Path) -> Path:
    """A folder with article files at two depths and others beside them."""
    for name in ("b.txt", "a.jsonl", "sub/deep/c.HTML", "sub/notes.md", "sub/d.jsonl.gz", "x.gz"):
        file(name, b"")
    return tmp_path


def names(found: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in found]


def test_a_folder_is_searched_at_every_depth_for_known_formats(tree):
    assert names(find_files([tree]), tree) == ["a.jsonl", "b.txt", "sub/d.jsonl.gz", "sub/deep/c.HTML"]


def test_a_glob_finds_its_matches_of_known_formats(tree):
    assert names(find_files([f"{tree}/*"]), tree) == ["a.jsonl", "b.txt"]


def test_a_recursive_glob_goes_into_folders(tree):
    assert names(find_files([f"{tree}/**/*.jsonl*"]), tree) == ["a.jsonl", "sub/d.jsonl.gz"]


def test_inputs_keep_their_order_and_come_once(tree):
    assert names(find_files([tree / "b.txt", tree, str(tree / "b.txt")]), tree)[:2] == ["b.txt", "a.jsonl"]


def test_a_file_named_like_a_glob_is_that_file(file):
    path = file("a[1].txt", b"")
    assert find_files([path]) == [path]


def test_a_missing_file_is_named_in_the_error(tmp_path):
    with pytest.raises(DataError, match=r"no such file, folder or glob: .*missing\.jsonl"):
        find_files([tmp_path / "missing.jsonl"])


def test_a_glob_without_matches_is_named_in_the_error(tree):
    with pytest.raises(DataError, match=r"\*\.parquet"):
        find_files([f"{tree}/*.parquet"])


def test_a_glob_that_finds_only_other_formats_is_an_error(tree):
    with pytest.raises(DataError, match=r"\*\.md"):
        find_files([f"{tree}/sub/*.md"])


def test_a_folder_without_article_files_states_the_formats(tmp_path):
    with pytest.raises(DataError, match=r"no article files in folder .*: expected \.jsonl, .*\.htm"):
        find_files([tmp_path])


def test_a_file_of_another_format_states_the_formats(tree):
    with pytest.raises(DataError, match=r"cannot read .*notes\.md: expected a file ending in \.jsonl"):
        find_files([tree / "sub" / "notes.md"])


def test_a_name_too_long_for_the_system_is_an_error_of_the_user():
    with pytest.raises(DataError, match="no such file"):
        find_files(["Polisi menangkap perekrut. " * 200])


def test_the_formats_are_those_of_the_readme():
    assert SUFFIXES == (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".parquet", ".txt", ".html", ".htm")
