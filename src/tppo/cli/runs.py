"""Commands about tracked runs: compare them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["runs_app"]

runs_app = typer.Typer()

RUN = "a run's id or name, a model version, champion, challenger or latest."


class Part(StrEnum):
    """Articles that runs are compared on."""

    test = "test"
    oof = "oof"


@runs_app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="FIRST", help=f"The run to compare with: {RUN}")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help=f"The run that may be better: {RUN}")],
    part: Annotated[
        Part, typer.Option(help="The test part, or held-out folds of the training part (to choose settings by).")
    ] = Part.test,
    resamples: Annotated[int, typer.Option(min=100, help="Of the bootstrap.")] = 10_000,
    log: Annotated[bool, typer.Option(help="Write the comparison to the second run in MLflow.")] = True,
) -> None:
    """Say whether the second run is better than the first on the same articles, and whether that is chance."""
    from tppo.cli.show_runs import show_comparison
    from tppo.tracking.comparison import compare_runs, log_comparison
    from tppo.tracking.lookup import find_run

    found = compare_runs(find_run(first), find_run(second), part=part.value, n_bootstrap=resamples)
    show_comparison(found)
    if log:
        typer.echo(f"written to {log_comparison(found)}/ among the artifacts of run {found.second.shown}")
