"""What a sweep says in the end: a table of its trials, and which of them are worse than the best beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tppo.errors import DataError, UsageError
from tppo.evaluate.comparison import holm
from tppo.tracking.comparison import compare_runs
from tppo.tracking.lookup import find_run
from tppo.tracking.sweeps import Trial

__all__ = ["differences_to", "trial_plot", "trial_table"]

VS_BEST = "vs_best/f1_macro"
RESAMPLES = 2000


def differences_to(best: Trial, others: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Compare trials with the best one on held-out folds: a paired bootstrap, p-values corrected over the trials.

    Parameters
    ----------
    best : Trial
        Of the sweep.
    others : sequence of Trial
        Those that were scored on other articles are left out.

    Returns
    -------
    dict of str to dict of str to float
        By run id: trial minus best in macro-F1, its 95 % interval, and Holm's p-value.
    """
    found: dict[str, dict[str, float]] = {}
    first = find_run(best.run_id)
    for trial in others:
        try:
            score = compare_runs(first, find_run(trial.run_id), part="oof", n_bootstrap=RESAMPLES).result.f1_macro
        except (DataError, UsageError):
            continue
        d = score.difference
        found[trial.run_id] = {VS_BEST: d.value, f"{VS_BEST}_lo": d.low, f"{VS_BEST}_hi": d.high, "vs_best/p": score.p}
    for metrics, p in zip(found.values(), holm([metrics["vs_best/p"] for metrics in found.values()])):
        metrics["vs_best/p"] = p
    return found


def trial_table(trials: Sequence[Trial], differences: Mapping[str, Mapping[str, float]], *, metric: str) -> str:
    """Return the trials as a Markdown table.

    Parameters
    ----------
    trials : sequence of Trial
        Best first.
    differences : mapping
        From `differences_to`.
    metric : str
        What was maximised.
    """
    keys = list(trials[0].values)
    lines = [
        f"| {' | '.join(keys)} | {metric} | against the best (95 %) | p (Holm) | test/f1_macro | training, s |",
        "|" + "---|" * len(keys) + "---:|" * 5,
    ]
    for trial in trials:
        d, m = differences.get(trial.run_id), trial.metrics
        spread = f"{d[VS_BEST]:+.3f} ({d[f'{VS_BEST}_lo']:+.3f} to {d[f'{VS_BEST}_hi']:+.3f})" if d else ""
        score = f"{m[metric]:.3f}" if metric in m else "given up"
        cells = [
            *(str(trial.values[key]) for key in keys),
            score,
            spread,
            f"{d['vs_best/p']:.3f}" if d else "",
            f"{m['test/f1_macro']:.3f}" if "test/f1_macro" in m else "",
            f"{m['time/fit_s']:.0f}" if "time/fit_s" in m else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "The best is the highest of many, so its own score is somewhat too high. Differences: paired bootstrap over "
        "syndication groups on held-out folds; p corrected over the trials (Holm). Settings are chosen by "
        "the folds; the test part is shown, not used. A p-value above 0.05 does not prove two settings equally good.",
        "",
    ]
    return "\n".join(lines)


def trial_plot(trials: Sequence[Trial], differences: Mapping[str, Mapping[str, float]], *, metric: str) -> Any:
    """Draw what `trial_table` tells of the differences; None if there are none."""
    from tppo.evaluate.figures import differences_plot

    shown = [(trial.name, differences[trial.run_id]) for trial in trials if trial.run_id in differences]
    if not shown:
        return None
    spans = [(d[VS_BEST], d[f"{VS_BEST}_lo"], d[f"{VS_BEST}_hi"]) for _, d in shown]
    best = f"{trials[0].name} ({trials[0].metrics[metric]:.3f})"
    return differences_plot([name for name, _ in shown], spans, best=best, metric=metric)
