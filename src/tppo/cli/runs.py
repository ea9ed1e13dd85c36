"""Commands about tracked runs: compare them, make them again, promote and show them."""

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


@runs_app.command()
def reproduce(
    run: Annotated[str, typer.Argument(metavar="RUN", help=f"The run to make again: {RUN}")],
) -> None:
    """Train a run again from what it logged; exit code 1 if other metrics or predictions come out."""
    from tppo.cli.show_runs import show_reproduction
    from tppo.reproduce import reproduce as again
    from tppo.tracking.lookup import find_run

    found = again(find_run(run))
    show_reproduction(found)
    if not found.is_equal:
        raise typer.Exit(1)


@runs_app.command()
def promote(
    run: Annotated[str, typer.Argument(metavar="RUN_OR_VERSION", help=f"Whose model to make champion: {RUN}")],
    model: Annotated[str, typer.Option(help="Name of the registered model.")] = "tppo-modus",
    force: Annotated[
        str | None, typer.Option(metavar="REASON", help="Promote in any case; the reason is kept as a tag.")
    ] = None,
) -> None:
    """Make a model champion, unless it is significantly worse than the present one on any modus."""
    from tppo.cli.show_runs import show_promotion
    from tppo.tracking.promotion import promote as run_promotion

    show_promotion(run_promotion(run, name=model, force=force), model)


@runs_app.command()
def show(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=f"{RUN[0].upper()}{RUN[1:-1]}, or the model column of labelled output.")
    ],
) -> None:
    """Show where a model or a labelled row comes from: run, data, code, scores, and how to make it again."""
    from tppo.cli.show_runs import show_run
    from tppo.tracking.lookup import find_run

    show_run(find_run(run))
