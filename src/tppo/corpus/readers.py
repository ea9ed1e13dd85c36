"""Read articles from files of any supported format, one at a time; bad rows come out as `Rejected`, never lost."""

from __future__ import annotations

import contextlib
import csv
import glob
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tppo.corpus.article import SNIPPET, Article, Limits, Rejected, admit_row
from tppo.errors import DataError

__all__ = ["SUFFIXES", "detect_encoding", "find_files", "read_articles"]

# One entry of a file: where it stands, and its row or the reason there is none.
Entry = tuple[str, Mapping[str, Any] | str]

_MAX_LINE_BYTES = 32 * 1024 * 1024
csv.field_size_limit(_MAX_LINE_BYTES)


def find_files(inputs: Iterable[str | Path]) -> list[Path]:
    """Resolve files, folders (searched recursively) and globs to article files.

    Returns
    -------
    list of Path
        In the order of `inputs`, sorted within each, without repeats.

    Raises
    ------
    DataError
        If an input matches nothing or a file's format is not supported.
    """
    found: dict[Path, None] = {}
    for item in inputs:
        path = Path(item)
        try:
            path.stat()
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise DataError(f"no such file, folder or glob: {str(item)[:100]!r}: {error.__class__.__name__}") from None
        if path.is_dir():
            matches = sorted(p for p in path.rglob("*") if p.is_file() and _suffix(p) in _READERS)
            if not matches:
                raise DataError(f"no article files in folder {path}: expected {', '.join(SUFFIXES)}")
        elif path.exists():
            if _suffix(path) not in _READERS:
                raise DataError(f"cannot read {path}: expected a file ending in {', '.join(SUFFIXES)}")
            matches = [path]
        else:
            matches = sorted(Path(p) for p in glob.glob(str(item), recursive=True))  # noqa: PTH207 (absolute patterns)
            matches = [p for p in matches if p.is_file() and _suffix(p) in _READERS]
            if not matches:
                raise DataError(f"no such file, folder or glob: {item}")
        found.update(dict.fromkeys(matches))
    return list(found)


def read_articles(paths: Iterable[Path], *, limits: Limits | None = None) -> Iterator[Article | Rejected]:
    """Read article files as a stream.

    Parameters
    ----------
    paths : iterable of Path
        Files as `find_files` returns them.
    limits : Limits, optional
        Longest body and valid label keys.

    Yields
    ------
    Article or Rejected
        One per row of the input, in order. A repeated id is rejected the second time.
    """
    limits = limits or Limits()
    seen: set[str] = set()
    for path in paths:
        for source, row in _entries(path):
            outcome = _admit(source, row, path, limits)
            if isinstance(outcome, Article):
                if outcome.id in seen:
                    outcome = Rejected(source, f"duplicate id {outcome.id!r}", outcome.id, outcome.text[:SNIPPET])
                else:
                    seen.add(outcome.id)
            yield outcome


def _admit(source: str, row: Mapping[str, Any] | str, path: Path, limits: Limits) -> Article | Rejected:
    if isinstance(row, str):
        return Rejected(source, row)
    return admit_row(row, source=source, limits=limits, default_id=path.stem if _suffix(path) in _ONE_ARTICLE else None)


def _entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of one file; a file that breaks off part-way keeps the rows before the break."""
    try:
        yield from _READERS[_suffix(path)](path)
    except Exception as error:  # any reader's own error: a damaged file must not stop the others
        yield (
            str(path),
            f"cannot read file: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        )


def _suffix(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in {".gz", ".zst"}:
        return "".join(suffixes)
    return suffixes[-1] if suffixes else ""


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as stream:
            yield stream  # type: ignore[misc]
    elif path.suffix.lower() == ".zst":
        import pyarrow as pa

        # Not python-zstandard's stream_reader: it takes a truncated file for a whole one.
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as zst:
            yield io.BufferedReader(zst)
    else:
        with path.open("rb") as stream:
            yield stream


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines; None stands for a line over the limit, which is skipped in pieces."""
    while line := stream.readline(_MAX_LINE_BYTES):
        if len(line) == _MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None
        else:
            yield line


def _read_jsonl(path: Path) -> Iterator[Entry]:
    with _open(path) as stream:
        for number, raw in enumerate(_lines(stream), 1):
            source = f"{path}:{number}"
            if raw is None:
                yield source, f"line is too long: at most {_MAX_LINE_BYTES:,} bytes"
                continue
            if not raw.strip(b"\xef\xbb\xbf \t\r\n"):
                continue
            try:
                row = json.loads(raw.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                yield (
                    source,
                    f"wrong encoding: JSONL is UTF-8, got byte {raw[error.start]:#04x} at {error.start}",
                )
            except (ValueError, RecursionError) as error:
                yield source, f"broken JSON: {error}; line begins {raw[:60]!r}"
            else:
                yield (
                    source,
                    row if isinstance(row, dict) else f"expected a JSON object, got {type(row).__name__}",
                )


def _read_csv(path: Path) -> Iterator[Entry]:
    found = _csv_format(path)
    if isinstance(found, str):
        yield str(path), found
        return
    encoding, dialect = found
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as stream:
        consumed: list[str] = []
        reader = csv.DictReader(_recorded(stream, consumed), dialect=dialect)
        if "text" not in (reader.fieldnames or []):
            yield str(path), f"no column 'text'; columns: {', '.join(reader.fieldnames or []) or 'none'}"
            return
        consumed.clear()
        for row in reader:
            source = f"{path}:{reader.line_num}"
            first, n_lines, n_quotes = consumed[0], len(consumed), sum(line.count('"') for line in consumed)
            consumed.clear()
            if n_lines > 1 and n_quotes % 2:
                yield source, f"a quote is opened and never closed; {n_lines} lines, beginning {first[:60]!r}"
            elif None in row:
                yield source, f"row has more cells than the header's {len(reader.fieldnames or [])}"
            else:
                yield source, row


def _recorded(stream: IO[str], consumed: list[str]) -> Iterator[str]:
    """Yield the lines of a stream, keeping those since `consumed` was last cleared."""
    for line in stream:
        consumed.append(line)
        yield line


def _csv_format(path: Path) -> tuple[str, type[csv.Dialect]] | str:
    with path.open("rb") as stream:
        head = stream.read(256 * 1024)
    encoding = detect_encoding(head, whole=len(head) < 256 * 1024)
    if encoding is None:
        return "wrong encoding: neither UTF-8 nor a known text encoding"
    first = head.decode(encoding, "replace").splitlines()[:1] or [""]
    delimiter = max(",;\t", key=first[0].count)

    class Dialect(csv.excel):
        pass

    Dialect.delimiter = delimiter
    return encoding, Dialect


def detect_encoding(data: bytes, *, whole: bool = True) -> str | None:
    """Return the encoding of `data`: UTF-8 (with or without BOM), UTF-16 by BOM, else charset-normalizer's best guess.

    Parameters
    ----------
    data : bytes
        The file, or its beginning.
    whole : bool
        False if `data` may break off inside a character.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A text of another encoding holds next to no valid UTF-8 sequence; one with a few bad bytes is UTF-8.
        decoded = data.decode("utf-8", "surrogateescape")
        bad = sum("\udc80" <= char <= "\udcff" for char in decoded)
        if 2 * bad > sum(char > "\x7f" for char in decoded) and (whole or error.start < len(data) - 4):
            from charset_normalizer import from_bytes

            best = from_bytes(data).best()
            return best.encoding if best is not None else None
    return "utf-8-sig"


def _read_parquet(path: Path) -> Iterator[Entry]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    if "text" not in names:
        yield str(path), f"no column 'text'; columns: {', '.join(names) or 'none'}"
        return
    number = 0
    for batch in file.iter_batches(batch_size=256):
        for row in _parquet_rows(batch):
            number += 1
            yield f"{path}:{number}", row


def _parquet_rows(batch: Any) -> Iterable[Mapping[str, Any] | str]:
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:  # one bad text: read row by row
        return [_parquet_row(batch.slice(number, 1)) for number in range(batch.num_rows)]


def _parquet_row(row: Any) -> Mapping[str, Any] | str:
    try:
        return dict(row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return f"wrong encoding: Parquet text is UTF-8, got byte {error.object[error.start]:#04x} at {error.start}"


def _read_text(path: Path) -> Iterator[Entry]:
    data = path.read_bytes()
    encoding = detect_encoding(data)
    if encoding is None:
        yield str(path), "wrong encoding: neither UTF-8 nor a known text encoding"
        return
    yield str(path), {"text": data.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")}


def _read_html(path: Path) -> Iterator[Entry]:
    import trafilatura

    data = path.read_bytes()
    found = trafilatura.bare_extraction(data, include_comments=False, favor_recall=True, with_metadata=True)
    fields = found.as_dict() if found is not None else {}
    if not (fields.get("text") or "").strip():
        yield str(path), f"no article text found in the HTML ({len(data):,} bytes)"
        return
    yield (
        str(path),
        {
            "text": fields["text"],
            "title": fields.get("title"),
            "url": fields.get("url"),
            "outlet": fields.get("sitename"),
            "published_at": fields.get("date"),
        },
    )


_READERS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    ".jsonl": _read_jsonl,
    ".jsonl.gz": _read_jsonl,
    ".jsonl.zst": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
}
_ONE_ARTICLE: Sequence[str] = (".txt", ".html", ".htm")
SUFFIXES: tuple[str, ...] = tuple(_READERS)
