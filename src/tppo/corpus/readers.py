"""Read articles from files of any supported format, one at a time; bad rows come out as `Rejected`, never lost."""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tppo.corpus.article import COLUMNS, SNIPPET, Article, Limits, Rejected, admit_row
from tppo.corpus.csv_rows import read_csv
from tppo.corpus.streams import MAX_ROW_BYTES, bounded_lines, detect_encoding, open_bytes
from tppo.errors import DataError

__all__ = ["SUFFIXES", "count_rows", "find_files", "read_articles", "read_rows", "repeated"]

# One entry of a file: where it stands, and its row or the reason there is none.
Entry = tuple[str, Mapping[str, Any] | str]


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
    seen: set[str] = set()
    for source, outcome in read_rows(paths, limits=limits):
        if isinstance(outcome, Rejected):
            yield outcome
        elif outcome.id in seen:
            yield repeated(source, outcome)
        else:
            seen.add(outcome.id)
            yield outcome


def count_rows(path: Path) -> int:
    """Return the number of rows that `read_rows` yields for a file, good and bad."""
    return 1 if _suffix(path) in _ONE_ARTICLE else sum(1 for _ in _entries(path))


def repeated(source: str, article: Article) -> Rejected:
    """Return the rejection of an article whose id an earlier one had."""
    return Rejected(source, f"duplicate id {article.id!r}", article.id, article.text[:SNIPPET])


def read_rows(
    paths: Iterable[Path], *, limits: Limits | None = None, skip: int = 0
) -> Iterator[tuple[str, Article | Rejected]]:
    """Read article files as a stream, without comparing ids.

    Parameters
    ----------
    paths, limits
        As `read_articles` takes them.
    skip : int
        Rows that are passed over at the beginning, bad ones included.

    Yields
    ------
    (str, Article or Rejected)
        Where a row stands, and what it is.
    """
    limits = limits or Limits()
    for path, source, row in islice(_all_entries(paths), skip, None):
        yield source, _admit(source, row, path, limits)


def _all_entries(paths: Iterable[Path]) -> Iterator[tuple[Path, str, Mapping[str, Any] | str]]:
    for path in paths:
        for source, row in _entries(path):
            yield path, source, row


def _admit(source: str, row: Mapping[str, Any] | str, path: Path, limits: Limits) -> Article | Rejected:
    if isinstance(row, str):
        return Rejected(source, row)
    return admit_row(row, source=source, limits=limits, default_id=path.stem if _suffix(path) in _ONE_ARTICLE else None)


def _entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of one file; a file that breaks off part-way keeps the rows before the break."""
    try:
        yield from _READERS[_suffix(path)](path)
    except Exception as error:  # any reader's own error: a damaged file must not stop the others
        yield str(path), f"cannot read file: {type(error).__name__}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _suffix(path: Path) -> str:
    """Return the lower-case suffix that says how a file is read, compression included (``.jsonl.gz``)."""
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in {".gz", ".zst"}:
        return "".join(suffixes)
    return suffixes[-1] if suffixes else ""


def _read_jsonl(path: Path) -> Iterator[Entry]:
    """Yield the rows of JSON lines; a broken line is a reason, not the end."""
    with open_bytes(path) as stream:
        for number, raw in enumerate(bounded_lines(stream, MAX_ROW_BYTES), 1):
            source = f"{path}:{number}"
            if raw is None:
                yield source, f"line is too long: at most {MAX_ROW_BYTES:,} bytes"
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


def _read_parquet(path: Path) -> Iterator[Entry]:
    """Yield the rows of a Parquet file; of a damaged row group, a reason per row."""
    import pyarrow.parquet as pq

    # Streaming, not the default of holding a whole row group: one may be as large as the file.
    file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1024 * 1024, page_checksum_verification=True)
    names = file.schema_arrow.names
    if "text" not in names:
        yield str(path), f"no column 'text'; columns: {', '.join(names) or 'none'}"
        return
    first = 0
    for group in range(file.num_row_groups):
        meta, number = file.metadata.row_group(group), first
        size = min(256, max(1, MAX_ROW_BYTES * meta.num_rows // max(1, meta.total_byte_size)))
        try:
            wanted = [name for name in COLUMNS if name in names]
            for batch in file.iter_batches(batch_size=size, row_groups=[group], columns=wanted):
                for row in _parquet_rows(batch):
                    number += 1
                    yield f"{path}:{number}", row
        except (OSError, ValueError, MemoryError) as error:  # Arrow's own errors are kinds of these
            reason = f"damaged row group {group}: {_first_line(error)}"
            for lost in range(number, first + meta.num_rows):
                yield f"{path}:{lost + 1}", reason
        first += meta.num_rows


def _parquet_rows(batch: Any) -> Iterable[Mapping[str, Any] | str]:
    """Return the rows of a batch; one at a time where a text is not UTF-8 or too long to be made a string."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = batch.column("text")
    if pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type):
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        if longest > MAX_ROW_BYTES:
            return [_parquet_row(batch.slice(number, 1)) for number in range(batch.num_rows)]
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        return [_parquet_row(batch.slice(number, 1)) for number in range(batch.num_rows)]


def _parquet_row(row: Any) -> Mapping[str, Any] | str:
    """Return one row, or why it cannot be used."""
    if (size := row.nbytes) > MAX_ROW_BYTES:
        return f"row is too long: at most {MAX_ROW_BYTES:,} bytes, got {size:,}"
    try:
        return dict(row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return f"wrong encoding: Parquet text is UTF-8, got byte {error.object[error.start]:#04x} at {error.start}"


def _read_text(path: Path) -> Iterator[Entry]:
    """Yield a text file as one row."""
    if (size := path.stat().st_size) > MAX_ROW_BYTES:
        yield str(path), _too_large(size)
        return
    data = path.read_bytes()
    encoding = detect_encoding(data)
    if encoding is None:
        yield str(path), "wrong encoding: neither UTF-8 nor a known text encoding"
        return
    yield str(path), {"text": data.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")}


def _too_large(size: int) -> str:
    return f"file is too large for one article: at most {MAX_ROW_BYTES:,} bytes, got {size:,}"


def _read_html(path: Path) -> Iterator[Entry]:
    """Yield a web page as one row: its article, without what stands around it."""
    import trafilatura

    if (size := path.stat().st_size) > MAX_ROW_BYTES:
        yield str(path), _too_large(size)
        return
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
    ".csv": read_csv,
    ".parquet": _read_parquet,
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
}
_ONE_ARTICLE: Sequence[str] = (".txt", ".html", ".htm")
SUFFIXES: tuple[str, ...] = tuple(_READERS)
