"""Label batches one after the other in this process, or side by side in several; in order, with equal results."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tppo.classify import ModusModel, folder_digest
from tppo.corpus import Rejected
from tppo.errors import DataError
from tppo.labelling.batch import Labelled, Labeller
from tppo.processes import become_worker

__all__ = ["Batch", "Engine", "in_processes", "in_this_process"]

# Starting processes takes as long as labelling some thousand articles.
SMALL_JOB = 2000
_AHEAD = 3  # batches per worker that are read before they are needed


@dataclass(frozen=True)
class Batch:
    """A stretch of the input.

    Parameters
    ----------
    first : int
        Number of its first row, from 0.
    n_rows : int
        Of the input.
    articles : pyarrow.RecordBatch
        Columns ``id``, ``text``, ``group`` of the articles to label.
    rows : list of int
        Their row numbers.
    rejected : list of Rejected
        Rows that are no articles.
    repeats : list of (int, int, str, str or None)
        Articles whose text came before, to the letter: row number, row number of the first, id and group.
    watch : list of int
        Positions in `articles` that are watched for drift.
    """

    first: int
    n_rows: int
    articles: Any
    rows: list[int]
    rejected: list[Rejected]
    repeats: list[tuple[int, int, str, str | None]]
    watch: list[int]


Engine = Callable[[Iterable[Batch]], Iterator[tuple[Batch, Labelled]]]


def in_this_process(labeller: Labeller) -> Engine:
    """Return an engine that labels here."""

    def run(batches: Iterable[Batch]) -> Iterator[tuple[Batch, Labelled]]:
        for batch in batches:
            # One thread as in a worker: with more, sums would add up in another order.
            with threadpool_limits(1):
                labelled = labeller(batch.articles, batch.watch)
            yield batch, labelled

    return run


def in_processes(labeller: Labeller, folder: Path, workers: int) -> Engine:
    """Return an engine that labels in worker processes, each with its own model and one thread; a small job here.

    Parameters
    ----------
    labeller : Labeller
        What the workers do.
    folder : Path
        Where its model lies: every worker loads it from there.
    workers : int
        Number of processes.
    """

    def run(batches: Iterable[Batch]) -> Iterator[tuple[Batch, Labelled]]:
        waiting = iter(batches)
        beginning, n_articles = list[Batch](), 0
        for batch in waiting:
            beginning.append(batch)
            n_articles += len(batch.rows)
            if n_articles > SMALL_JOB:
                break
        else:
            yield from in_this_process(labeller)(beginning)
            return
        options = (folder, folder_digest(folder), labeller.model_name, labeller.marks)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=options)
        try:
            yield from _in_order(pool, chain(beginning, waiting), ahead=_AHEAD * workers)
        except BrokenProcessPool:
            raise DataError(
                "a worker process died, perhaps for want of memory; the same command goes on where it stopped "
                "(with fewer --workers it takes less memory)"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)

    return run


def _in_order(pool: ProcessPoolExecutor, batches: Iterable[Batch], ahead: int) -> Iterator[tuple[Batch, Labelled]]:
    """Yield batches with their labels in the order they came; `ahead` at most are under way."""
    running: deque[tuple[Batch, Future[Labelled]]] = deque()
    for batch in batches:
        running.append((batch, pool.submit(_label, batch.articles, batch.watch)))
        if len(running) >= ahead:
            first, future = running.popleft()
            yield first, future.result()
    while running:
        first, future = running.popleft()
        yield first, future.result()


_labeller: Labeller | None = None


def _start_worker(folder: Path, digest: str, model_name: str, marks: bool) -> None:
    """Load the model, once per worker."""
    global _labeller
    become_worker()
    _labeller = Labeller(ModusModel.load(folder, digest=digest), model_name, marks)
    threadpool_limits(1)


def _label(articles: Any, watch: list[int]) -> Labelled:
    assert _labeller is not None
    return _labeller(articles, watch)
