"""Which model is champion: the better one on the same test articles, and the old one in case of doubt."""

from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from tppo.errors import ModelError
from tppo.tracking import runs
from tppo.tracking.runs import CHAMPION, F1_TAG, TEST_TAG, _crown


class Registry:
    """A registry with at most one champion, version 1."""

    def __init__(self, *, f1: float | None = None, test: str = "same") -> None:
        self.f1, self.test = f1, test
        self.crowned: str | None = None

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        if self.f1 is None:
            raise MlflowException("no such alias")
        return SimpleNamespace(version="1", tags={F1_TAG: repr(self.f1), TEST_TAG: self.test})

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        assert (name, alias) == ("m", CHAMPION)
        self.crowned = version


def never(_: Any) -> float:
    raise AssertionError("the champion was scored on the same articles: its score is known")


def test_the_first_model_is_champion() -> None:
    registry = Registry()
    assert _crown(registry, "m", 1, 0.1, "same", never) == (True, "the first model")
    assert registry.crowned == "1"


@pytest.mark.parametrize(("f1", "better"), [(0.81, True), (0.8, False), (0.7, False)])
def test_only_a_better_model_becomes_champion(f1: float, better: bool) -> None:
    registry = Registry(f1=0.8)
    crowned, reason = _crown(registry, "m", 2, f1, "same", never)
    assert crowned is better
    assert registry.crowned == ("2" if better else None)
    assert "0.8000" in reason
    assert f"{f1:.4f}" in reason


@pytest.mark.parametrize(("rescored", "better"), [(0.4, True), (0.9, False)])
def test_a_champion_scored_on_other_articles_is_scored_on_these(
    rescored: float, better: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "resolve_model", lambda uri: uri)
    registry = Registry(f1=0.99, test="other")
    seen: list[Any] = []
    crowned, _ = _crown(registry, "m", 2, 0.5, "same", lambda stored: seen.append(stored) or rescored)
    assert crowned is better
    assert seen == ["models:/m/1"]


def test_a_champion_that_cannot_be_scored_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(uri: str) -> Any:
        raise ModelError("its files are gone")

    monkeypatch.setattr(runs, "resolve_model", gone)
    registry = Registry(f1=0.1, test="other")
    crowned, reason = _crown(registry, "m", 2, 0.9, "same", never)
    assert not crowned
    assert registry.crowned is None
    assert "its files are gone" in reason
