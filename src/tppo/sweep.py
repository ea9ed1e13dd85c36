"""Search over configurations: Optuna proposes, `tppo.train.train` scores, MLflow shows the trials under one run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tppo.config import TrainConfig, compose
from tppo.console import console
from tppo.errors import UsageError
from tppo.tracking import close_parent_run, open_parent_run
from tppo.train import train

__all__ = ["Range", "SweepConfig", "SweepResult", "load_sweep", "sweep"]


class Range(BaseModel):
    """Numbers to search between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    log: bool = False


class SweepConfig(BaseModel):
    """A sweep file.

    Attributes
    ----------
    name : str
        Of the parent run and of the study that a later call takes up.
    space : dict
        Override key to the list of its values, or (``tpe`` only) to a range.
    sampler : {"grid", "tpe"}
        All combinations, or a tree-structured Parzen estimator.
    trials : int or None
        Number of trials; all combinations if None.
    metric : str
        What is maximised: a score on held-out folds of the training part (``oof/...``); the test part stays unseen.
    overrides : list of str
        Settings that all trials share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    space: Annotated[dict[str, tuple[str | int | float | bool, ...] | Range], Field(min_length=1)]
    sampler: Literal["grid", "tpe"] = "grid"
    trials: Annotated[int, Field(ge=1)] | None = None
    metric: str = "oof/f1_macro"
    overrides: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class SweepResult:
    """The best settings of a sweep, their score, the number of finished trials and the parent run."""

    best: Mapping[str, Any]
    value: float
    n_trials: int
    run_id: str


def load_sweep(path: Path) -> SweepConfig:
    """Read a sweep file.

    Raises
    ------
    UsageError
        If it cannot be read or does not fit.
    """
    try:
        config = SweepConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read sweep {path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise UsageError(f"sweep {path}: {where}: {first['msg']}, got {first.get('input')!r:.60}") from None
    if config.sampler == "grid" and any(isinstance(values, Range) for values in config.space.values()):
        raise UsageError(f"sweep {path}: a grid needs lists of values; ranges need sampler: tpe")
    if config.sampler == "tpe" and config.trials is None:
        raise UsageError(f"sweep {path}: sampler tpe needs a number of trials")
    for key, values in config.space.items():
        value = values.low if isinstance(values, Range) else values[0]
        compose("train", [*config.overrides, f"{key}={value}"], TrainConfig)
    return config


def sweep(config: SweepConfig, *, storage: Path = Path(".cache/sweeps.db")) -> SweepResult:
    """Run the trials of a sweep that are not finished yet.

    Parameters
    ----------
    config : SweepConfig
        From `load_sweep`.
    storage : Path
        SQLite file that remembers finished trials.
    """
    import optuna

    logging.getLogger("optuna").setLevel(logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    choices = {key: list(values) for key, values in config.space.items() if not isinstance(values, Range)}
    sampler = (
        optuna.samplers.GridSampler(choices, seed=config.seed)
        if config.sampler == "grid"
        else optuna.samplers.TPESampler(seed=config.seed)
    )
    study = optuna.create_study(
        study_name=config.name,
        storage=f"sqlite:///{storage}",
        direction="maximize",
        sampler=sampler,
        load_if_exists=True,
    )
    run_id = open_parent_run("sweeps", config.name, study.user_attrs.get("run_id"))
    study.set_user_attr("run_id", run_id)
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def objective(trial: Any) -> float:
        values = {key: _suggest(trial, key, space) for key, space in config.space.items()}
        overrides = [*config.overrides, *(f"{key}={value}" for key, value in values.items())]
        name = ", ".join(f"{key.split('.')[-1]}={value}" for key, value in values.items())
        console.print(f"trial {trial.number}: {name}")
        overrides += ["tracking.experiment=sweeps", f"tracking.run_name={name}"]
        metrics = train(compose("train", overrides, TrainConfig), register=False, parent=run_id).metrics
        if config.metric not in metrics:
            raise UsageError(f"no metric {config.metric!r}; there are {', '.join(sorted(metrics)[:12])} …")
        return metrics[config.metric]

    done = len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    wanted = config.trials
    if wanted is None:
        wanted = 1
        for values in choices.values():
            wanted *= len(values)
    if done < wanted:
        study.optimize(objective, n_trials=wanted - done)
    best = {key: str(value) for key, value in study.best_params.items()}
    close_parent_run(run_id, params=best, metrics={config.metric: study.best_value})
    finished = len(study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    return SweepResult(study.best_params, study.best_value, finished, run_id)


def _suggest(trial: Any, key: str, space: Range | tuple[Any, ...]) -> Any:
    if isinstance(space, Range):
        return trial.suggest_float(key, space.low, space.high, log=space.log)
    return trial.suggest_categorical(key, list(space))
