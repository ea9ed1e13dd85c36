"""What the commands about tracked runs print."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tppo.tracking.comparison import RunComparison, sentence, table_rows

__all__ = ["show_comparison"]

_out = Console(highlight=False)


def show_comparison(comparison: RunComparison) -> None:
    """Print a comparison as a table: F1 by bootstrap on the left, articles right by McNemar on the right."""
    result = comparison.result
    _out.print(f"first:  {comparison.first.shown}", markup=False, soft_wrap=True)
    _out.print(f"second: {comparison.second.shown}", markup=False, soft_wrap=True)
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=Text(f"{comparison.part}: {result.n_articles:,} articles in {result.n_groups:,} groups; second - first"),
        title_justify="left",
        caption=Text(
            "F1 of both and its difference with 95 % interval: paired bootstrap over syndication groups, "
            f"{result.n_bootstrap:,} resamples. right: articles that only the first:only the second has right, with "
            "McNemar's exact p and Cohen's g. The labels' p are Holm-corrected."
        ),
        caption_justify="left",
    )
    table.add_column("label", no_wrap=True, min_width=max(len(key) for key in result.labels))
    for name in ("1st", "2nd", "difference", "p", "right", "p", "g"):
        table.add_column(name, justify="right", no_wrap=True)
    last = [*result.labels][-1]
    for row in table_rows(result):
        spread = f"{_n(row['difference'], '+.3f')}\n[dim]{_n(row['low'], '+.2f')} {_n(row['high'], '+.2f')}[/dim]"
        cells = [row["label"], _n(row["f1_first"]), _n(row["f1_second"]), spread]
        if row["only_first_right"] is None:
            table.add_row(*cells, _p(row["p"]), "", "", "")
        else:
            right = f"{row['only_first_right']}:{row['only_second_right']}"
            tests = [_p(row["p_holm"]), right, _p(row["mcnemar_p_holm"]), _n(row["cohen_g"], "+.2f")]
            table.add_row(*cells, *tests, end_section=row["label"] == last)
    _out.print(table)
    _out.print(sentence(result), markup=False, soft_wrap=True)


def _n(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None or value != value else format(value, form)


def _p(value: float | None) -> str:
    return "<.001" if value is not None and value < 0.001 else _n(value)
