"""What a job remembers of the articles before: ids, texts and copies, kept on disk to bound memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tppo.errors import DataError
from tppo.labelling.copies import same_text

__all__ = ["Index", "open_index"]

_CACHE_KB = 4 * 1024
_TABLES = """
CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (key INTEGER PRIMARY KEY, row INTEGER);
CREATE TABLE IF NOT EXISTS articles (row INTEGER PRIMARY KEY, story TEXT, signature BLOB, labels TEXT);
"""


class Index:
    """Ids, texts and stories by the number of the input row they came with.

    Parameters
    ----------
    connection : sqlite3.Connection
        A database of its own.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.executescript(_TABLES)

    def forget_from(self, row: int) -> None:
        """Drop what came with input row number `row` or later: it will be read again."""
        for table in ("seen", "marks", "articles"):
            self._db.execute(f"DELETE FROM {table} WHERE row >= ?", (row,))
        self._db.commit()

    def commit(self) -> None:
        """Make what was noted so far outlast the process."""
        self._db.commit()

    def is_new(self, identifier: str, row: int) -> bool:
        """Take note of an id; False if an earlier row had it."""
        return self._first_row(b"id", identifier, row) == row

    def first_with_text(self, text: str, row: int) -> int:
        """Take note of a text, to the letter, and return the first row that had it."""
        return self._first_row(b"text", text, row)

    def _first_row(self, kind: bytes, value: str, row: int) -> int:
        """Return the first row with this value, and remember `row` if there was none."""
        key = blake2b(value.encode(), digest_size=16, person=kind).digest()
        if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, row)).rowcount:
            return row
        return int(self._db.execute("SELECT row FROM seen WHERE key = ?", (key,)).fetchone()[0])

    def story_of(self, keys: tuple[int, ...], signature: bytes) -> tuple[int, str] | None:
        """Return row and name of the first article of which one with these marks is a copy, if there is any."""
        for n, key in enumerate(keys):
            found = self._db.execute(
                "SELECT row, story, signature FROM marks JOIN articles USING (row) WHERE key = ?", (key,)
            ).fetchone()
            if found is not None and (n == 0 or same_text(found[2], signature)):
                return int(found[0]), str(found[1])
        return None

    def add_story(self, row: int, name: str, keys: tuple[int, ...], signature: bytes) -> None:
        """Take note of an article that is no copy."""
        self._db.execute("INSERT OR IGNORE INTO articles VALUES (?, ?, ?, NULL)", (row, name, signature))
        self._db.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?)", [(key, row) for key in keys])

    def add_labels(self, row: int, labels: Mapping[str, Any]) -> None:
        """Take note of what an article was given."""
        self._db.execute(
            "INSERT INTO articles VALUES (?, NULL, NULL, ?) ON CONFLICT (row) DO UPDATE SET labels = excluded.labels",
            (row, json.dumps(labels, ensure_ascii=False)),
        )

    def labels_of(self, row: int) -> dict[str, Any]:
        """Return what `add_labels` noted."""
        found = self._db.execute("SELECT labels FROM articles WHERE row = ?", (row,)).fetchone()
        return dict(json.loads(found[0]))


@contextmanager
def open_index(path: Path) -> Iterator[Index]:
    """Open the index of a job, or make it.

    Raises
    ------
    DataError
        If the file cannot be written or is damaged.
    """
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=1)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        yield Index(connection)
        connection.commit()
    except sqlite3.Error as error:
        raise DataError(f"cannot use {path}: {error}; mend this and give the same command again") from None
    finally:
        if connection is not None:
            connection.close()
