"""A model trained on the small corpus, and inputs with good and bad rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from small_corpus import articles, trained, write_jsonl
from tppo.classify import ModusModel


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices are slower on several threads, many times so when other processes want the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def model() -> ModusModel:
    """A model over sentence vectors; do not change it."""
    return trained()


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Forty rows in file order; the 5th, 15th, 25th and 35th have no text."""
    rows = articles(40)
    for number in range(4, 40, 10):
        rows[number] = {"id": f"bad-{number}", "text": ""}
    return write_jsonl(tmp_path / "mixed.jsonl", rows)
