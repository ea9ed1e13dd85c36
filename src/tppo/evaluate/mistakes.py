"""The worst errors of a run, for people to read: as a table and as a web page in which every text is escaped."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tppo.evaluate.predictions import Predictions

__all__ = ["Mistake", "Quote", "find_mistakes", "mistakes_csv", "mistakes_page"]


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of an article that speaks for a label; `score` in [0, 1], NaN for what a person marked."""

    label: str
    text: str
    score: float = float("nan")


@dataclass(frozen=True)
class Mistake:
    """An article with at least one wrong label.

    Parameters
    ----------
    id, group : str
        Of the article.
    how_wrong : float
        The largest distance between truth (0 or 1) and probability among its wrong labels, in [0, 1].
    missed, false_alarms : tuple of str
        Labels it carries but was not given, and the other way round.
    true, given : tuple of str
        All its labels, and all it was given.
    probabilities : dict
        Label key to probability.
    quotes : tuple of Quote
        The model's evidence for false alarms, and what a person marked for missed labels.
    snippet : str
        How the article begins.
    """

    id: str
    group: str
    how_wrong: float
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]
    true: tuple[str, ...]
    given: tuple[str, ...]
    probabilities: dict[str, float]
    quotes: tuple[Quote, ...]
    snippet: str


def find_mistakes(
    predictions: Predictions,
    texts: Sequence[str],
    *,
    evidence: Sequence[Sequence[Quote]],
    marked: Sequence[Sequence[Quote]],
    snippet_chars: int = 300,
) -> list[Mistake]:
    """Return the articles with wrong labels, the worst first; labels whose truth is not known are never wrong.

    Parameters
    ----------
    predictions : Predictions
        For n_articles.
    texts : sequence of str, length n_articles
        The articles.
    evidence, marked : sequence of sequences of Quote, length n_articles
        What the model quoted for the labels it gave, and what people marked for the labels that are true.
    snippet_chars : int
        Length of the snippets.
    """
    p = predictions
    wrong = ~np.isnan(p.truth) & ((p.truth == 1) != p.given)
    distance = np.where(wrong, np.abs(np.nan_to_num(p.truth) - p.probabilities), -1.0).max(axis=1, initial=-1.0)
    found = []
    for i in np.argsort(-distance, kind="stable")[: int(wrong.any(axis=1).sum())]:

        def keys(chosen: Sequence[bool]) -> tuple[str, ...]:
            return tuple(key for key, yes in zip(p.labels, chosen) if yes)

        missed, false_alarms = keys(wrong[i] & ~p.given[i]), keys(wrong[i] & p.given[i])
        quotes = [q for q in evidence[i] if q.label in false_alarms] + [q for q in marked[i] if q.label in missed]
        start = " ".join(texts[i][: 2 * snippet_chars].split())
        found.append(
            Mistake(
                id=p.ids[i],
                group=p.groups[i],
                how_wrong=float(distance[i]),
                missed=missed,
                false_alarms=false_alarms,
                true=keys(p.truth[i] == 1),
                given=keys(p.given[i]),
                probabilities={key: float(p.probabilities[i, k]) for k, key in enumerate(p.labels)},
                quotes=tuple(quotes),
                snippet=start if len(start) <= snippet_chars else start[: snippet_chars - 1] + "…",
            )
        )
    return found


def mistakes_csv(mistakes: Sequence[Mistake], labels: Sequence[str]) -> str:
    """Return a row per mistake; labels are separated by spaces, quotes by `` | ``.

    A text that a spreadsheet would take for a formula gets a ``'`` before it.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ("id", "group", "how_wrong", "missed", "false_alarms", "true", "given")
    writer.writerow([*names, *(f"p_{key}" for key in labels), "quotes", "snippet"])
    for m in mistakes:
        lists = (" ".join(x) for x in (m.missed, m.false_alarms, m.true, m.given))
        numbers = (f"{m.probabilities[key]:.4f}" for key in labels)
        quotes = " | ".join(f"{q.label}: {' '.join(q.text.split())}" for q in m.quotes)
        texts = (_no_formula(text) for text in (quotes, m.snippet))
        writer.writerow([_no_formula(m.id), _no_formula(m.group), f"{m.how_wrong:.4f}", *lists, *numbers, *texts])
    return stream.getvalue()


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
article { border-top: 1px solid #ccc; padding: .8rem 0; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 0; }
.wrong { color: #a33a00; font-weight: 600; } .missed { color: #00568f; font-weight: 600; }
blockquote { margin: .3rem 0 .3rem .2rem; padding-left: .6rem; border-left: 3px solid #a33a00; }
blockquote.missed { border-color: #00568f; font-weight: 400; color: inherit; }
p { margin: .3rem 0; } .p { color: #555; font-variant-numeric: tabular-nums; font-size: .9em; }
"""


def mistakes_page(mistakes: Sequence[Mistake], *, title: str, n_articles: int, limit: int = 100) -> str:
    """Return a web page with the worst mistakes: no scripts, nothing loaded, every text escaped.

    Parameters
    ----------
    mistakes : sequence of Mistake
        From `find_mistakes`.
    title : str
        Heading.
    n_articles : int
        How many articles were scored.
    limit : int
        Mistakes shown.
    """
    e = html.escape
    shown = mistakes[:limit]
    head = (
        f"{len(mistakes):,} of {n_articles:,} articles have a wrong label; the {len(shown)} worst, by the distance "
        "between truth and probability. <span class=wrong>Given wrongly</span> with the model's evidence, "
        "<span class=missed>missed</span> with the marked sentences."
    )
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\n"
        f"<title>{e(title)}</title><style>{_STYLE}</style>\n<h1>{e(title)}</h1>\n<p>{head}</p>\n"
        + "\n".join(_article(number, mistake) for number, mistake in enumerate(shown, start=1))
        + "\n</html>\n"
    )


def _article(number: int, m: Mistake) -> str:
    """Return the HTML of one mistake."""
    e = html.escape
    verdict = [f"<span class=wrong>given wrongly: {e(', '.join(m.false_alarms))}</span>"] if m.false_alarms else []
    verdict += [f"<span class=missed>missed: {e(', '.join(m.missed))}</span>"] if m.missed else []
    chances = " · ".join(f"{e(key)} {p:.2f}" for key, p in m.probabilities.items())
    quotes = "".join(
        f"<blockquote{' class=missed' if q.label in m.missed else ''}>{e(q.text)} "
        f"<span class=p>{e(q.label)}{'' if q.score != q.score else f' {q.score:.2f}'}</span></blockquote>"
        for q in m.quotes
    )
    return (
        f"<article><h2>{number}. {e(m.id)} <span class=p>off by {m.how_wrong:.2f}</span></h2>\n"
        f"<p>{'; '.join(verdict)}</p>\n"
        f"<p class=p>true: {e(', '.join(m.true) or 'none')} — given: {e(', '.join(m.given) or 'none')}</p>\n"
        f"<p class=p>{chances}</p>\n{quotes}\n<p>{e(m.snippet)}</p></article>"
    )
