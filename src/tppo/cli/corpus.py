"""`tppo corpus`: the corpus stages on their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tppo.corpus_run import CorpusSummary

__all__ = ["corpus_app"]

corpus_app = typer.Typer(
    help="Clean, group, describe or weakly label article files; writes JSONL.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Inputs = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or globs.")]
Out = Annotated[Path, typer.Option(help="Folder, or a file ending in .jsonl.")]
Cleaning = Annotated[str, typer.Option(help="Rules in configs/cleaning.")]


@corpus_app.command()
def clean(inputs: Inputs, out: Out, cleaning: Cleaning = "indonesian-news") -> None:
    """Take teasers, credits, captions and other boilerplate out of article texts."""
    from tppo.corpus_run import clean_files

    _show(clean_files(inputs, out, cleaning=cleaning))


@corpus_app.command()
def dedup(
    inputs: Inputs,
    out: Out,
    cleaning: Cleaning = "indonesian-news",
    copies_only: Annotated[bool, typer.Option("--copies-only", help="Leave rewrites out.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Write only the longest article of every group.")] = False,
) -> None:
    """Group articles that tell one story: copies and rewrites."""
    from tppo.corpus_run import dedup_files

    _show(dedup_files(inputs, out, cleaning=cleaning, copies_only=copies_only, drop=drop))


@corpus_app.command()
def describe(
    inputs: Inputs,
    out: Out,
    cleaning: Cleaning = "indonesian-news",
    gazetteer: Annotated[str, typer.Option(help="Place names in configs/gazetteer.")] = "indonesia",
) -> None:
    """Add place, province, outlet, publication date and event date as the articles state them."""
    from tppo.corpus_run import describe_files

    _show(describe_files(inputs, out, cleaning=cleaning, gazetteer=gazetteer))


@corpus_app.command(name="weak-label")
def weak_label(
    inputs: Inputs,
    out: Out,
    cleaning: Cleaning = "indonesian-news",
    taxonomy: Annotated[str, typer.Option(help="Labels and cues in configs/taxonomy.")] = "tppo",
) -> None:
    """Label articles by the taxonomy's cues, minding denials; the output can be trained on."""
    from tppo.corpus_run import weak_label_files

    _show(weak_label_files(inputs, out, cleaning=cleaning, taxonomy=taxonomy))


def _show(summary: CorpusSummary) -> None:
    """Print what was read and written, the labelling functions' figures, and how many rows were refused."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console(highlight=False)
    out.print(f"{summary.articles:,} articles read; written to {summary.out}", markup=False)
    for name, n in summary.counts.items():
        out.print(f"{name}: {n:,}", markup=False)
    if summary.functions:
        table = Table("function", "coverage", "conflict", "accuracy", "cue", box=None, pad_edge=False)
        for f in summary.functions:
            accuracy = "-" if f.accuracy is None else f"{f.accuracy:.3f}"
            cue = f.pattern if len(f.pattern) <= 24 else f"{f.pattern[:23]}…"
            table.add_row(f.name, f"{f.coverage:.3f}", f"{f.conflict:.3f}", accuracy, escape(cue))
        out.print(table)
    if summary.rejected:
        out.print(f"{summary.rejected:,} rows could not be read, see {summary.quarantine}", markup=False)
