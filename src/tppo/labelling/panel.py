"""One article read aloud: labels, probabilities, and the text with its evidence highlighted."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tppo.classify import ModusModel
from tppo.classify.table import DECISIONS

__all__ = ["article_panel"]

_STYLES = {"yes": "bold green", "review": "yellow", "no": "dim"}
_HIGHLIGHT = "bold reverse"
_BAR_WIDTH = 20


def article_panel(model: ModusModel, text: str, *, model_name: str) -> RenderableType:
    """Return a panel that shows what `model` reads in `text`."""
    readings = model.read([text])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("label", "decision", "p", ""):
        table.add_column(heading, justify="right" if heading == "p" else "left")
    for k, key in enumerate(readings.keys):
        decision, p = DECISIONS[readings.decisions[0, k]], float(readings.probabilities[0, k])
        bar = Text("█" * round(_BAR_WIDTH * p), style=_STYLES[decision])
        table.add_row(key, Text(decision, style=_STYLES[decision]), f"{p:.2f}", bar)
    body = Text(text.strip("\n"))
    lead = len(text) - len(text.lstrip("\n"))
    quotes = Text()
    for e in readings.evidence[0]:
        body.stylize(_HIGHLIGHT, e.start - lead, e.end - lead)
        quotes.append(f"{e.label} ", style="bold").append(f"[{e.start}:{e.end}] {e.score:.2f}  ", style="dim")
        quotes.append(" ".join(e.text.split()) + "\n")
    dropped = int(readings.n_dropped[0])
    tokens = f"{int(readings.n_tokens[0])} tokens read" + (f", {dropped} beyond the limit" if dropped else "")
    parts: list[RenderableType] = [table]
    if (reason := readings.reasons[0]) is not None:
        parts.append(Text(f"\nNo label is given outright: {reason}", style="yellow"))
    if quotes:
        parts += [Text("\nEvidence", style="bold"), quotes]
    return Group(
        Panel(body, title="article", title_align="left", subtitle=tokens, subtitle_align="right"),
        Panel(Group(*parts), title=Text(model_name), title_align="left"),
    )
