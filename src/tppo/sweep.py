"""Search over configurations: Optuna proposes, `tppo.train.train` scores, MLflow shows and remembers the trials."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import math
import multiprocessing
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tppo.config import TrainConfig, compose
from tppo.console import console
from tppo.corpus import find_files
from tppo.errors import DataError, UsageError
from tppo.sweep_file import Range, SweepConfig
from tppo.sweep_report import differences_to, trial_plot, trial_table
from tppo.sweep_trial import Outcome, Stage, Task, run_task, start_worker
from tppo.tracking.source import code_digest
from tppo.tracking.sweeps import Trial, close_sweep, end_running_trials, finished_trials, open_sweep

__all__ = ["SweepResult", "sweep"]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Parameters
    ----------
    best : Trial
        With the highest score; the earlier one of two with the same.
    metric : str
        What was maximised.
    trials : list of Trial
        Finished ones, best first; given-up ones last.
    run_id : str
        Of the parent run.
    version : int or None
        Of the model registered with the best settings, if that was asked for.
    """

    best: Trial
    metric: str
    trials: list[Trial]
    run_id: str
    version: int | None = None

    @property
    def overrides(self) -> list[str]:
        """The best settings, as `tppo train` takes them."""
        return [f"{key}={value}" for key, value in self.best.values.items()]


def sweep(config: SweepConfig, *, workers: int = 1, register: bool = False, fresh: bool = False) -> SweepResult:
    """Run the trials of a sweep that are not finished yet.

    A sweep with the same settings and articles goes on where it stopped: finished trials are read back from MLflow.

    Parameters
    ----------
    config : SweepConfig
        From `tppo.sweep_file.load_sweep`.
    workers : int
        Trials at a time, each in a process of its own.
    register : bool
        Train once more with the best settings, and register that model.
    fresh : bool
        Begin anew, whatever is finished.

    Raises
    ------
    UsageError
        If a setting does not exist, a value does not fit, or the sweep is running already.
    DataError
        If a worker dies.
    """
    run_id = open_sweep(config.name, _digest(config), fresh=fresh)
    status = "FAILED"
    try:
        search = _Search(config, finished_trials(run_id))
        if search.trials:
            console.print(f"{len(search.trials)} trials are finished already; going on with run {run_id}", markup=False)
            if {trial.code for trial in search.trials} != {code_digest()}:
                console.print("some of them were made by other code; --fresh begins anew", markup=False)
        _run(search, run_id, min(workers, search.n_left()))
        result = _report(config, search.trials, run_id)
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        if status != "FINISHED":
            end_running_trials(run_id)
            close_sweep(run_id, status=status)
    if not register:
        return result
    from tppo.train import train

    logged = train(compose("train", [*config.overrides, *result.overrides], TrainConfig)).run
    return SweepResult(result.best, result.metric, result.trials, run_id, logged.version)


def _digest(config: SweepConfig) -> str:
    """Return a digest of everything that the trials depend on but the code; checks every value on the way."""
    values = {key: _ends(space) if isinstance(space, Range) else list(space) for key, space in config.space.items()}
    first = {key: of_key[0] for key, of_key in values.items()}
    settings = [{**first, key: value} for key, of_key in values.items() for value in of_key]
    variants = [
        compose("train", [*config.overrides, *(f"{key}={value}" for key, value in chosen.items())], TrainConfig)
        for chosen in settings
    ]
    paths = {path for variant in variants for path in find_files(variant.corpus.paths)}
    paths |= {
        Path(variant.split.file) for variant in variants if variant.split.file and Path(variant.split.file).is_file()
    }
    parts = [config.model_dump_json(exclude={"trials"})]
    parts += [variant.model_dump_json() for variant in variants]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _ends(space: Range) -> list[Any]:
    return [int(end) if space.integer else end for end in (space.low, space.high)]


class _Search:
    """What was tried, what is being tried, and what to try next. No settings are tried twice."""

    def __init__(self, config: SweepConfig, trials: Sequence[Trial]) -> None:
        import optuna

        logging.getLogger("optuna").setLevel(logging.ERROR)
        self.config = config
        self.trials = list(trials)
        self._distributions = {key: _distribution(space) for key, space in config.space.items()}
        # Seeded by what is done as well, so that one who goes on does not draw the same settings again.
        seed = config.seed + len(trials)
        self._random = random.Random(seed)
        median = optuna.pruners.MedianPruner(n_startup_trials=config.prune.after if config.prune else 5)
        # constant_liar: settings near to those that other workers are trying are taken for bad ones meanwhile.
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler, pruner=median)
        self._tried = {_key(trial.values) for trial in trials}
        for trial in trials:
            self._study.add_trial(self._as_optuna(trial))

    def _as_optuna(self, trial: Trial) -> Any:
        """Return a trial that is done as Optuna's, for its sampler to learn from."""
        import optuna

        return optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED if trial.is_pruned else optuna.trial.TrialState.COMPLETE,
            params={key: trial.values[key] for key in self._distributions},
            distributions=self._distributions,
            value=None if trial.is_pruned else trial.metrics[self.config.metric],
            intermediate_values={} if trial.screened is None else {0: trial.screened},
        )

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield every combination of a space of lists; none if there is a range."""
        if not any(isinstance(space, Range) for space in self.config.space.values()):
            for values in itertools.product(*self.config.space.values()):
                yield dict(zip(self.config.space, values))

    def n_left(self) -> int:
        """Return how many trials are still to be begun."""
        n_all = math.prod(math.inf if isinstance(space, Range) else len(space) for space in self.config.space.values())
        wanted = n_all if self.config.trials is None else min(self.config.trials, n_all)
        return max(0, int(wanted) - len(self._tried))

    def propose(self) -> Any:
        """Return an Optuna trial with settings that were not tried yet; None if there are enough."""
        if self.n_left() == 0:
            return None
        trial = None
        if self.config.sampler == "tpe":
            trial = self._study.ask(self._distributions)
            if _key(trial.params) in self._tried:
                self._study.tell(trial, state=_states().FAIL)
                trial = None
        if trial is None:
            left = [values for values in self.combinations() if _key(values) not in self._tried]
            self._study.enqueue_trial(left[0] if self.config.sampler == "grid" else self._random.choice(left))
            trial = self._study.ask(self._distributions)
        self._tried.add(_key(trial.params))
        return trial

    def is_hopeless(self, asked: Any, screened: float) -> bool:
        """Whether a screening went worse than the median of the trials finished before."""
        asked.report(screened, 0)
        return bool(asked.should_prune())

    def finish(self, asked: Any, trial: Trial) -> None:
        """Take in what came of a trial."""
        if trial.is_pruned:
            self._study.tell(asked, state=_states().PRUNED)
        elif self.config.metric in trial.metrics:
            self._study.tell(asked, trial.metrics[self.config.metric])
        else:
            named = ", ".join(sorted(trial.metrics)[:12])
            raise UsageError(f"no metric {self.config.metric!r}; there are {named} …")
        self.trials.append(trial)


def _states() -> Any:
    from optuna.trial import TrialState

    return TrialState


def _distribution(space: Range | tuple[Any, ...]) -> Any:
    """Return Optuna's distribution for the values of one key."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(space, Range):
        return CategoricalDistribution(list(space))
    if space.integer:
        return IntDistribution(int(space.low), int(space.high), log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)


def _key(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def _run(search: _Search, run_id: str, workers: int) -> None:
    """Keep the workers busy until nothing is left to try."""
    if workers < 1:
        return
    config = search.config
    n_all = len(search.trials) + search.n_left()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker, initargs=(workers,))
    running: dict[Future[Outcome], Any] = {}

    def submit(asked: Any, stage: Stage, screened: float | None = None) -> None:
        share = config.prune.share if config.prune else None
        task = Task(run_id, config.overrides, asked.params, config.metric, stage, share, screened)
        running[pool.submit(run_task, task)] = asked

    try:
        while True:
            while len(running) < workers and (asked := search.propose()):
                submit(asked, "screen" if config.prune else "train")
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                outcome = future.result()
                asked, trial, screened = running.pop(future), outcome.trial, outcome.screened
                if trial is None:
                    assert screened is not None
                    submit(asked, "prune" if search.is_hopeless(asked, screened) else "train", screened)
                    continue
                search.finish(asked, trial)
                score = "given up" if trial.is_pruned else f"{trial.metrics[config.metric]:.4f}"
                console.print(
                    f"trial {len(search.trials)} of {n_all}: {score}  {trial.name}", markup=False, soft_wrap=True
                )
    except BrokenProcessPool:
        raise DataError(
            "a worker process died, perhaps for want of memory; the same command goes on where it stopped "
            "(with fewer --workers it takes less memory)"
        ) from None
    finally:
        for process in multiprocessing.active_children() if running else ():
            process.terminate()
        pool.shutdown(cancel_futures=True)


def _report(config: SweepConfig, trials: Sequence[Trial], run_id: str) -> SweepResult:
    """Find the best trial, compare the others with it, and write that to MLflow."""
    complete = [trial for trial in trials if not trial.is_pruned]
    if not complete:
        raise DataError("no trial was finished: every one was given up after the screening")
    ranked = sorted(complete, key=lambda trial: -trial.metrics[config.metric])
    best = ranked[0]
    differences = differences_to(best, ranked[1:])
    ranked += [trial for trial in trials if trial.is_pruned]
    table = trial_table(ranked, differences, metric=config.metric)
    plot = trial_plot(ranked, differences, metric=config.metric)
    tags = {f"best.{key}": str(value) for key, value in best.values.items()}
    close_sweep(
        run_id,
        status="FINISHED",
        tags={**tags, "mlflow.note.content": table},
        metrics={name: value for name, value in best.metrics.items() if not name.startswith("time/")},
        texts={"trials.md": table},
        figures={"trials.png": plot} if plot else {},
        differences=[(trial, found) for trial, found in differences.items()],
    )
    return SweepResult(best, config.metric, ranked, run_id)
