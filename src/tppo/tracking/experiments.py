"""Experiments of MLflow, with the view that its UI offers for their runs."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tppo.tracking.registry import alone_in_store, client

__all__ = ["SCORES_VIEW", "open_run", "use_experiment"]

# The UI keeps a saved view as a tag of the experiment (MLflow 3.17, not documented); that it still reads it is seen by
# tests/integration/test_ui_browser.py.
SCORES_VIEW = "mlflow.sharedViewState.tppo-scores"
# Column to its width in pixels.
_PARAMS = {"Encoder": 110, "Classifier": 170}
_METRICS = {
    "test/f1_macro": 100,
    "test/f1_macro_lo": 120,
    "test/f1_macro_hi": 120,
    "vs_champion/f1_macro": 150,
    "vs_champion/p": 100,
    "vs_best/f1_macro": 110,
    "vs_best/p": 80,
    "time/label_article_ms": 150,
    "time/fit_s": 80,
    "test/false_alarms": 110,
    "oof/f1_macro": 100,
}
_NOTE = """\
Which encoder and classifier is best, at what cost, and is the difference real?

Open **Views > scores** above the runs: best first, with 95 % intervals (`test/f1_macro_lo`, `_hi`), the difference to
the champion of that time with its p-value (`vs_champion/...`; in a sweep `vs_best/...`), seconds of training and
milliseconds per labelled article. `oof/...` is scored on held-out folds of the training part: choose settings by it,
not by `test/...`.
Select runs and press **Compare** for parallel coordinates; `tppo compare FIRST SECOND` gives all the tests of a pair.
"""


def use_experiment(name: str) -> str:
    """Make an experiment the one that training runs go to, and return its id; a new one is told how to show them."""
    import mlflow
    from mlflow.exceptions import MlflowException

    api = client()
    if api.get_experiment_by_name(name) is None:
        tags = {SCORES_VIEW: _saved_view("scores", int(time.time() * 1000)), "mlflow.note.content": _NOTE}
        try:
            api.create_experiment(name, tags={"mlflow.experimentKind": "custom_model_development", **tags})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was quicker
                raise
    return str(mlflow.set_experiment(name).experiment_id)


@contextmanager
def open_run(experiment: str, run_name: str, tags: Mapping[str, str] | None = None) -> Iterator[str]:
    """Open a run and yield its id; meanwhile no other process writes to an SQLite store."""
    import mlflow

    client()
    with alone_in_store():
        mlflow.set_experiment(experiment)
        with mlflow.start_run(run_name=run_name, tags=dict(tags or {})) as run:
            yield str(run.info.run_id)


def _saved_view(name: str, created_ms: int) -> str:
    """Return a saved view of the runs table as MLflow's interface stores it."""
    widths = {f"params.`{key}`": width for key, width in _PARAMS.items()}
    widths |= {f"metrics.`{key}`": width for key, width in _METRICS.items()}
    state = _view_state(widths, order_by="metrics.`test/f1_macro`")
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    view = {"name": name, "createdAt": created_ms, "updatedAt": created_ms, "state": f"deflate;{packed}"}
    return json.dumps(view)


def _view_state(widths: Mapping[str, int], *, order_by: str) -> Mapping[str, object]:
    """Return what the runs page keeps of itself: columns and order; everything else as it is at first."""
    return {
        "searchFilter": "",
        "orderByKey": order_by,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(widths),
        "columnOrder": list(widths),
        "columnWidths": dict(widths),
        "runsHiddenMode": "FIRST_10_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }
