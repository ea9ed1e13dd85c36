"""Make a run again from what it logged, and see whether the same comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from tppo.config import TrainConfig
from tppo.dataset import Parts, data_digest, load_parts
from tppo.errors import DataError
from tppo.tracking.lookup import PREDICTIONS, REPRODUCES, StoredRun, find_run, read_text
from tppo.tracking.runs import note_reproduction
from tppo.tracking.source import code_commit, code_digest, environment
from tppo.train import train

__all__ = ["Difference", "Reproduction", "reproduce"]

# What may differ between two runs that are equal: times, how full the cache was, who the champion was.
_NOT_COMPARED = ("time/", "vs_champion/", "vs_best/")


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was: what, in the first run, and now."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again.

    Parameters
    ----------
    original, again : StoredRun
        The two runs.
    changed : list of Difference
        What was not the same before training: code, data, libraries. They explain differences, and are none.
    differences : list of Difference
        Metrics (exactly), predictions (byte for byte) and model digest that did not come out the same.
    n_metrics : int
        Metrics compared.
    """

    original: StoredRun
    again: StoredRun
    changed: list[Difference]
    differences: list[Difference]
    n_metrics: int

    @property
    def is_equal(self) -> bool:
        """Whether everything came out the same."""
        return not self.differences


def reproduce(original: StoredRun) -> Reproduction:
    """Train again with the configuration that a run logged, into a new run, and compare.

    Parameters
    ----------
    original : StoredRun
        From `tppo.tracking.lookup.find_run`.

    Raises
    ------
    DataError
        If the run's configuration is of another version of tppo, or its articles are not there.
    """
    config = _logged_config(original)
    changed = _changes(original, load_parts(config))
    named = config.tracking.model_copy(update={"run_name": f"again: {original.name}"})
    result = train(config.model_copy(update={"tracking": named}), register=False)
    again = find_run(result.run.run_id)
    metrics = [{k: v for k, v in r.metrics.items() if not k.startswith(_NOT_COMPARED)} for r in (original, again)]
    differences = _differing(metrics[0], metrics[1])
    digest = "tppo.model_digest"
    differences += _differing({digest: original.tags.get(digest)}, {digest: again.tags.get(digest)})
    for part, path in PREDICTIONS.items():
        before, after = (read_text(run, path).splitlines() for run in (original, again))
        rows = sum(a != b for a, b in zip(before, after)) + abs(len(before) - len(after))
        if rows:
            differences.append(Difference(f"predictions {part}", f"{len(before) - 1} rows", f"{rows} rows differ"))
    note_reproduction(again.run_id, original.run_id, is_equal=not differences)
    return Reproduction(original, find_run(again.run_id), changed, differences, len(metrics[0]))


def _logged_config(run: StoredRun) -> TrainConfig:
    """Return the configuration that a run logged."""
    if REPRODUCES in run.tags:
        raise DataError(f"run {run.shown} was itself made again from {run.tags[REPRODUCES]}: reproduce that one")
    try:
        return TrainConfig.model_validate_json(read_text(run, "config.json"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        commit = run.tags.get("git.commit", "unknown")
        raise DataError(
            f"the configuration of run {run.shown} does not fit this version of tppo ({where}: {first['msg']}); "
            f"check out the code it was made with: {commit}"
        ) from None


def _changes(run: StoredRun, parts: Parts) -> list[Difference]:
    """Return what is not as it was when a run was made: articles, split, code and libraries."""
    split = json.loads(read_text(run, "split.json"))
    before = {
        "articles": run.tags.get("tppo.data_digest"),
        "test articles": run.tags.get("tppo.test_digest"),
        "articles in the split": _sizes(split["train"], split["test"]),
        "code": run.tags.get("tppo.code_digest"),
    }
    after = {
        "articles": data_digest([*parts.learn, *parts.test]),
        "test articles": data_digest(parts.test),
        "articles in the split": _sizes(parts.split.train, parts.split.test),
        "code": code_digest(),
    }
    changed = _differing(before, after)
    if any(d.what == "code" for d in changed):
        changed.append(Difference("commit", run.tags.get("git.commit", "unknown"), code_commit()))
    return changed + _differing(json.loads(read_text(run, "environment.json")), environment())


def _sizes(learn: Sequence[str], test: Sequence[str]) -> str:
    return f"{len(learn)} + {len(test)}"


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[Difference]:
    """Return what differs, by name."""
    names = sorted({*before, *after})
    return [
        Difference(name, str(before.get(name, "-")), str(after.get(name, "-")))
        for name in names
        if before.get(name) != after.get(name)
    ]
