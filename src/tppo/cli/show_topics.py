"""What `tppo topics` prints."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tppo.topics_run import TopicsResult
from tppo.tracking import tracking_uri, without_secrets

__all__ = ["show_topics"]

_out = Console(highlight=False)


def show_topics(result: TopicsResult) -> None:
    """Print the topics of a run, how good they are, and where the run went."""
    n = len(result.labels)
    table = Table(title=f"{len(result.model.topics)} topics in {n:,} articles", title_justify="left")
    for name in ("topic", "articles", "comes back"):
        table.add_column(name, justify="right")
    table.add_column("words")
    for topic in result.model.topics:
        back = "-" if topic.certificate is None else f"{topic.certificate:.2f}"
        stable = topic.certificate is None or result.certificate.is_stable(topic.id)
        mark = "" if stable else " hidden" if topic.hidden else " unstable"
        table.add_row(str(topic.id), f"{topic.size:,}", back + mark, escape(", ".join(topic.words)))
    _out.print(table)
    shown = ("npmi", "c_v", "diversity", "outliers", "stability", "stability_seeds")
    measured = [(name, value) for name in shown if (value := result.metrics[f"topics/{name}"]) == value]
    _out.print("  ".join(f"{name} {value:.3f}" for name, value in measured))
    new = [str(e["topic"]) for e in result.model.lineage if e["event"] == "new"]
    if new:
        _out.print(f"new since the first fit: topics {', '.join(new)}; all changes are in lineage.json")
    if result.rejected:
        first = result.rejected[0]
        _out.print(f"{len(result.rejected)} rows not used; first: {first.source}: {first.reason}", markup=False)
    _out.print(f"run {result.run_id} in {without_secrets(tracking_uri())}; plots are among its artifacts (`make ui`)")
