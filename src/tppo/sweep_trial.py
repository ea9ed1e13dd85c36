"""One trial of a sweep, in a worker process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from tppo.classify import YES
from tppo.config import TrainConfig, compose, flatten
from tppo.console import console
from tppo.corpus import Article
from tppo.dataset import load_parts, truth
from tppo.evaluate import evaluate
from tppo.processes import become_worker, usable_cores
from tppo.tracking.source import code_digest
from tppo.tracking.sweeps import EXPERIMENT, SCREENED, TRIAL, Trial, log_pruned_trial

__all__ = ["Outcome", "Task", "run_task", "start_worker"]

Stage = Literal["screen", "prune", "train"]


@dataclass(frozen=True)
class Task:
    """What a worker is to do.

    Parameters
    ----------
    parent : str
        Id of the sweep's run.
    overrides : sequence of str
        Settings that all trials share.
    values : mapping
        Override key to the value to try.
    metric : str
        What is maximised.
    stage : {"screen", "prune", "train"}
        Score with a share of the articles; log as given up; train and log.
    share : float or None
        Of the training articles, for the screening.
    screened : float or None
        What the screening gave, to be logged too.
    """

    parent: str
    overrides: Sequence[str]
    values: Mapping[str, Any]
    metric: str
    stage: Stage
    share: float | None
    screened: float | None


@dataclass(frozen=True)
class Outcome:
    """What came of a task: the score of a screening, or the trial that was logged."""

    screened: float | None
    trial: Trial | None


def start_worker(workers: int) -> None:
    """Prepare a process for trials: silent, with its share of the cores, gone when the parent is."""
    become_worker()
    console.quiet = True
    threadpool_limits(max(1, usable_cores() // workers))


def run_task(task: Task) -> Outcome:
    """Do one task; see `Task`."""
    from tppo.train import train

    name = ", ".join(f"{key.removeprefix('classifier.')}={value}" for key, value in task.values.items())
    overrides = [*task.overrides, *(f"{key}={value}" for key, value in task.values.items())]
    config = compose(
        "train", [*overrides, f"tracking.experiment={EXPERIMENT}", f"tracking.run_name={name}"], TrainConfig
    )
    code = code_digest()
    tags = {TRIAL: json.dumps(dict(task.values)), "mlflow.parentRunId": task.parent, "tppo.code_digest": code}
    if task.screened is not None:
        tags[SCREENED] = repr(task.screened)
    if task.stage == "screen":
        assert task.share is not None
        return Outcome(_screen(config, task.share, task.metric), None)
    if task.stage == "prune":
        run_id = log_pruned_trial(name, flatten(config), tags)
        return Outcome(task.screened, Trial(run_id, name, task.values, {}, code, task.screened, is_pruned=True))
    result = train(config, register=False, tags=tags)
    return Outcome(
        task.screened, Trial(result.run.run_id, name, task.values, dict(result.metrics), code, task.screened)
    )


def _screen(config: TrainConfig, share: float, metric: str) -> float:
    """Return a score on held-out folds of a share of the training articles."""
    from tppo.train import fit

    articles = _draw(load_parts(config).learn, share, config.seed)
    fitted = fit(config, articles, {})
    found = evaluate(
        truth(articles, fitted.model.keys),
        fitted.held_out,
        fitted.held_out_decisions == YES,
        labels=fitted.model.keys,
        macro_labels=config.taxonomy.modus_keys,
        n_bootstrap=0,
    )
    return dict(found.flat())[metric.removeprefix("oof/")]


def _draw(articles: Sequence[Article], share: float, seed: int) -> list[Article]:
    """Return a share of the articles: whole groups, in random order."""
    groups: dict[str, list[Article]] = {}
    for article in articles:
        groups.setdefault(article.group or article.id, []).append(article)
    names = sorted(groups)
    np.random.default_rng(seed).shuffle(names)
    taken: list[Article] = []
    for name in names:
        if len(taken) >= share * len(articles):
            break
        taken += groups[name]
    return taken
