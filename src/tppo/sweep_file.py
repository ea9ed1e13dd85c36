"""The file that describes a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tppo.errors import UsageError

__all__ = ["PruneConfig", "Range", "SweepConfig", "load_sweep"]

Choice = str | int | float | bool


class Range(BaseModel):
    """Numbers to search between, both ends included; `log` spreads the trials evenly over their logarithms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    log: bool = False
    integer: bool = False


class PruneConfig(BaseModel):
    """When to give a trial up.

    A training has no scores on the way that could be watched. So each trial is first made with
    `share` of the training articles (whole syndication groups), and is given up if its score there is below the median
    of the trials finished before, once there are `after` of them. What is best with few articles need not be best with
    all; and where nothing is given up, it costs time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    after: Annotated[int, Field(ge=1)] = 5


class SweepConfig(BaseModel):
    """A sweep file.

    Attributes
    ----------
    name : str
        Of the parent run.
    space : dict
        Override key to the list of its values, or (``tpe`` only) to a range.
    sampler : {"grid", "tpe"}
        All combinations, or a tree-structured Parzen estimator. No combination is tried twice.
    trials : int or None
        Number of trials; all combinations if None.
    metric : str
        What is maximised: a score on held-out folds of the training part (``oof/...``); the test part stays unseen.
    overrides : list of str
        Settings that all trials share.
    prune : PruneConfig or None
        When to give a trial up; never if None.
    seed : int
        Of the sampler.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    space: Annotated[
        dict[str, Annotated[tuple[Choice, ...], Field(min_length=1)] | Range],
        Field(min_length=1),
    ]
    sampler: Literal["grid", "tpe"] = "grid"
    trials: Annotated[int, Field(ge=1)] | None = None
    metric: str = "oof/f1_macro"
    overrides: tuple[str, ...] = ()
    prune: PruneConfig | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @model_validator(mode="after")
    def _parts_fit_together(self) -> SweepConfig:
        if self.sampler == "grid" and any(isinstance(values, Range) for values in self.space.values()):
            raise ValueError("a grid needs lists of values; ranges need sampler: tpe")
        if self.sampler == "tpe" and self.trials is None:
            raise ValueError("sampler tpe needs a number of trials")
        if not self.metric.startswith("oof/"):
            raise ValueError("metric must be one on held-out folds (oof/…), so that the test part stays unseen")
        return self


def load_sweep(path: Path) -> SweepConfig:
    """Read a sweep file.

    Raises
    ------
    UsageError
        If it cannot be read or does not fit.
    """
    try:
        return SweepConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read sweep {path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        message = first["msg"].removeprefix("Value error, ")
        got = f", got {first.get('input')!r:.60}" if first["loc"] else ""
        raise UsageError(f"sweep {path}: {where}: {message}{got}") from None
