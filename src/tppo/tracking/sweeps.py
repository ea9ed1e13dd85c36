"""A sweep in MLflow: one parent run, a child run per trial; what is finished there need not be repeated."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tppo.errors import UsageError
from tppo.tracking.experiments import open_run, use_experiment
from tppo.tracking.registry import client

__all__ = [
    "SCREENED",
    "TRIAL",
    "Trial",
    "close_sweep",
    "end_running_trials",
    "finished_trials",
    "log_pruned_trial",
    "open_sweep",
]

EXPERIMENT = "sweeps"
TRIAL = "tppo.trial"  # tag of a child run: its settings, as JSON
SCREENED = "tppo.screened"  # and its score with a share of the articles
PRUNED = "tppo.pruned"
_DIGEST, _OWNER = "tppo.sweep_digest", "tppo.sweep_owner"


@dataclass(frozen=True)
class Trial:
    """A trial that is done.

    Parameters
    ----------
    run_id, name : str
        Of its run.
    values : mapping
        Override key to the value that was tried.
    metrics : mapping of str to float
        As they are tracked.
    code : str
        Digest of the code that made it.
    screened : float or None
        Its score with a share of the articles, if that was asked for.
    is_pruned : bool
        Whether it was given up after the screening.
    """

    run_id: str
    name: str
    values: Mapping[str, Any]
    metrics: Mapping[str, float]
    code: str
    screened: float | None = None
    is_pruned: bool = False


def open_sweep(name: str, digest: str, *, fresh: bool = False) -> str:
    """Open the run that the trials are parts of, or take an earlier one up again.

    Trials that a kill left running are marked as killed.

    Parameters
    ----------
    name : str
        Of the run.
    digest : str
        Of settings and articles: only a run with the same is taken up.
    fresh : bool
        Never take an earlier one up.

    Returns
    -------
    str
        The run's id.

    Raises
    ------
    UsageError
        If another process is at it.
    """
    api = client()
    place = use_experiment(EXPERIMENT)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    wanted = f"tags.`{_DIGEST}` = '{digest}'"
    found = [] if fresh else api.search_runs([place], wanted, order_by=["attributes.start_time DESC"], max_results=1)
    if not found:
        tags = {"tppo.sweep": name, _DIGEST: digest, _OWNER: owner}
        return str(api.create_run(place, run_name=name, tags=tags).info.run_id)
    run = found[0]
    if run.info.status == "RUNNING" and _is_at_work(run.data.tags.get(_OWNER, "")):
        raise UsageError(f"the sweep {name!r} is running already, in process {run.data.tags[_OWNER]}; wait or stop it")
    run_id = str(run.info.run_id)
    api.set_tag(run_id, _OWNER, owner)
    end_running_trials(run_id)
    api.update_run(run_id, status="RUNNING")
    return run_id


def _is_at_work(owner: str) -> bool:
    """Whether the process that a tag names lives; False for one on another machine, about which nothing is known."""
    host, _, process = owner.rpartition(":")
    if host != socket.gethostname() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def end_running_trials(run_id: str) -> None:
    """Mark the trials of a sweep that are open, though nothing works on them, as killed."""
    api = client()
    for run in _children(api, run_id, "RUNNING"):
        api.set_terminated(run.info.run_id, status="KILLED")


def finished_trials(run_id: str) -> list[Trial]:
    """Return the finished trials of a sweep, in the order in which they were begun."""
    trials = []
    for run in _children(client(), run_id, "FINISHED"):
        tags = run.data.tags
        if TRIAL in tags:
            trials.append(
                Trial(
                    run.info.run_id,
                    run.info.run_name or "",
                    json.loads(tags[TRIAL]),
                    dict(run.data.metrics),
                    tags.get("tppo.code_digest", ""),
                    float(tags[SCREENED]) if SCREENED in tags else None,
                    PRUNED in tags,
                )
            )
    return trials


def _children(api: Any, run_id: str, status: str) -> list[Any]:
    """Return all runs below a run that have a status, the oldest first."""
    place = api.get_run(run_id).info.experiment_id
    wanted = f"tags.mlflow.parentRunId = '{run_id}' AND attributes.status = '{status}'"
    found, token = [], None
    while True:
        page = api.search_runs([place], wanted, order_by=["attributes.start_time ASC"], page_token=token)
        found += page
        if not (token := page.token):
            return found


def log_pruned_trial(name: str, params: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """Log a trial that was given up after the screening, and return the run's id."""
    import mlflow

    use_experiment(EXPERIMENT)
    note = f"**{name}**: given up after the screening, see the parent run."
    with open_run(EXPERIMENT, name, {**tags, PRUNED: "true", "mlflow.note.content": note}) as run_id:
        mlflow.log_params(dict(params))
        return run_id


def close_sweep(
    run_id: str,
    *,
    status: str,
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    texts: Mapping[str, str] | None = None,
    figures: Mapping[str, Any] | None = None,
    differences: Sequence[tuple[str, Mapping[str, float]]] = (),
) -> None:
    """End the parent run.

    Parameters
    ----------
    run_id : str
        Of the parent.
    status : {"FINISHED", "FAILED", "KILLED"}
        How it ended.
    tags, metrics, texts, figures : mapping
        What the sweep found: the best settings, their scores, tables and plots by artifact path.
    differences : sequence of (str, mapping of str to float)
        Metrics for trials, by run id.
    """
    api = client()
    for key, value in (tags or {}).items():
        api.set_tag(run_id, key, value)
    for key, number in (metrics or {}).items():
        api.log_metric(run_id, key, number)
    for path, text in (texts or {}).items():
        api.log_text(run_id, text, path)
    for path, figure in (figures or {}).items():
        api.log_figure(run_id, figure, path, save_kwargs={"dpi": 130})
    for trial, found in differences:
        for key, number in found.items():
            api.log_metric(trial, key, number)
    api.set_terminated(run_id, status=status)
