"""What `tppo pretrain` does: train an encoder, log the run, say how to use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tppo.embedding import StaticEncoder
from tppo.pretrain import Recipe, find_teacher, pretrain, read_sources
from tppo.pretrain.export import check_out
from tppo.tracking.encoders import log_encoder_run

__all__ = ["show_pretraining"]

_out = Console(highlight=False)


def show_pretraining(
    pairs: Sequence[str], corpus: Sequence[str], out: Path, *, teacher: str, recipe: Recipe, threads: int, track: bool
) -> None:
    """Train an encoder from files, log it in MLflow, and print its figures.

    Parameters
    ----------
    pairs, corpus : sequence of str
        Files, folders or globs, see `tppo.pretrain.read_sources`.
    out : Path
        The encoder's folder.
    teacher : str
        ``auto``, ``none`` or a folder.
    recipe : Recipe
        Settings.
    threads : int
        Of torch.
    track : bool
        Whether the run is logged.
    """
    check_out(out)
    found = find_teacher(teacher)
    sources = read_sources(pairs, corpus)
    _out.print(
        f"{len(sources.texts):,} texts, {len(sources.pairs):,} pairs, {len(sources.negatives):,} hard negatives, "
        f"{len(sources.parallel):,} translated; {'with' if found and sources.parallel else 'without'} a teacher"
    )
    result = pretrain(sources, out, recipe=recipe, teacher=found, threads=threads)
    for name, value in result.metrics.items():
        _out.print(f"{name:<16} {value:,.3f}")
    if track:
        run_id = log_encoder_run(
            out,
            params={
                **{name: str(value) for name, value in asdict(recipe).items()},
                "pairs": ",".join(pairs),
                "corpus": ",".join(corpus),
                "teacher": str(found.folder) if found else "none",
            },
            metrics={**result.metrics, **{f"time/{name}_s": value for name, value in result.seconds.items()}},
            history=result.history,
            tags={"tppo.encoder": StaticEncoder(out).fingerprint},
        )
        _out.print(f"run {run_id} in the experiment 'encoders'")
    _out.print(f"use it: tppo train embedding.folder={out}")
