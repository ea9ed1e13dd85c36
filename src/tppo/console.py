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
    pace = _Pace(unit, total, done)
    with _bar(description, pace) if console.is_terminal else _lines(description, pace) as advance:
        yield advance


class _Pace:
    """How many units are done, how fast, and how long the others will take."""

    def __init__(self, unit: str, total: int | None, done: int) -> None:
        self.unit, self.total, self.done = unit, total, done
        self._before, self._started = done, time.monotonic()

    def rate(self) -> str:
        """Return the speed so far as it is shown."""
        return f"{self._speed():,.0f} {self.unit}/s"

    def of_total(self) -> str:
        """Return the total and the time left as they follow the count; nothing if the total is not known."""
        if not self.total:
            return ""
        seconds = (self.total - self.done) / max(self._speed(), 1e-9)
        left = f"{seconds / 60:,.0f} min" if seconds > 100 else f"{seconds:.0f} s"
        return f" of {self.total:,}" + (f", {left} left" if 0 < seconds < 1e8 else "")

    def _speed(self) -> float:
        """Return units a second since the start, without those that were done before."""
        return (self.done - self._before) / max(time.monotonic() - self._started, 1e-9)


@contextmanager
def _bar(description: str, pace: _Pace) -> Iterator[Advance]:
    """Show a bar that goes away at the end."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}")]
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(description, total=pace.total, completed=pace.done, count="")

        def advance(n: int) -> None:
            pace.done += n
            bar.update(task, advance=n, count=f"{pace.done:,} {pace.unit}, {pace.rate()}")

        yield advance


@contextmanager
def _lines(description: str, pace: _Pace) -> Iterator[Advance]:
    """Print a line from time to time."""
    shown = time.monotonic()

    def advance(n: int) -> None:
        nonlocal shown
        pace.done += n
        if time.monotonic() - shown >= _PLAIN_INTERVAL_S:
            shown = time.monotonic()
            line = f"{description}: {pace.done:,} {pace.unit}{pace.of_total()}, {pace.rate()}"
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
