"""A folder with a small corpus and an MLflow store in which three models were trained."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits
from workplace import Workplace, new_workplace

from small_corpus import train_config
from tppo.train import TrainResult, train

# Two columns of meaning: labels can be told apart, but badly.
WEAK = ("embedding.dimension=2", "classifier.vectors=true", "classifier.terms=false", "classifier.tuned_dimension=0")


@dataclass(frozen=True)
class Store(Workplace):
    """A workplace in which a weak model was trained twice, then a better one."""

    weak: TrainResult
    again: TrainResult
    strong: TrainResult


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices are slower on several threads, many times so when other processes want the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Do not train in it."""
    place = new_workplace(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        place.enter(monkeypatch)
        weak, again = (train(train_config(place.corpus, *WEAK)) for _ in range(2))
        strong = train(train_config(place.corpus))
    yield Store(place.folder, weak, again, strong)
    shutil.rmtree(place.folder)


@pytest.fixture
def in_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store, entered."""
    store.enter(monkeypatch)
    return store


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A corpus and nothing else."""
    return new_workplace(tmp_path)


@pytest.fixture
def api(in_store: Store) -> Any:
    """An MLflow client of the store."""
    from tppo.tracking.registry import client

    return client()
