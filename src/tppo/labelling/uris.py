"""Input files of a cluster job: paths that every node sees, or URIs of any filesystem that pyarrow knows."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from tppo.corpus import Article, Limits, find_files
from tppo.corpus.article import SNIPPET
from tppo.corpus.readers import SUFFIXES, count_rows, read_rows
from tppo.errors import DataError
from tppo.labelling.inputs import MAX_CHARS, is_watched
from tppo.tracking import without_secrets

__all__ = ["ClusterFile", "Stretch", "describe", "find_inputs", "read_stretch", "row_schema"]

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class ClusterFile:
    """A file as it was when the job began.

    Parameters
    ----------
    uri : str
        Path, or URI with its scheme.
    size : int
        Bytes.
    stamp : str
        Modification time as the filesystem tells it.
    digest : str
        SHA-256 of the content.
    n_rows : int
        Rows, good and bad.
    """

    uri: str
    size: int
    stamp: str
    digest: str
    n_rows: int

    @property
    def path(self) -> str:
        """Path or URI without secrets, as it stands in the manifest."""
        return without_secrets(self.uri)

    def check(self) -> None:
        """Hold the file against what it was.

        Raises
        ------
        DataError
            If it was changed.
        """
        if _state(self.uri) != (self.size, self.stamp):
            raise DataError(f"{self.path} was changed while it was labelled: label it again with --fresh")


@dataclass(frozen=True)
class Stretch:
    """What one reading task reads: the rows of a file from some row on.

    Parameters
    ----------
    uri : str
        The file.
    first : int
        Number that its first row has in the job, from 0.
    skip : int
        Rows of it that were done before.
    """

    uri: str
    first: int
    skip: int


def find_inputs(inputs: Iterable[str | Path]) -> list[str]:
    """Resolve paths, folders and globs as `find_files` does, and URIs of files and folders.

    Returns
    -------
    list of str
        Absolute paths and URIs, in the order of `inputs`, sorted within each, without repeats.

    Raises
    ------
    DataError
        If an input matches nothing, or a filesystem is not known or does not answer.
    """
    found: dict[str, None] = {}
    for item in inputs:
        names = _find_uris(str(item)) if "://" in str(item) else [str(p) for p in find_files([item])]
        found.update(dict.fromkeys(names))
    return list(found)


def _find_uris(uri: str) -> list[str]:
    """Return the URIs of the files that a URI stands for."""
    from pyarrow import fs

    filesystem, path = _open(uri)
    state = filesystem.get_file_info(path)
    if state.type == fs.FileType.File:
        if not path.lower().endswith(SUFFIXES):
            raise DataError(f"cannot read {without_secrets(uri)}: expected a file ending in {', '.join(SUFFIXES)}")
        return [uri]
    if state.type != fs.FileType.Directory:
        raise DataError(f"no such file or folder: {without_secrets(uri)}")
    inside = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    names = sorted(f.path for f in inside if f.type == fs.FileType.File and f.path.lower().endswith(SUFFIXES))
    if not names:
        raise DataError(f"no article files in folder {without_secrets(uri)}: expected {', '.join(SUFFIXES)}")
    folder, mark, options = uri.partition("?")
    return [folder.rstrip("/") + quote(name.removeprefix(path.rstrip("/"))) + mark + options for name in names]


def _open(uri: str) -> tuple[Any, str]:
    """Return the filesystem of a URI, and the path in it."""
    import pyarrow as pa
    from pyarrow import fs

    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
        filesystem.get_file_info(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = without_secrets(str(error).splitlines()[0])
        raise DataError(f"cannot open {without_secrets(uri)}: {reason}") from None
    return filesystem, path


def _state(uri: str) -> tuple[int, str]:
    """Return size and time of change of a file or URI."""
    if "://" in uri:
        filesystem, path = _open(uri)
        state = filesystem.get_file_info(path)
        return int(state.size or 0), str(state.mtime_ns)
    if not Path(uri).exists():
        return 0, "missing"
    here = Path(uri).stat()
    return here.st_size, str(here.st_mtime_ns)


@contextmanager
def _local(uri: str) -> Iterator[Path]:
    """Give a file as a local one: a URI's is copied to this node, which no reader of a format has to know."""
    if "://" not in uri:
        yield Path(uri)
        return
    filesystem, path = _open(uri)
    with tempfile.TemporaryDirectory(prefix="tppo-") as folder:
        copy = Path(folder) / PurePosixPath(path).name
        with filesystem.open_input_stream(path, compression=None) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        yield copy


def describe(uri: str) -> ClusterFile:
    """Read a file once for its digest and the number of its rows."""
    size, stamp = _state(uri)
    with _local(uri) as path:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return ClusterFile(uri, size, stamp, digest, count_rows(path))


def row_schema() -> Any:
    """Return the Arrow schema of rows as `read_stretch` gives them.

    ``row``: number in the job; ``source``: where it stands; ``reason``: why it is no article, else null; ``snippet``:
    how its text begins; ``id``, ``text`` and ``group`` of an article; ``watch``: whether it is watched for drift.
    """
    import pyarrow as pa

    text = pa.string()
    columns = {"row": pa.int64(), "source": text, "reason": text, "snippet": text}
    return pa.schema([*columns.items(), ("id", text), ("text", text), ("group", text), ("watch", pa.bool_())])


def read_stretch(stretch: Stretch, *, max_chars: int, size: int) -> Iterator[Any]:
    """Yield the rows of a stretch as tables of `row_schema`, each of at most `size` rows.

    Parameters
    ----------
    stretch : Stretch
        What to read.
    max_chars : int
        Longer bodies are rejected.
    size : int
        Most rows in a table; fewer where the articles are long.
    """
    with _local(stretch.uri) as path:
        rows: list[dict[str, Any]] = []
        n_chars = 0
        entries = read_rows([path], limits=Limits(max_chars=max_chars), skip=stretch.skip)
        for number, (source, outcome) in enumerate(entries, stretch.first + stretch.skip):
            place = without_secrets(stretch.uri) + source.removeprefix(str(path))
            row: dict[str, Any] = {"row": number, "source": place, "id": outcome.id}
            if isinstance(outcome, Article):
                row |= {"text": outcome.text, "group": outcome.group, "snippet": outcome.text[:SNIPPET]}
                row["watch"] = is_watched(number)
                n_chars += len(outcome.text)
            else:
                row |= {f: _writable(getattr(outcome, f)) for f in ("id", "reason", "snippet")}
            rows.append(row)
            if len(rows) == size or n_chars > MAX_CHARS:
                yield _table(rows)
                rows, n_chars = [], 0
        if rows:
            yield _table(rows)


def _writable(value: str | None) -> str | None:
    return value and value.encode("utf-8", "backslashreplace").decode("utf-8")


def _table(rows: Sequence[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(list(rows), schema=row_schema())
