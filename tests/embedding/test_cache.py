"""The cache returns what the encoder would, whatever happens to its file."""

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from digest_encoder import DigestEncoder, encode_through_cache
from hypothesis import given, settings
from hypothesis import strategies as st

from tppo.embedding import CachedEncoder
from tppo.errors import TppoError

TEXTS = ["Polisi.", "Korban.", "Pulang."]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cache.db"


def execute(path: Path, statement: str, *values: object) -> list[tuple]:
    db = sqlite3.connect(path)
    with db:
        rows = db.execute(statement, values).fetchall()
    db.close()
    return rows


def stored_bytes(path: Path) -> int:
    return execute(path, "SELECT coalesce(sum(length(key) + length(sum) + length(vector)), 0) FROM vectors")[0][0]


def asked_for(path: Path, texts: list[str], **options: int) -> list[str]:
    """Return which of the texts the encoder had to compute."""
    encoder = DigestEncoder()
    CachedEncoder(encoder, path, **options).encode(texts)
    return encoder.asked


# What comes back


def test_cached_vectors_equal_fresh_ones(path):
    CachedEncoder(DigestEncoder(), path).encode(TEXTS)
    assert (CachedEncoder(DigestEncoder(), path).encode(TEXTS) == DigestEncoder().encode(TEXTS)).all()


@settings(max_examples=20)
@given(st.lists(st.lists(st.sampled_from("abcdefgh") | st.text(max_size=5), max_size=8), max_size=5))
def test_any_sequence_of_calls_returns_fresh_vectors(tmp_path_factory, calls):
    cached = CachedEncoder(DigestEncoder(), tmp_path_factory.mktemp("calls") / "cache.db")
    for texts in calls:
        np.testing.assert_array_equal(cached.encode(texts), DigestEncoder().encode(texts))


def test_vectors_come_in_the_order_of_the_texts(path):
    CachedEncoder(DigestEncoder(), path).encode(TEXTS[1:])
    assert (CachedEncoder(DigestEncoder(), path).encode(TEXTS) == DigestEncoder().encode(TEXTS)).all()


def test_a_text_that_comes_twice_is_computed_once(path):
    assert asked_for(path, ["a", "b", "a"]) == ["a", "b"]


def test_stored_texts_are_not_computed_again(path):
    asked_for(path, TEXTS[:2])
    assert asked_for(path, TEXTS) == TEXTS[2:]


def test_more_texts_than_a_query_holds_are_found(path):
    texts = [str(number) for number in range(1201)]
    asked_for(path, texts)
    assert asked_for(path, texts) == []


def test_no_texts_give_a_matrix_without_rows(path):
    assert CachedEncoder(DigestEncoder(), path).encode([]).shape == (0, 8)


def test_vectors_may_be_changed_by_the_caller(path):
    for _ in range(2):
        vectors = CachedEncoder(DigestEncoder(), path).encode(TEXTS)
        vectors += 1
        assert vectors.dtype == np.float32


# Fingerprints


def test_another_fingerprint_never_gets_the_vectors_of_the_first(path):
    CachedEncoder(DigestEncoder("one"), path).encode(TEXTS)
    found = CachedEncoder(DigestEncoder("two"), path).encode(TEXTS)
    assert (found == DigestEncoder("two").encode(TEXTS)).all()


def test_two_fingerprints_live_in_one_file(path):
    for _ in range(2):
        for fingerprint in ("one", "two"):
            encoder = DigestEncoder(fingerprint)
            CachedEncoder(encoder, path).encode(TEXTS)
    assert encoder.asked == []


def test_a_fingerprint_and_a_text_do_not_run_into_each_other(path):
    CachedEncoder(DigestEncoder("one"), path).encode(["1 text"])
    found = CachedEncoder(DigestEncoder("one1"), path).encode([" text"])
    assert (found == DigestEncoder("one1").encode([" text"])).all()


# Hit rate


def test_the_hit_rate_is_zero_before_the_first_text(path):
    assert CachedEncoder(DigestEncoder(), path).hit_rate == 0


def test_the_hit_rate_is_the_share_of_texts_found(path):
    cached = CachedEncoder(DigestEncoder(), path)
    cached.encode(TEXTS)
    cached.encode([*TEXTS, "Baru."])
    assert (cached.hits, cached.misses, cached.hit_rate) == (3, 4, 3 / 7)


# Damage


@pytest.mark.parametrize(
    "damage", ["vector = zeroblob(length(vector))", "vector = x''", "vector = substr(vector, 1, 8)", "sum = x'00'"]
)
def test_a_corrupted_row_is_computed_again(path, damage):
    asked_for(path, TEXTS)
    execute(path, f"UPDATE vectors SET {damage}")
    assert (CachedEncoder(DigestEncoder(), path).encode(TEXTS) == DigestEncoder().encode(TEXTS)).all()


def test_a_row_moved_to_another_key_is_computed_again(path):
    asked_for(path, TEXTS[:2])
    rows = execute(path, "SELECT sum, vector, rowid FROM vectors")
    execute(path, "UPDATE vectors SET sum = ?, vector = ? WHERE rowid = ?", *rows[0][:2], rows[1][2])
    assert (CachedEncoder(DigestEncoder(), path).encode(TEXTS) == DigestEncoder().encode(TEXTS)).all()


def test_a_corrupted_row_is_repaired(path):
    asked_for(path, TEXTS)
    execute(path, "UPDATE vectors SET vector = zeroblob(32)")
    asked_for(path, TEXTS)
    assert asked_for(path, TEXTS) == []


def test_an_encoder_that_breaks_off_leaves_the_stored_vectors(path):
    class Broken(DigestEncoder):
        def encode(self, texts):
            raise RuntimeError("out of memory")

    asked_for(path, TEXTS[:2])
    with pytest.raises(RuntimeError, match="out of memory"):
        CachedEncoder(Broken(), path).encode(TEXTS)
    assert asked_for(path, TEXTS) == TEXTS[2:]


def test_a_file_that_is_no_cache_is_an_error_of_the_user_that_names_it(path):
    path.parent.mkdir()
    path.write_bytes(b"bukan basis data" * 100)
    with pytest.raises(TppoError, match=r"cache\.db"):
        CachedEncoder(DigestEncoder(), path).encode(TEXTS)


# Size


def test_the_stored_vectors_stay_below_the_most_bytes(path):
    for number in range(60):
        asked_for(path, [f"{number} {i}" for i in range(10)], max_bytes=8_000)
        assert stored_bytes(path) <= 8_000


def test_the_file_stops_growing(path):
    sizes = []
    for number in range(40):
        asked_for(path, [f"{number} {i}" for i in range(50)], max_bytes=20_000)
        sizes.append(sum(file.stat().st_size for file in path.parent.iterdir()))
    assert max(sizes) <= 100_000
    assert sizes[-1] <= sizes[9]


def test_the_vectors_stored_first_are_removed_first(path):
    asked_for(path, [str(i) for i in range(50)], max_bytes=8_000)
    asked_for(path, [str(i) for i in range(50, 70)], max_bytes=8_000)
    assert asked_for(path, ["0", "69"], max_bytes=8_000) == ["0"]


def test_a_call_for_more_than_the_cache_holds_returns_every_vector(path):
    texts = [str(i) for i in range(200)]
    assert (CachedEncoder(DigestEncoder(), path, max_bytes=1_000).encode(texts) == DigestEncoder().encode(texts)).all()


def test_a_cache_too_small_for_a_vector_still_returns_it(path):
    assert (CachedEncoder(DigestEncoder(), path, max_bytes=0).encode(TEXTS) == DigestEncoder().encode(TEXTS)).all()


# Several at once


@pytest.mark.slow
def test_several_processes_write_at_once(path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        right = pool.starmap(encode_through_cache, [(path, 30 * number) for number in range(4)], chunksize=1)
    assert right == [True] * 4


@pytest.mark.slow
def test_what_several_processes_wrote_is_whole(path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(encode_through_cache, [(path, 30 * number) for number in range(4)], chunksize=1)
    assert asked_for(path, [f"berita {number}" for number in range(150)]) == []


# fail now and then (2 of 160 here).
def test_a_cache_being_made_by_another_process_is_waited_for(path):
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE other (x)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO other VALUES (1)")
    release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    release.start()
    try:
        vectors = CachedEncoder(DigestEncoder(), path).encode(TEXTS)
    finally:
        release.join()
        other.close()
    assert (vectors == DigestEncoder().encode(TEXTS)).all()


# The encoder inside


def test_fingerprint_length_and_tokens_are_those_of_the_encoder_inside(path):
    cached = CachedEncoder(DigestEncoder("one", max_tokens=7), path)
    assert (cached.fingerprint, cached.max_tokens, cached.count_tokens(["a b"]).tolist()) == ("one", 7, [2])


def test_saving_writes_the_encoder_without_the_cache(path, tmp_path):
    cached = CachedEncoder(DigestEncoder(), path)
    cached.encode(TEXTS)
    (tmp_path / "saved").mkdir()
    cached.save(tmp_path / "saved")
    assert [file.name for file in (tmp_path / "saved").iterdir()] == ["digest.json"]
