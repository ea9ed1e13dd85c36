"""One thread for linear algebra."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices are slower on several threads, many times so when other processes want the cores."""
    with threadpool_limits(1):
        yield
