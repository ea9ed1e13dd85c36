"""What long work shows: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

__all__ = ["Advance", "console", "progress", "stage"]

Advance = Callable[[int], None]

# Everything for people goes to standard error; standard output is for results.
console = Console(stderr=True, highlight=False)

_PLAIN_INTERVAL_S = 10.0


@contextmanager
def progress(description: str, unit: str, total: int | None = None, *, done: int = 0) -> Iterator[Advance]:
    """Show progress while the block runs; call what it yields with the number of units done since the last call.

    Parameters
    ----------
    description, unit : str
        What is done, and to what.
    total : int, optional
        Units in all, for the time left.
    done : int
        Units that were done before.
    """
    before, started, shown = done, time.monotonic(), time.monotonic()

    def speed() -> float:
        return (done - before) / max(time.monotonic() - started, 1e-9)

    def rate() -> str:
        return f"{speed():,.0f} {unit}/s"

    def of_total() -> str:
        if not total:
            return ""
        seconds = (total - done) / max(speed(), 1e-9)
        left = f"{seconds / 60:,.0f} min" if seconds > 100 else f"{seconds:.0f} s"
        return f" of {total:,}" + (f", {left} left" if 0 < seconds < 1e8 else "")

    if console.is_terminal:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = [
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
        ]
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(description, total=total, completed=done, count="")

            def advance(n: int) -> None:
                nonlocal done
                done += n
                bar.update(task, advance=n, count=f"{done:,} {unit}, {rate()}")

            yield advance
    else:

        def advance(n: int) -> None:
            nonlocal done, shown
            done += n
            if time.monotonic() - shown >= _PLAIN_INTERVAL_S:
                shown = time.monotonic()
                line = f"{description}: {done:,} {unit}{of_total()}, {rate()}"
                console.print(line, markup=False, soft_wrap=True)

        yield advance


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a stage, and add the seconds that the block takes to ``seconds[name]``."""
    started = time.perf_counter()
    if console.is_terminal:
        with console.status(f"{name} …"):
            yield
    else:
        yield
    took = time.perf_counter() - started
    seconds[name] = seconds.get(name, 0.0) + took
    console.print(f"{name:<12} {took:6.1f} s")
