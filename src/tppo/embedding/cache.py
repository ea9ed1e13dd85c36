"""An on-disk cache of vectors, keyed by encoder fingerprint and text, safe with several processes and after a kill."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from tppo.embedding.base import Encoder, FloatMatrix, IntVector
from tppo.errors import DataError

__all__ = ["CachedEncoder"]


class CachedEncoder:
    """An encoder that remembers its vectors in an SQLite file.

    Each vector is stored with a checksum in one transaction, so that a reader sees it whole or not at all.

    Parameters
    ----------
    encoder : Encoder
        What computes the vectors that are not there.
    path : Path
        The cache file; made with its folder when missing.
    max_bytes : int
        Size above which the vectors stored first are removed.
    """

    def __init__(self, encoder: Encoder, path: Path, *, max_bytes: int = 2_000_000_000) -> None:
        self.encoder = encoder
        self.path = path
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0

    @property
    def fingerprint(self) -> str:
        """The wrapped encoder's."""
        return self.encoder.fingerprint

    @property
    def max_tokens(self) -> int | None:
        """The wrapped encoder's."""
        return self.encoder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> IntVector:
        """The wrapped encoder's."""
        return self.encoder.count_tokens(texts)

    def save(self, folder: Path) -> None:
        """Write the wrapped encoder; the cache is not part of it."""
        self.encoder.save(folder)

    @property
    def hit_rate(self) -> float:
        """Share of the texts asked for so far that were found, in [0, 1]; 0 before the first."""
        return self.hits / max(1, self.hits + self.misses)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the vectors of `texts`, computing only those not stored; shape (n_texts, dimension), float32."""
        try:
            return self._encode(texts)
        except sqlite3.DatabaseError as error:
            raise DataError(f"cannot use embedding cache {self.path}: {error}; delete it to start a new one") from None

    def _encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Take known vectors from the cache, encode the other texts, each once, and keep their vectors."""
        keys = [self._key(text) for text in texts]
        with closing(self._connect()) as db:
            found = self._read(db, keys)
            missing = {key: text for key, text in zip(keys, texts) if key not in found}
            self.hits += len(texts) - len(missing)
            self.misses += len(missing)
            if missing:
                fresh = self.encoder.encode(list(missing.values()))
                new = dict(zip(missing, fresh))
                self._write(db, new)
                found.update(new)
        if not texts:
            return self.encoder.encode([])
        return np.stack([found[key] for key in keys])

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _connect(self) -> sqlite3.Connection:
        """Open the cache, made if it is not there; several processes may."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        with suppress(sqlite3.OperationalError):  # does not wait for a lock; a cache without WAL is only slower
            db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, sum BLOB NOT NULL, vector BLOB NOT NULL)")
        return db

    @staticmethod
    def _read(db: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, FloatMatrix]:
        """Return the vectors found, without damaged ones."""
        found = {}
        unique = list(dict.fromkeys(keys))
        for first in range(0, len(unique), 500):
            part = unique[first : first + 500]
            marks = ",".join("?" * len(part))
            for key, checksum, data in db.execute(f"SELECT key, sum, vector FROM vectors WHERE key IN ({marks})", part):
                if _checksum(key, data) == checksum:
                    found[key] = np.frombuffer(data, dtype=np.float32)
        return found

    def _write(self, db: sqlite3.Connection, vectors: dict[bytes, FloatMatrix]) -> None:
        """Keep vectors, and drop the oldest where the cache is full."""
        rows = []
        for key, vector in vectors.items():
            data = np.ascontiguousarray(vector, dtype=np.float32).tobytes()
            rows.append((key, _checksum(key, data), data))
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        self._evict(db, row_bytes=len(rows[0][2]) + 120)
        db.execute("COMMIT")

    def _evict(self, db: sqlite3.Connection, row_bytes: int) -> None:
        """Drop the rows that came first until the size fits."""
        (first, last) = db.execute("SELECT min(rowid), max(rowid) FROM vectors").fetchone()
        surplus = (last - first + 1) - max(1, self.max_bytes // row_bytes)
        if surplus > 0:
            db.execute("DELETE FROM vectors WHERE rowid < ?", (first + surplus,))


def _checksum(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, key=key, digest_size=8).digest()
