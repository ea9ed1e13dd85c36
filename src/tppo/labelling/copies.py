"""Marks by which copies of an article are known again: a digest of its clean text, and a MinHash of its word runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tppo.corpus.syndication import shingle_hashes

__all__ = ["ROWS", "Marks", "marks_of", "same_text"]

BANDS, ROWS = 4, 6
_SHINGLE = 4
_LEAST_SHINGLES = 20
_AGREE = 0.75
_FACTORS = np.random.default_rng(0).integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_WORD = re.compile(r"\w+")
_MOST_WORDS = 50_000


class _Numbers(dict[str, int]):
    """Words to numbers that are the same in every process, remembered: news says the same words over and over."""

    def __missing__(self, word: str) -> int:
        if len(self) > _MOST_WORDS:
            self.clear()
        self[word] = number = crc32(word.encode())
        return number


_numbers = _Numbers()


@dataclass(frozen=True)
class Marks:
    """Marks of a batch of articles.

    Parameters
    ----------
    keys : list of tuple of int
        Signed 64-bit keys per article: of the whole text, then one per band. Articles that share the first are the same
        but for case and blanks; those that share another are compared by `same_text`. Empty for an empty text.
    signatures : list of bytes
        One byte per hash function; empty for a text of fewer than 20 word runs, which only equals its like.
    """

    keys: list[tuple[int, ...]]
    signatures: list[bytes]


def marks_of(texts: Sequence[str]) -> Marks:
    """Return the marks of clean texts.

    Four bands of six values find nine in ten of the pairs that share nine in ten of their four-word runs, and one in
    sixteen of those that share half, which `same_text` then tells apart.
    """
    keys: list[tuple[int, ...]] = []
    signatures: list[bytes] = []
    for text in texts:
        words = _WORD.findall(text.casefold())
        digest = int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "big", signed=True)
        hashed = np.fromiter(map(_numbers.__getitem__, words), dtype=np.uint64, count=len(words))
        runs = shingle_hashes(hashed, _SHINGLE)
        if len(runs) < _LEAST_SHINGLES:
            keys.append((digest,) if words else ())
            signatures.append(b"")
            continue
        # Multiplying by an odd number permutes the 64-bit integers; the high bits mix best.
        lowest: NDArray[np.uint64] = (_FACTORS[:, None] * runs).min(axis=1)
        bands = (
            int.from_bytes(blake2b(bytes([n]) + band.tobytes(), digest_size=8).digest(), "big", signed=True)
            for n, band in enumerate(lowest.reshape(BANDS, ROWS))
        )
        keys.append((digest, *bands))
        signatures.append(((lowest >> np.uint64(20)) & np.uint64(255)).astype(np.uint8).tobytes())
    return Marks(keys, signatures)


def same_text(left: bytes, right: bytes) -> bool:
    """Tell whether two signatures agree in three of four values: about that share of the word runs is common."""
    if not left or len(left) != len(right):
        return False
    return sum(a == b for a, b in zip(left, right)) >= _AGREE * len(left)
