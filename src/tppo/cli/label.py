"""What `tppo label` prints."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tppo.classify import ModusModel
from tppo.config import LabelConfig, flatten
from tppo.corpus import find_files
from tppo.labelling import LabelOptions, LabelSummary, label_files
from tppo.labelling.panel import article_panel
from tppo.labelling.report import Drift, drift_of, metrics_of
from tppo.processes import usable_cores
from tppo.tracking import resolve_model, tracking_uri, without_secrets

__all__ = ["load_model", "show_article", "show_labelling"]

_out = Console(highlight=False)

# Siddiqi's custom for the population stability index.
_STABLE, _SHIFTED = 0.1, 0.25


def load_model(uri: str) -> tuple[ModusModel, str, Path]:
    """Return a model, what to call it in rows, and the folder of its files."""
    stored = resolve_model(uri)
    model = ModusModel.load(stored.folder, digest=stored.digest)
    return model, f"{stored.name} sha256:{stored.digest}", stored.folder


def show_article(config: LabelConfig, text: str) -> None:
    """Label one text and print it with its evidence."""
    model, name, _ = load_model(config.model)
    _out.print(article_panel(model, text, model_name=name.split(" ")[0]))


def show_labelling(config: LabelConfig, inputs: Sequence[str], out: Path, *, fresh: bool, track: bool) -> None:
    """Label files and print what came of it."""
    if config.engine == "local":
        find_files(inputs)
    model, name, folder = load_model(config.model)
    options = LabelOptions(
        format=config.format,
        bom=config.bom,
        batch_size=config.batch_size,
        rows_per_part=config.rows_per_part,
        max_chars=config.max_chars,
        copies=config.copies,
        sample=config.sample,
    )
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        if config.engine == "ray":
            from tppo.labelling.ray_engine import label_with_ray

            summary = label_with_ray(
                inputs,
                out,
                model,
                model_name=name,
                options=options,
                address=config.ray_address,
                workers=config.workers,
                model_folder=folder,
                fresh=fresh,
            )
        else:
            summary = label_files(
                inputs,
                out,
                model,
                model_name=name,
                options=options,
                workers=config.workers or usable_cores(),
                model_folder=folder,
                fresh=fresh,
            )
    finally:
        signal.signal(signal.SIGTERM, before)
    _show_summary(summary, model.keys, out)
    drift = drift_of(summary, model)
    if drift is not None:
        _show_drift(drift)
    if track:
        run = _track(config, inputs, name, summary, drift, model.keys)
        _out.print(f"run {run} in experiment labelling of {without_secrets(tracking_uri())}", markup=False)


def _stop(*_: Any) -> None:
    """Leave on SIGTERM as on Ctrl-C: whole parts stay, the rest is done by the next sitting."""
    sys.exit(143)


def _show_summary(summary: LabelSummary, keys: Sequence[str], out: Path) -> None:
    """Print counts per label, what was cut off, and why rows were quarantined."""
    _out.print(
        f"{summary.articles:,} articles = {summary.labelled:,} labelled + {summary.quarantined:,} quarantined: {out}",
        markup=False,
    )
    n = max(1, summary.labelled)
    table = Table(box=None, pad_edge=False)
    table.add_column("label")
    table.add_column("articles", justify="right")
    table.add_column("share", justify="right")
    for key in keys:
        given = summary.modus.get(key, 0)
        table.add_row(key, f"{given:,}", f"{given / n:.1%}")
    for what, count in (("to review", summary.reviews), ("copies", summary.copies)):
        table.add_row(what, f"{count:,}", f"{count / n:.1%}")
    _out.print(table)
    if summary.n_tokens_dropped:
        total = summary.n_tokens + summary.n_tokens_dropped
        dropped = f"{summary.n_tokens_dropped:,} of {total:,} tokens were beyond the window limit"
        _out.print(f"{dropped}, in {summary.truncated:,} articles")
    for reason, count in sorted(summary.reasons.items(), key=lambda item: -item[1]):
        _out.print(f"quarantined: {count:,} x {reason}", markup=False)


def _show_drift(drift: Drift) -> None:
    """Print how far the articles are from those that the model was trained on."""
    _out.print("\nagainst the training articles:")
    for key, value in drift.scores.items():
        verdict = "stable" if value < _STABLE else "some shift" if value < _SHIFTED else "shifted"
        _out.print(f"  scores of {key}: stability index {value:.2f} ({verdict})")
    _out.print(f"  unlike them: {drift.outside:.1%} of the articles")
    expected = f"in held-out training articles {drift.new_words_expected:.1%}"
    _out.print(f"  not known: {drift.new_words:.1%} of {drift.n_words:,} words ({expected})")


def _track(
    config: LabelConfig,
    inputs: Sequence[str],
    name: str,
    summary: LabelSummary,
    drift: Drift | None,
    keys: Sequence[str],
) -> str:
    """Log the job in MLflow; return where the run is."""
    from tppo.tracking.labelling import log_labelling_run

    texts = {"summary.json": json.dumps(asdict(summary), indent=1)}
    if drift is not None:
        texts["drift.json"] = json.dumps(asdict(drift), indent=1)
    return log_labelling_run(
        experiment="labelling",
        run_name=Path(inputs[0]).name,
        params={**flatten(config), "model": name, "inputs": ",".join(inputs)[:500]},
        metrics=metrics_of(summary, drift, keys),
        texts=texts,
    )
