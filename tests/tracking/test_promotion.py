"""Which model is champion: never one that is significantly worse on a modus, and the old one in case of doubt."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from tppo.errors import DataError, ModelError, TppoError, UsageError
from tppo.evaluate import Predictions
from tppo.tracking import promotion
from tppo.tracking.lookup import StoredRun
from tppo.tracking.promotion import FORCED_TAG, PROMOTED_TAG, TEST_TAG, crown, promote

LABELS = ("organ_trade", "scam", "tppo")
N = 120


def said(*, skill: float | tuple[float, float] = 0.8, seed: int = 0, labels: tuple[str, ...] = LABELS) -> Predictions:
    """What a model says that is right with the given chance, for each modus; always about the same articles."""
    truth = (np.random.default_rng(9).random((N, len(LABELS))) < 0.4)[:, [LABELS.index(k) % 3 for k in LABELS]]
    chance = np.broadcast_to(skill, 2) if np.isscalar(skill) else np.asarray(skill)
    right = np.random.default_rng(seed).random((N, 3)) < [*chance, 0.9]
    given = np.where(right, truth, ~truth)
    ids = tuple(f"art-{i}" for i in range(N))
    found = Predictions(LABELS, ids, ids, ids, truth.astype(float), np.where(given, 0.9, 0.1), given)
    return found if labels == LABELS else replace(found, labels=labels)


class Registry:
    """Versions of one model, what their runs said about the test part, and aliases."""

    def __init__(self, *versions: Predictions, test: str = "same") -> None:
        self.said = {f"run-{n}": predictions for n, predictions in enumerate(versions, start=1)}
        self.tags: dict[str, dict[str, str]] = {str(n): {TEST_TAG: test} for n in range(1, len(versions) + 1)}
        self.alias: dict[str, str] = {"champion": "1"} if versions else {}

    def version(self, number: str) -> Any:
        return SimpleNamespace(version=number, run_id=f"run-{number}", tags=self.tags[number])

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        if alias not in self.alias:
            raise MlflowException("no such alias")
        return self.version(self.alias[alias])

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        assert name == "m"
        self.alias[alias] = version

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        del self.alias[alias]

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.tags[version][key] = value

    def search_model_versions(self, query: str) -> list[Any]:
        return [self.version(n) for n in self.tags if f"'run-{n}'" in query]


def run_of(name: str) -> StoredRun:
    return StoredRun(name, name, {TEST_TAG: "same"}, {}, {})


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a registry in the place of MLflow; returns the comparisons that were logged."""

    def put(registry: Registry) -> list[Any]:
        logged: list[Any] = []
        reads = lambda run, part: registry.said[run.run_id]  # noqa: E731
        monkeypatch.setattr(promotion, "client", lambda: registry)
        monkeypatch.setattr(promotion, "find_run", lambda spec, **_: run_of(spec if "-" in spec else f"run-{spec}"))
        monkeypatch.setattr(promotion, "read_predictions", reads)
        monkeypatch.setattr("tppo.tracking.comparison.read_predictions", reads)
        monkeypatch.setattr(promotion, "log_comparison", logged.append)
        monkeypatch.setattr(promotion, "resolve_model", lambda uri: SimpleNamespace(folder=uri, digest="d"))
        monkeypatch.setattr(promotion.ModusModel, "load", lambda folder, digest: None)
        return logged

    return put


def never(_: Any) -> Predictions:
    raise AssertionError("the champion was scored on the same articles: what it said is known")


BETTER, SAME, WORSE = said(skill=0.97, seed=1), said(seed=0), said(skill=0.5, seed=2)
# One modus much better, the other much worse: the macro-F1 is higher.
TRADE = said(skill=(1.0, 0.65), seed=3)


def crowned(registry: Registry, new: Predictions, reread: Any = never) -> Any:
    registry.tags["2"] = {}
    return crown("m", 2, run_of("run-2"), new, reread)


def test_the_first_model_is_champion(use: Any) -> None:
    use(registry := Registry())
    found = crowned(registry, WORSE)
    assert (found.standing, found.reason) == ("champion", "the first model")
    assert registry.alias == {"champion": "2"}


def test_a_better_model_becomes_champion_and_the_comparison_is_kept(use: Any) -> None:
    logged = use(registry := Registry(SAME))
    found = crowned(registry, BETTER)
    assert (found.standing, registry.alias) == ("champion", {"champion": "2"})
    assert "against version 1, macro-F1 +0." in found.reason
    assert logged == [found.comparison]


def test_a_model_that_is_neither_better_nor_worse_becomes_challenger(use: Any) -> None:
    use(registry := Registry(SAME))
    found = crowned(registry, SAME)
    assert (found.standing, registry.alias) == ("challenger", {"champion": "1", "challenger": "2"})
    assert found.reason.startswith("version 1 stays champion; this one is challenger")


def test_a_worse_model_becomes_nothing_and_is_told_on_what(use: Any) -> None:
    use(registry := Registry(BETTER))
    found = crowned(registry, WORSE)
    assert (found.standing, registry.alias) == (None, {"champion": "1"})
    assert "significantly worse on organ_trade (F1 -0." in found.reason
    assert "scam (F1 -0." in found.reason


def test_a_higher_mean_does_not_make_up_for_one_modus_that_is_worse(use: Any) -> None:
    use(registry := Registry(said(skill=(0.6, 0.95), seed=4)))
    found = crowned(registry, TRADE)
    assert found.comparison.result.f1_macro.difference.value > 0
    assert registry.alias == {"champion": "1"}
    assert "significantly worse on scam" in found.reason
    assert "organ_trade" not in found.reason


def test_a_champion_scored_on_other_articles_reads_these(use: Any) -> None:
    use(registry := Registry(said(seed=5), test="other"))
    seen: list[Any] = []
    found = crowned(registry, BETTER, lambda stored: seen.append(stored.folder) or SAME)
    assert seen == ["models:/m/1"]
    assert (
        found.comparison.result.f1_macro.first
        == crown("m", 2, run_of("run-2"), SAME, lambda _: SAME).comparison.result.f1_macro.second
    )


def test_a_champion_that_cannot_be_read_stays(use: Any) -> None:
    def gone(_: Any) -> Predictions:
        raise ModelError("its files are gone")

    use(registry := Registry(SAME, test="other"))
    found = crowned(registry, BETTER, gone)
    assert (found.standing, registry.alias) == (None, {"champion": "1"})
    assert "its files are gone" in found.reason


def test_a_champion_of_another_taxonomy_is_compared_on_the_labels_that_both_have(use: Any) -> None:
    use(registry := Registry(said(labels=("organ_trade", "new", "tppo"))))
    found = crowned(registry, BETTER)
    assert list(found.comparison.result.labels) == ["organ_trade", "tppo"]
    assert found.comparison.result.macro_labels == ("organ_trade",)
    assert found.comparison.left_out == ("new", "scam")
    use(registry := Registry(said(labels=("old", "new", "tppo"))))
    found = crowned(registry, BETTER)
    assert found.standing is None
    assert "no modus in common" in found.reason


def test_a_challenger_is_promoted_and_the_reason_kept(use: Any) -> None:
    logged = use(registry := Registry(SAME, SAME))
    registry.alias["challenger"] = "2"
    found = promote("2", name="m")
    assert (found.standing, registry.alias) == ("champion", {"champion": "2"})
    assert "against version 1, macro-F1 +0.0000" in registry.tags["2"][PROMOTED_TAG]
    assert FORCED_TAG not in registry.tags["2"]
    assert len(logged) == 1


def test_a_worse_model_is_not_promoted_unless_forced_with_a_reason(use: Any) -> None:
    use(registry := Registry(BETTER, WORSE))
    with pytest.raises(ModelError, match=r"was not promoted: it is significantly worse on .*; --force REASON"):
        promote("2", name="m")
    assert registry.alias == {"champion": "1"}
    found = promote("2", name="m", force="the champion quotes private names")
    assert registry.alias == {"champion": "2"}
    assert registry.tags["2"][FORCED_TAG] == "the champion quotes private names"
    assert found.reason.startswith("by force (the champion quotes private names): version 2 was not promoted")


def test_models_scored_on_other_articles_are_promoted_only_by_force(use: Any) -> None:
    use(Registry(SAME, BETTER.take(range(1, N))))
    with pytest.raises(DataError, match=r"different articles .*art-0.*--force REASON"):
        promote("2", name="m")
    assert promote("2", name="m", force="the first corpus is withdrawn").standing == "champion"


def test_the_champion_is_not_promoted_again(use: Any) -> None:
    use(registry := Registry(SAME))
    assert promote("1", name="m").reason == "it was champion already"
    assert registry.tags["1"].keys() == {TEST_TAG}


@pytest.mark.parametrize("reason", ["", "  "])
def test_force_needs_a_reason(reason: str, use: Any) -> None:
    use(Registry(SAME, WORSE))
    with pytest.raises(UsageError, match="--force needs a reason"):
        promote("2", name="m", force=reason)


def test_a_run_without_a_version_cannot_be_promoted(use: Any) -> None:
    use(Registry(SAME))
    with pytest.raises(UsageError, match="registered no version of m"):
        promote("7", name="m")


def test_a_model_whose_files_were_changed_is_not_promoted_even_by_force(
    use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(folder: Any, digest: str) -> None:
        raise ModelError("was changed after training")

    use(registry := Registry(SAME, BETTER))
    monkeypatch.setattr(promotion.ModusModel, "load", changed)
    for force in (None, "urgent"):
        with pytest.raises(TppoError, match="was changed after training"):
            promote("2", name="m", force=force)
    assert registry.alias == {"champion": "1"}
