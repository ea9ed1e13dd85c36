"""The model card of a run: data, recipe, figures, limits and how to make it again, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["model_card", "reproduce_command", "summary"]

_LIMITS = (
    "Labels describe articles, not persons. The model sorts news for people who then read it; it decides nothing.",
    "It was trained on Indonesian news. Other languages and texts of a few words are not recognised as such.",
    "Scores hold for articles like those of the test part; if settings were chosen by them, they are optimistic.",
)


def reproduce_command(run_id: str, commit: str) -> str:
    """Return the line that makes a run again: the code it was made with, then `tppo reproduce`."""
    command = f"tppo reproduce {run_id}"
    return f"git checkout {commit} && {command}" if commit != "unknown" and "+" not in commit else command


def summary(name: str, metrics: Mapping[str, float], command: str) -> str:
    """Return what stands on top of a run's page: its score and how to make it again."""
    return f"**{name}**: test macro-F1 {_with_interval(metrics, 'test/f1_macro')}. Make it again with `{command}`."


def model_card(
    *,
    name: str,
    labels: Sequence[str],
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    notes: Sequence[str],
    command: str,
) -> str:
    """Return the card.

    Parameters
    ----------
    name : str
        Of the run.
    labels : sequence of str
        Label keys, the context label last.
    params, metrics, tags : mapping
        As they are tracked.
    notes : sequence of str
        What this run showed of its own limits, a sentence each.
    command : str
        From `reproduce_command`.
    """
    lines = [
        f"# Model card: {name}",
        "",
        "Labels Indonesian news on human trafficking by modus, with probabilities and the sentences that carry them.",
        "",
        *_data(params, metrics, tags),
        *_recipe(params, tags),
        *_figures(labels, metrics),
        "## Limits",
        "",
        *(f"- {line}" for line in (*notes, *_LIMITS)),
        "",
        "## Make it again",
        "",
        f"```sh\n{command}\n```",
        "",
    ]
    return "\n".join(lines)


def _data(params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str]) -> list[str]:
    """Return the section on what was learnt from and scored on."""

    def count(metric: str) -> str:
        return f"{metrics[metric]:,.0f}" if metric in metrics else "?"

    return [
        "## Data",
        "",
        f"- {count('train/articles')} articles to learn from, {count('test/articles')} to score on, from "
        f"`{params.get('corpus.paths', '?')}` (split: {params.get('split.by', '?')}; {count('train/quarantined')} rows "
        "not used, see `quarantine.jsonl`)",
        f"- digest of all articles `{tags.get('tppo.data_digest', '?')}`, of the test part "
        f"`{tags.get('tppo.test_digest', '?')}`",
        "",
    ]


def _recipe(params: Mapping[str, str], tags: Mapping[str, str]) -> list[str]:
    """Return the section on encoder, classifier and code."""
    return [
        "## Recipe",
        "",
        f"- encoder `{params.get('embedding.kind', '?')}`, fingerprint `{tags.get('tppo.encoder', '?')}`",
        *(f"- {key} = {value}" for key, value in sorted(params.items()) if key.startswith("classifier.")),
        f"- code {tags.get('git.commit', '?')}, digest `{tags.get('tppo.code_digest', '?')}`; everything else in "
        "`config.json` and `environment.json`",
        "",
    ]


def _figures(labels: Sequence[str], metrics: Mapping[str, float]) -> list[str]:
    """Return the section on the scores."""
    lines = [
        "## Figures",
        "",
        "Test part, 95 % intervals by a bootstrap over syndication groups:",
        "",
        "| label | precision | recall | F1 | calibration error |",
        "|---|---|---|---|---|",
    ]
    for key in labels:
        cells = [_with_interval(metrics, f"test/{metric}/{key}") for metric in ("precision", "recall", "f1", "ece")]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return [
        *lines,
        f"| macro (modus) | | | {_with_interval(metrics, 'test/f1_macro')} | |",
        "",
        f"Articles without any modus that are given one: {_with_interval(metrics, 'test/false_alarms')}. On held-out "
        f"folds of the training part, to choose settings by: macro-F1 {_with_interval(metrics, 'oof/f1_macro')}.",
        "",
    ]


def _with_interval(metrics: Mapping[str, float], name: str) -> str:
    """Return a metric with its interval, a dash if it was not measured."""
    if name not in metrics:
        return "-"
    low, high = metrics.get(f"{name}_lo"), metrics.get(f"{name}_hi")
    return f"{metrics[name]:.3f}" + ("" if low is None or high is None else f" ({low:.2f}-{high:.2f})")
