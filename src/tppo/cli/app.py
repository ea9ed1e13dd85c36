"""The command line: thin parsers over plain functions. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import glob
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tppo import __version__
from tppo.cli.corpus import corpus_app
from tppo.cli.runs import runs_app
from tppo.errors import TppoError, UsageError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Label Indonesian news on human trafficking (TPPO) by modus, and track every experiment in MLflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(corpus_app, name="corpus")
app.add_typer(runs_app)

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[OVERRIDES]...", help="e.g. embedding=tfidf-svd classifier.C=3")
]


class Format(StrEnum):
    """File formats of labelled output."""

    parquet = "parquet"
    jsonl = "jsonl"
    csv = "csv"


class Engine(StrEnum):
    """Where labelling runs."""

    local = "local"
    ray = "ray"


@app.command()
def train(overrides: Overrides = None) -> None:
    """Train and score a model on labelled articles; log the run and register the model."""
    from tppo.cli.show import show_training
    from tppo.config import TrainConfig, compose
    from tppo.train import train as run

    show_training(run(compose("train", overrides or [], TrainConfig)))


@app.command()
def topics(overrides: Overrides = None) -> None:
    """Find topics in articles, measure whether they come back, and log a run with plots."""
    from tppo.cli.show_topics import show_topics
    from tppo.config import TopicsConfig, compose
    from tppo.topics_run import run_topics

    show_topics(run_topics(compose("topics", overrides or [], TopicsConfig)))


@app.command()
def label(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[INPUT|OVERRIDE]...", help="Files, folders or globs.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for parts, manifest and quarantine.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Label this one article and show its evidence; - reads standard input.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="MLflow model URI, or a folder.")] = None,
    format: Annotated[Format | None, typer.Option(help="Format of the parts.")] = None,
    engine: Annotated[Engine | None, typer.Option(help="Processes on this machine, or a Ray cluster.")] = None,
    ray_address: Annotated[
        str | None, typer.Option(help="Of the cluster, or auto; default: one is started on this machine.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one per core, none for a small job.")] = None,
    sample: Annotated[int | None, typer.Option(help="Label only so many rows, drawn evenly, for a quick look.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a byte order mark, for Excel.")] = False,
    track: Annotated[bool, typer.Option("--track", help="Log counts, rates and drift in MLflow.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace an earlier job's output in the folder.")] = False,
) -> None:
    """Label articles with a trained model."""
    from tppo.config import LabelConfig, compose

    paths = [item for item in inputs or [] if _is_input(item)]
    given = [item for item in inputs or [] if item not in paths]
    given += [f"model={model}"] if model else []
    given += [f"format={format.value}"] if format else []
    given += [f"engine={engine.value}"] if engine else []
    given += [f"ray_address={ray_address}"] if ray_address else []
    given += [f"workers={workers}"] if workers is not None else []
    given += [f"sample={sample}"] if sample is not None else []
    given += ["bom=true"] if bom else []
    config = compose("label", given, LabelConfig)
    if (text is None) == (not paths):
        raise UsageError("give either files to label or --text TEXT")
    if text is not None:
        from tppo.cli.label import show_article

        show_article(config, sys.stdin.read() if text == "-" else text)
    elif out is None:
        raise UsageError("give --out DIR, the folder to write labels to")
    else:
        from tppo.cli.label import show_labelling

        show_labelling(config, paths, out, fresh=fresh, track=track)


def _is_input(item: str) -> bool:
    """Tell a file, folder, glob or URI from an override."""
    return "://" in item.partition("=")[0] or "=" not in item or Path(item).exists() or bool(glob.glob(item))  # noqa: PTH207 (absolute)


@app.command()
def evaluate(
    data: Annotated[list[str], typer.Argument(metavar="DATA...", help="Labelled articles: files, folders or globs.")],
    model: Annotated[str, typer.Option(help="MLflow model URI, or a folder.")] = "models:/tppo-modus@champion",
) -> None:
    """Score a trained model on labelled articles, with intervals."""
    from tppo.cli.show import show_evaluation

    show_evaluation(data, model)


@app.command()
def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for the encoder.")],
    pairs: Annotated[list[str] | None, typer.Option(help="JSONL files of pairs, folders or globs; repeatable.")] = None,
    corpus: Annotated[list[str] | None, typer.Option(help="Articles to mine pairs from; repeatable.")] = None,
    teacher: Annotated[str, typer.Option(help="auto, none, or the folder of an English encoder.")] = "auto",
    dimension: Annotated[int, typer.Option(help="Length of the vectors.")] = 256,
    vocab_size: Annotated[int, typer.Option(help="Tokens at most.")] = 40_000,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 600,
    seed: Annotated[int, typer.Option(help="For everything drawn at random.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch; one repeats bit for bit.")] = 1,
    track: Annotated[bool, typer.Option(help="Log the run in MLflow.")] = True,
) -> None:
    """Train a static sentence encoder from text pairs and any corpus, on a CPU."""
    from tppo.cli.encoder import show_pretraining
    from tppo.pretrain import Recipe

    if not pairs and not corpus:
        raise UsageError("give --pairs FILES, --corpus FILES, or both")
    recipe = Recipe(dimension=dimension, vocab_size=vocab_size, steps=steps, seed=seed)
    show_pretraining(pairs or [], corpus or [], out, teacher=teacher, recipe=recipe, threads=threads, track=track)


@app.command()
def sweep(
    file: Annotated[Path, typer.Argument(metavar="SWEEP.YAML", help="What to search; see experiments/.")],
    workers: Annotated[int, typer.Option(min=1, help="Trials at a time, each in a process of its own.")] = 1,
    register: Annotated[bool, typer.Option("--register", help="Train the best once more, and register it.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever is finished.")] = False,
) -> None:
    """Search over configurations; a stopped sweep goes on where it stopped."""
    from tppo.cli.show import show_sweep
    from tppo.sweep import sweep as run
    from tppo.sweep_file import load_sweep

    show_sweep(run(load_sweep(file), workers=workers, register=register, fresh=fresh))


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Open the MLflow UI on this machine (127.0.0.1 only) to compare runs."""
    from tppo.tracking.registry import serve_ui

    serve_ui(port)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tppo {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; errors the user can mend are one line and exit code 1 or 2."""
    try:
        app()
    except TppoError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as stop:
        if stop.code in (130, 143):  # what typer makes of an interruption, and `tppo label` of SIGTERM
            _fail("interrupted; the same command goes on where it stopped", int(stop.code))
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", 1)
    except Exception as error:
        from tppo.tracking.registry import store_problem

        problem = store_problem(error)
        if problem is None:
            raise
        _fail(problem, 1)


def _fail(message: str, code: int) -> None:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)
