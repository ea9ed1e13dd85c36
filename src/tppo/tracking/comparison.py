"""Compare two runs, and write what came of it to the second one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from tppo.errors import DataError
from tppo.evaluate import Comparison, Predictions, align, compare
from tppo.tracking.lookup import StoredRun, read_predictions
from tppo.tracking.registry import client

__all__ = ["RunComparison", "compare_predictions", "compare_runs", "log_comparison", "sentence", "table_rows"]


@dataclass(frozen=True)
class RunComparison:
    """Two runs compared on a part of the data (``test`` or ``oof``), and the labels that only one of them has."""

    first: StoredRun
    second: StoredRun
    part: str
    result: Comparison
    left_out: tuple[str, ...] = ()


def compare_runs(
    first: StoredRun, second: StoredRun, *, part: str = "test", n_bootstrap: int = 10_000
) -> RunComparison:
    """Compare what two runs said about the same articles.

    Parameters
    ----------
    first, second : StoredRun
        Differences are second minus first.
    part : {"test", "oof"}
        The test part, or the held-out folds of the training part.
    n_bootstrap : int
        Resamples.

    Raises
    ------
    DataError
        If a run has no predictions, or they are for other articles; the message says which differ.
    """
    ours, theirs = read_predictions(first, part), read_predictions(second, part)
    return compare_predictions(first, second, ours, theirs, part=part, n_bootstrap=n_bootstrap)


def compare_predictions(
    first: StoredRun,
    second: StoredRun,
    ours: Predictions,
    theirs: Predictions,
    *,
    part: str,
    n_bootstrap: int = 10_000,
) -> RunComparison:
    """Compare two runs by what they said, on the labels that both have; the context label is each one's last.

    Raises
    ------
    DataError
        If the articles differ, or no label is common.
    """
    shared = [key for key in ours.labels if key in theirs.labels]
    contexts = {ours.labels[-1], theirs.labels[-1]}
    modus = [key for key in shared if key not in contexts]
    if not modus:
        raise DataError(
            f"the runs have no modus in common: {first.shown} has {', '.join(ours.labels)}; "
            f"{second.shown} has {', '.join(theirs.labels)}"
        )
    one = ours.only(shared)
    other = align(one, theirs.only(shared), names=(first.shown, second.shown))
    result = compare(one, other, macro_labels=modus, n_bootstrap=n_bootstrap)
    left_out = tuple(key for key in (*ours.labels, *theirs.labels) if key not in shared)
    return RunComparison(first, second, part, result, left_out)


def log_comparison(comparison: RunComparison) -> str:
    """Write a comparison to the second run, and return the folder among its artifacts.

    Three files (JSON, CSV, Markdown), and a tag ``tppo.vs.<first run's short id>`` with the verdict in a sentence, so
    that the list of runs can show it as a column.
    """
    folder = f"comparisons/{comparison.part}-vs-{comparison.first.run_id[:8]}"
    run, api = comparison.second.run_id, client()
    for suffix, text in (("json", as_json(comparison)), ("csv", as_csv(comparison)), ("md", as_markdown(comparison))):
        api.log_text(run, text, f"{folder}/comparison.{suffix}")
    said = f"{comparison.part}: {sentence(comparison.result)}"
    api.set_tag(run, f"tppo.vs.{comparison.first.run_id[:8]}", f"vs {comparison.first.name}, {said}")
    return folder


def sentence(result: Comparison) -> str:
    """Say in one line how much better the second is, and whether that is more than chance."""
    d, p = result.f1_macro.difference, result.f1_macro.p
    if not p < 0.05:
        verdict = "no difference beyond chance"
    else:
        verdict = "significantly better" if d.value > 0 else "significantly worse"
    return f"macro-F1 {d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f}), p = {p:.4f}: {verdict}"


def as_json(comparison: RunComparison) -> str:
    """Return all numbers of a comparison as JSON; undefined and infinite ones as null."""
    result = comparison.result
    record = {
        "first": {"run_id": comparison.first.run_id, "name": comparison.first.name},
        "second": {"run_id": comparison.second.run_id, "name": comparison.second.name},
        "part": comparison.part,
        "n_articles": result.n_articles,
        "n_groups": result.n_groups,
        "n_bootstrap": result.n_bootstrap,
        "left_out": list(comparison.left_out),
        "macro_labels": list(result.macro_labels),
        "f1_macro": asdict(result.f1_macro),
        "labels": {
            key: {
                **asdict(found),
                "right": {
                    **asdict(found.right),
                    "odds_ratio": found.right.odds_ratio,
                    "cohen_g": found.right.cohen_g,
                },
            }
            for key, found in result.labels.items()
        },
    }
    return json.dumps(_finite(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Replace NaN and infinities by None: JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


COLUMNS = (
    "label",
    "f1_first",
    "f1_second",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "only_first_right",
    "only_second_right",
    "mcnemar_p",
    "mcnemar_p_holm",
    "odds_ratio",
    "cohen_g",
)


def table_rows(result: Comparison) -> list[dict[str, Any]]:
    """Return a row per label and one for the macro mean, with the columns `COLUMNS`; absent values are None."""
    rows = []
    for key, found in [*result.labels.items(), ("macro (modus)", None)]:
        f1 = found.f1 if found else result.f1_macro
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row.update(label=key, f1_first=f1.first, f1_second=f1.second, difference=f1.difference.value, p=f1.p)
        row.update(low=f1.difference.low, high=f1.difference.high)
        if found:
            right = found.right
            row.update(p_holm=found.f1_p_holm, only_first_right=right.only_first, only_second_right=right.only_second)
            row.update(mcnemar_p=right.p, mcnemar_p_holm=found.right_p_holm)
            row.update(odds_ratio=right.odds_ratio, cohen_g=right.cohen_g)
        rows.append(row)
    return rows


def as_csv(comparison: RunComparison) -> str:
    """Return `table_rows` as CSV."""
    import pandas as pd

    return pd.DataFrame(table_rows(comparison.result), columns=list(COLUMNS)).to_csv(index=False)


def as_markdown(comparison: RunComparison) -> str:
    """Return a comparison as a page for people."""
    result = comparison.result
    left_out = f" Labels of one run only: {', '.join(comparison.left_out)}." if comparison.left_out else ""
    lines = [
        f"# {comparison.second.shown} against {comparison.first.shown}",
        "",
        f"Part `{comparison.part}`: {result.n_articles:,} articles in {result.n_groups:,} syndication groups. "
        f"{sentence(result)}.{left_out}",
        "",
        "| label | F1 first | F1 second | difference (95 %) | p | p Holm | only first right | only second right "
        "| McNemar p | p Holm | odds ratio | Cohen's g |",
        "|---|" + "---:|" * 11,
    ]
    for row in table_rows(result):
        spread = f"{_n(row['difference'], '+.3f')} ({_n(row['low'], '+.3f')} to {_n(row['high'], '+.3f')})"
        cells = [row["label"], _n(row["f1_first"]), _n(row["f1_second"]), spread, _n(row["p"], ".4f")]
        cells += [_n(row["p_holm"], ".4f"), _n(row["only_first_right"], "d"), _n(row["only_second_right"], "d")]
        cells += [_n(row["mcnemar_p"], ".4f"), _n(row["mcnemar_p_holm"], ".4f")]
        cells += [_n(row["odds_ratio"], ".2f"), _n(row["cohen_g"], "+.2f")]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Differences are second minus first. F1: paired bootstrap of whole syndication groups, {result.n_bootstrap:,} "
        "resamples, percentile interval. McNemar: exact test of the articles that only one run has right (it takes "
        "copies of one story as independent). Holm: corrected over the labels. Odds ratio: articles only the second "
        "has right to those only the first has. A p-value above 0.05 is no proof that the runs are equally good: see "
        "the interval.",
        "",
    ]
    return "\n".join(lines)


def _n(value: float | None, form: str = ".3f") -> str:
    return "" if value is None or value != value else format(value, form)
