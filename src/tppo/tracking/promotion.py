"""Which version of the registered model is champion, and which is challenger.

Training and ``tppo promote`` ask the same question: is the new version, on the same test articles, significantly worse
than the champion on any modus? If it is, it is not promoted. Training moves the alias only if the macro-F1 is higher as
well; a version that is neither worse nor better becomes ``challenger``, which a person may promote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tppo.classify import ModusModel
from tppo.errors import DataError, ModelError, UsageError
from tppo.evaluate import Comparison, Predictions
from tppo.tracking.comparison import RunComparison, compare_predictions, compare_runs, log_comparison, sentence
from tppo.tracking.lookup import StoredRun, find_run, read_predictions
from tppo.tracking.registry import CHALLENGER, CHAMPION, StoredModel, again_if_overtaken, client, resolve_model

__all__ = ["Promotion", "crown", "promote"]

TEST_TAG = "tppo.test_digest"
FORCED_TAG = "tppo.forced"
PROMOTED_TAG = "tppo.promoted"

Reread = Callable[[StoredModel], Predictions]


@dataclass(frozen=True)
class Promotion:
    """Where a version stands now (``champion``, ``challenger`` or nothing), why, and what it was compared by."""

    version: int
    standing: str | None
    reason: str
    comparison: RunComparison | None = None


def crown(name: str, version: int, run: StoredRun, test: Predictions, reread: Reread) -> Promotion:
    """Give a version that was just trained its standing.

    Parameters
    ----------
    name : str
        Of the registered model.
    version : int
        The new one.
    run, test : StoredRun, Predictions
        Its run, and what it says about the run's test articles.
    reread : callable
        Reads the test articles with a stored model; called when the champion was scored on others.
    """
    api = client()
    champion = _aliased(api, name, CHAMPION)
    if champion is None:
        again_if_overtaken(partial(api.set_registered_model_alias, name, CHAMPION, str(version)))
        return Promotion(version, CHAMPION, "the first model")
    stays = f"version {champion.version} stays champion"
    try:
        rival = find_run(champion.run_id)
        theirs = (
            read_predictions(rival, "test")
            if champion.tags.get(TEST_TAG) == run.tags[TEST_TAG]
            else reread(resolve_model(f"models:/{name}/{champion.version}"))
        )
        comparison = compare_predictions(rival, run, theirs, test, part="test")
    except (ModelError, DataError, UsageError) as error:
        return Promotion(version, None, f"{stays}: the two could not be compared ({error})")
    result = comparison.result
    log_comparison(comparison)
    if worse := _worse(result):
        return Promotion(version, None, f"{stays}: this one is {worse}", comparison)
    standing = CHAMPION if result.f1_macro.difference.value > 0 else CHALLENGER
    again_if_overtaken(partial(api.set_registered_model_alias, name, standing, str(version)))
    against = f"against version {champion.version}, {sentence(result)}"
    if standing == CHALLENGER:
        return Promotion(version, standing, f"{stays}; this one is challenger: {against}", comparison)
    return Promotion(version, standing, f"{against}; on no modus significantly worse", comparison)


def promote(spec: str, *, name: str = "tppo-modus", force: str | None = None) -> Promotion:
    """Make a version champion, unless it is significantly worse than the present one on any modus.

    Parameters
    ----------
    spec : str
        A model version, or what `tppo.tracking.lookup.find_run` finds a run by.
    name : str
        Of the registered model.
    force : str, optional
        Reason to promote it in any case; kept as a tag of the version.

    Raises
    ------
    UsageError
        If there is no such version, or the reason is empty.
    ModelError
        If the version is significantly worse or its files were changed since training.
    DataError
        If the two were scored on different articles.
    """
    if force is not None and not force.strip():
        raise UsageError("--force needs a reason, got an empty one")
    api = client()
    run = find_run(spec, registered_model=name)
    version = _version_of(api, name, run)
    champion = _aliased(api, name, CHAMPION)
    if champion is not None and champion.version == version.version:
        return Promotion(int(version.version), CHAMPION, "it was champion already")
    stored = resolve_model(f"models:/{name}/{version.version}")
    ModusModel.load(stored.folder, digest=stored.digest)
    comparison, reason = None, "there was no champion"
    if champion is not None:
        try:
            comparison = compare_runs(find_run(champion.run_id), run)
            log_comparison(comparison)
            reason = f"against version {champion.version}, {sentence(comparison.result)}"
            if worse := _worse(comparison.result):
                raise ModelError(f"version {version.version} was not promoted: it is {worse} than the champion")
        except (ModelError, DataError, UsageError) as error:
            if force is None:
                raise type(error)(f"{error}; --force REASON promotes it nevertheless") from None
            reason = str(error)
    number = str(version.version)
    api.set_registered_model_alias(name, CHAMPION, number)
    challenger = _aliased(api, name, CHALLENGER)
    if challenger is not None and challenger.version == version.version:
        api.delete_registered_model_alias(name, CHALLENGER)
    api.set_model_version_tag(name, number, PROMOTED_TAG, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {reason}")
    if force is not None:
        api.set_model_version_tag(name, number, FORCED_TAG, force)
        reason = f"by force ({force}): {reason}"
    return Promotion(int(number), CHAMPION, reason, comparison)


def _worse(result: Comparison) -> str:
    """Say on which modus the second is significantly worse; nothing if on none."""
    found = [
        f"{key} (F1 {result.labels[key].f1.difference.value:+.3f}, p = {result.labels[key].f1_p_holm:.4f})"
        for key in result.worse()
    ]
    return f"significantly worse on {', '.join(found)}" if found else ""


def _aliased(api: Any, name: str, alias: str) -> Any:
    """Return the version that bears an alias, or None."""
    from mlflow.exceptions import MlflowException

    try:
        return api.get_model_version_by_alias(name, alias)
    except MlflowException:
        return None


def _version_of(api: Any, name: str, run: StoredRun) -> Any:
    """Return the newest version that a run registered."""
    found = api.search_model_versions(f"name = '{name}' AND run_id = '{run.run_id}'")
    if not found:
        raise UsageError(f"run {run.shown} registered no version of {name}; trials and reproductions do not")
    return max(found, key=lambda version: int(version.version))
