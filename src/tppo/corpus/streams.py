"""Open files of any compression and read them in lines of bounded length."""

from __future__ import annotations

import contextlib
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, AnyStr

__all__ = ["MAX_ROW_BYTES", "bounded_lines", "detect_encoding", "open_bytes"]

# The most that one row, cell or one-article file may take; what is longer is passed over in pieces.
MAX_ROW_BYTES = 32 * 1024 * 1024


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading; ``.gz`` and ``.zst`` are decompressed on the way."""
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as stream:
            yield stream  # type: ignore[misc]  # to typeshed a GzipFile is no IO[bytes]
    elif path.suffix.lower() == ".zst":
        import pyarrow as pa

        # Not python-zstandard's stream_reader: it takes a truncated file for a whole one.
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as zst:
            yield io.BufferedReader(zst)
    else:
        with path.open("rb") as stream:
            yield stream


def bounded_lines(stream: IO[AnyStr], limit: int) -> Iterator[AnyStr | None]:
    """Yield the lines of a stream of bytes or text; None stands for one over the limit, skipped in pieces.

    Parameters
    ----------
    stream : file
        Opened for reading.
    limit : int
        Longest line in bytes or characters, its end included.
    """
    while line := stream.readline(limit):
        if len(line) == limit and not _ended(line):
            while (rest := stream.readline(limit)) and not _ended(rest):
                pass
            yield None
        else:
            yield line


def _ended(line: str | bytes) -> bool:
    return line.endswith("\n") if isinstance(line, str) else line.endswith(b"\n")


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
