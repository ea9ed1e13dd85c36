"""What the commands about tracked runs print."""

from __future__ import annotations

import re

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tppo.reproduce import Reproduction
from tppo.tracking.comparison import RunComparison, sentence, table_rows
from tppo.tracking.lookup import StoredRun
from tppo.tracking.promotion import Promotion

__all__ = ["show_comparison", "show_promotion", "show_reproduction", "show_run"]

_out = Console(highlight=False)
_SHOWN = 30


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
    if comparison.left_out:
        _out.print(f"not compared, in one run only: {', '.join(comparison.left_out)}", markup=False, soft_wrap=True)


def show_reproduction(found: Reproduction) -> None:
    """Print what was changed since a run, and what came out differently when it was made again."""
    _out.print(f"original: {found.original.shown}", markup=False, soft_wrap=True)
    _out.print(f"again:    {found.again.shown}", markup=False, soft_wrap=True)
    for title, rows in (("changed since", found.changed), ("came out differently", found.differences)):
        if rows:
            table = Table(box=SIMPLE_HEAD, pad_edge=False, title=Text(title), title_justify="left")
            for name in ("what", "before", "now"):
                table.add_column(name, overflow="fold")
            for d in rows[:_SHOWN]:
                table.add_row(Text(d.what), Text(d.before), Text(d.after))
            _out.print(table)
            if len(rows) > _SHOWN:
                _out.print(f"… and {len(rows) - _SHOWN} more")
    if found.is_equal:
        _out.print(f"equal: {found.n_metrics} metrics, the model and the predictions of both parts came out the same")
    else:
        why = "see what changed" if found.changed else "though code, data and libraries are the same"
        _out.print(f"different: {len(found.differences)} results came out differently, {why}")


def show_promotion(found: Promotion, model: str) -> None:
    """Print what a promotion rests on."""
    if found.comparison is not None:
        show_comparison(found.comparison)
    _out.print(f"{model} version {found.version} is {found.standing}: {found.reason}", markup=False, soft_wrap=True)


_LINEAGE = (
    ("run", "run_id"),
    ("name", "name"),
    ("standing", "tppo.standing"),
    ("articles", "tppo.data_digest"),
    ("test articles", "tppo.test_digest"),
    ("encoder", "tppo.encoder"),
    ("model", "tppo.model_digest"),
    ("commit", "git.commit"),
    ("code", "tppo.code_digest"),
    ("make it again", "tppo.reproduce"),
)


def show_run(run: StoredRun) -> None:
    """Print where a run's model comes from."""
    known = {"run_id": run.run_id, "name": run.name, **run.tags}
    rows = [(title, known.get(key, "-")) for title, key in _LINEAGE]
    scores = ", ".join(f"{key} {run.metrics[name]:.3f}" for key, name in _scores(run))
    width = max(len(title) for title, _ in rows)
    for title, value in [*rows[:3], ("scores", scores), *rows[3:]]:
        _out.print(f"{title:<{width}}  {value}", markup=False, soft_wrap=True)


def _scores(run: StoredRun) -> list[tuple[str, str]]:
    labels = [name for name in run.metrics if re.fullmatch(r"test/f1/\w+", name) and not name.endswith(("_lo", "_hi"))]
    named = [("macro-F1", "test/f1_macro"), *((f"F1 {name.removeprefix('test/f1/')}", name) for name in sorted(labels))]
    return [(title, name) for title, name in named if name in run.metrics]


def _n(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None or value != value else format(value, form)


def _p(value: float | None) -> str:
    return "<.001" if value is not None and value < 0.001 else _n(value)
