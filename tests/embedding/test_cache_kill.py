"""The cache while processes write at once and are killed: no wrong vector, and it opens again."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from digest_encoder import DigestEncoder, encode_through_cache

from tppo.embedding import CachedEncoder

pytestmark = pytest.mark.slow

# Forked from a server that has the imports: starting a process costs milliseconds, so a kill meets work, not imports.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["digest_encoder", "tppo.embedding"])


def write_for_ever(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    while True:
        texts = [f"berita {rng.randrange(2000)}" for _ in range(rng.randrange(1, 200))]
        CachedEncoder(DigestEncoder(), path, max_bytes=120_000).encode(texts)


def check(path: Path) -> int:
    """Ask for every text and return how many were found; each vector must be right."""
    texts = [f"berita {number}" for number in range(2000)]
    cached = CachedEncoder(DigestEncoder(), path, max_bytes=120_000)
    np.testing.assert_array_equal(cached.encode(texts), DigestEncoder().encode(texts))
    return cached.hits


def test_eight_processes_write_at_once(tmp_path):
    path = tmp_path / "cache.db"
    with CONTEXT.Pool(8) as pool:
        right = pool.starmap(encode_through_cache, [(path, 20 * number) for number in range(8)], chunksize=1)
    assert right == [True] * 8


def test_twenty_kills_at_random_moments_leave_no_wrong_vector(tmp_path):
    path = tmp_path / "cache.db"
    rng = random.Random(0)
    found = []
    for round_ in range(20):
        writers = [CONTEXT.Process(target=write_for_ever, args=(path, 100 * round_ + n)) for n in range(2)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + 20
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.05, 0.5))
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(10)
            assert writer.exitcode == -signal.SIGKILL
        found.append(check(path))
    assert max(found) > 0
