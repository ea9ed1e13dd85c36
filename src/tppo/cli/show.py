"""What the commands print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tppo.classify import YES, ModusModel
from tppo.config import LabelConfig
from tppo.corpus import Article, Limits, Rejected, find_files, read_articles
from tppo.errors import DataError
from tppo.evaluate import METRICS, Estimate, Evaluation, evaluate
from tppo.labelling import label_files
from tppo.labelling.panel import article_panel
from tppo.sweep import SweepResult
from tppo.tracking import resolve_model, tracking_uri, without_secrets
from tppo.train import TrainResult, truth

__all__ = ["show_article", "show_evaluation", "show_labelling", "show_sweep", "show_training"]

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
        title=Text(title),
        title_justify="left",
        caption="95 % intervals, bootstrap over syndication groups",
        caption_justify="left",
    )
    table.add_column("label", no_wrap=True, min_width=max(len(key) for key in scores.labels))
    table.add_column("n", justify="right")
    for name in (*METRICS, "ece"):
        table.add_column(name, justify="right", no_wrap=True)
    for key, estimates in scores.labels.items():
        cells = [_cell(estimates[name]) for name in METRICS]
        table.add_row(
            key,
            str(scores.support[key]),
            *cells,
            f"{scores.ece[key]:.3f}",
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


def _load(uri: str) -> tuple[ModusModel, str]:
    stored = resolve_model(uri)
    model = ModusModel.load(stored.folder, digest=stored.digest)
    return model, f"{stored.name} sha256:{stored.digest}"


def show_article(config: LabelConfig, text: str) -> None:
    """Label one text and print it with its evidence."""
    model, name = _load(config.model)
    _out.print(article_panel(model, text, model_name=name.split(" ")[0]))


def show_labelling(config: LabelConfig, inputs: Sequence[str], out: Path, *, fresh: bool) -> None:
    """Label files and print what came of it."""
    find_files(inputs)
    model, name = _load(config.model)
    summary = label_files(
        inputs,
        out,
        model,
        model_name=name,
        format=config.format,
        batch_size=config.batch_size,
        rows_per_part=config.rows_per_part,
        max_chars=config.max_chars,
        fresh=fresh,
    )
    _out.print(
        f"{summary.articles:,} articles = {summary.labelled:,} labelled + {summary.quarantined:,} quarantined: {out}",
        markup=False,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("label")
    table.add_column("articles", justify="right")
    table.add_column("share", justify="right")
    for key in model.keys:
        n = summary.modus.get(key, 0)
        table.add_row(key, f"{n:,}", f"{n / max(1, summary.labelled):.1%}")
    table.add_row("to review", f"{summary.reviews:,}", f"{summary.reviews / max(1, summary.labelled):.1%}")
    _out.print(table)
    if summary.n_tokens_dropped:
        total = summary.n_tokens + summary.n_tokens_dropped
        _out.print(f"{summary.n_tokens_dropped:,} of {total:,} tokens were beyond the window limit")
    for reason, n in sorted(summary.reasons.items(), key=lambda item: -item[1]):
        _out.print(f"quarantined: {n:,} x {reason}", markup=False)


def show_sweep(result: SweepResult) -> None:
    """Print the best settings of a sweep."""
    best = " ".join(f"{key}={value}" for key, value in result.best.items())
    _out.print(f"{result.n_trials} trials, best {result.value:.4f}: tppo train {best}", markup=False)
    _out.print(f"run {result.run_id} in experiment sweeps; compare its trials with `make ui`")


def show_evaluation(data: Sequence[str], uri: str) -> None:
    """Score a model on labelled articles and print the table."""
    files = find_files(data)
    model, name = _load(uri)
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
