"""What the commands print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tppo.classify import YES
from tppo.cli.label import load_model
from tppo.corpus import Article, Limits, Rejected, find_files, read_articles
from tppo.errors import DataError
from tppo.evaluate import METRICS, Estimate, Evaluation, evaluate
from tppo.sweep import SweepResult
from tppo.tracking import tracking_uri, without_secrets
from tppo.train import TrainResult, truth

__all__ = ["show_evaluation", "show_sweep", "show_training"]

_out = Console(highlight=False)


def show_training(result: TrainResult) -> None:
    """Print the scores of a training run and where it went."""
    _out.print(score_table(result.evaluation, f"{result.n_test} test articles, {result.n_train} to learn from"))
    for line in result.weakest:
        _out.print(line, markup=False)
    if result.rejected:
        first = result.rejected[0]
        _out.print(
            f"{len(result.rejected)} rows not used (the run's quarantine.jsonl); first: {first.source}: {first.reason}",
            markup=False,
        )
    run = result.run
    _out.print(
        f"run {run.run_id} in {without_secrets(tracking_uri())}; model version {run.version}, "
        f"{run.standing or 'not champion'}: {run.reason}",
        markup=False,
    )
    _out.print("compare runs with `make ui`; label articles with `tppo label INPUT --out DIR`")


def score_table(scores: Evaluation, title: str) -> Table:
    """Return a table of scores with 95 % intervals."""
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title=Text(title),
        title_justify="left",
        caption="95 % intervals, bootstrap over syndication groups",
        caption_justify="left",
    )
    table.add_column("label", no_wrap=True, min_width=max(len(key) for key in scores.labels))
    table.add_column("n", justify="right", no_wrap=True, min_width=max(len(str(n)) for n in scores.support.values()))
    for name in METRICS:
        table.add_column(name, justify="right", no_wrap=True)
    for key, estimates in scores.labels.items():
        cells = [_cell(estimates[name]) for name in METRICS]
        table.add_row(
            key,
            str(scores.support[key]),
            *cells,
            end_section=key == scores.macro_labels[-1],
        )
    o = scores.overall
    table.add_row("macro (modus)", "", "", "", _cell(o["f1_macro"]), _cell(o["ap_macro"]), "")
    table.add_row(
        "micro (modus)",
        "",
        _cell(o["precision_micro"]),
        _cell(o["recall_micro"]),
        _cell(o["f1_micro"]),
        "",
        "",
    )
    table.add_row("false alarms", "", _cell(o["false_alarms"]), "", "", "", "")
    return table


def _cell(e: Estimate) -> str:
    if e.value != e.value:
        return "-"
    return f"{e.value:.3f}" if e.low != e.low else f"{e.value:.3f}\n[dim]{e.low:.2f}-{e.high:.2f}[/dim]"


def show_sweep(result: SweepResult) -> None:
    """Print the best settings of a sweep."""
    metric, n_pruned = result.metric, sum(trial.is_pruned for trial in result.trials)
    given_up = f" ({n_pruned} given up)" if n_pruned else ""
    value = result.best.metrics[metric]
    _out.print(
        f"{len(result.trials)} trials{given_up}, best {metric} {value:.4f}: tppo train {' '.join(result.overrides)}",
        markup=False,
        soft_wrap=True,
    )
    if result.version is not None:
        _out.print(f"trained again with these settings: model version {result.version}")
    _out.print(
        f"run {result.run_id} in experiment sweeps, with trials.md and trials.png; compare its trials with `make ui`"
    )


def show_evaluation(data: Sequence[str], uri: str) -> None:
    """Score a model on labelled articles and print the table."""
    files = find_files(data)
    model, name, _ = load_model(uri)
    taxonomy = model.settings.taxonomy
    articles: list[Article] = []
    rejected: list[Rejected] = []
    for item in read_articles(files, limits=Limits(modus_keys=taxonomy.modus_keys)):
        if isinstance(item, Article) and item.labels is not None:
            articles.append(item)
        elif isinstance(item, Article):
            rejected.append(Rejected(item.id, "not labelled", item.id))
        else:
            rejected.append(item)
    if not articles:
        raise DataError(f"no labelled articles in {', '.join(data)}: expected a column 'labels'")
    readings = model.read([a.text for a in articles])
    scores = evaluate(
        truth(articles, model.keys),
        readings.probabilities,
        readings.decisions == YES,
        labels=model.keys,
        macro_labels=taxonomy.modus_keys,
        groups=[a.group or a.id for a in articles],
    )
    _out.print(score_table(scores, f"{name.split(' ')[0]} on {len(articles)} articles"))
    for item in rejected[:3]:
        _out.print(f"not scored: {item.source}: {item.reason}", markup=False)
    if len(rejected) > 3:
        _out.print(f"… {len(rejected)} rows not scored in all")
