"""One thread for linear algebra, and models trained on the small corpus."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from small_corpus import trained
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
def saved(model: ModusModel, tmp_path: Path) -> Path:
    """The folder of a saved model that a test may change."""
    model.save(tmp_path / "model")
    return tmp_path / "model"
