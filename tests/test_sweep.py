"""What a sweep tries, in which order, and what it gives up; real trials are in tests/integration/test_sweep.py."""

from pathlib import Path
from typing import Any

import pytest

from tppo.errors import UsageError
from tppo.sweep import _Search
from tppo.sweep_file import SweepConfig, load_sweep
from tppo.tracking.sweeps import Trial

SPACE = {"classifier.C": [1, 3, 10], "classifier.temperature": [0.1, 0.3]}


def config(**changes: Any) -> SweepConfig:
    return SweepConfig.model_validate({"name": "test", "space": SPACE, **changes})


def trial(values: dict[str, Any], score: float = 0.5, screened: float | None = None) -> Trial:
    return Trial("0" * 32, "x", values, {"oof/f1_macro": score}, "code", screened)


def all_proposed(search: _Search) -> list[dict[str, Any]]:
    found = []
    while asked := search.propose():
        found.append(dict(asked.params))
        search.finish(asked, trial(asked.params, score=len(found) / 100))
    return found


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_every_combination_is_tried_once(sampler: str) -> None:
    found = all_proposed(_Search(config(sampler=sampler, trials=100), []))
    assert len(found) == len({tuple(values.items()) for values in found}) == 6


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_what_is_finished_is_not_tried_again(sampler: str) -> None:
    done = [trial({"classifier.C": 3, "classifier.temperature": t}) for t in (0.1, 0.3)]
    found = all_proposed(_Search(config(sampler=sampler, trials=100), done))
    assert len(found) == 4
    assert all(values["classifier.C"] != 3 for values in found)


def test_workers_at_a_time_get_different_settings() -> None:
    search = _Search(config(sampler="tpe", trials=6), [])
    asked = [search.propose().params for _ in range(6)]
    assert len({tuple(values.items()) for values in asked}) == 6
    assert search.propose() is None


def test_a_range_is_searched_within_its_ends_and_to_the_number_of_trials() -> None:
    space = {
        "classifier.C": {"low": 1, "high": 100, "log": True},
        "classifier.n_folds": {"low": 2, "high": 5, "integer": True},
    }
    search = _Search(config(space=space, sampler="tpe", trials=5), [])
    found = all_proposed(search)
    assert len(found) == 5
    assert all(1 <= v["classifier.C"] <= 100 and v["classifier.n_folds"] in (2, 3, 4, 5) for v in found)


def test_going_on_does_not_draw_the_same_numbers_again() -> None:
    space = {"classifier.C": {"low": 1, "high": 100}}
    first = all_proposed(_Search(config(space=space, sampler="tpe", trials=3), []))
    then = all_proposed(_Search(config(space=space, sampler="tpe", trials=6), [trial(values) for values in first]))
    assert len(then) == 3
    assert not {v["classifier.C"] for v in first} & {v["classifier.C"] for v in then}


def test_a_trial_is_given_up_below_the_median_of_the_screenings() -> None:
    values = [{"classifier.C": c, "classifier.temperature": 0.1} for c in (1, 3, 10)]
    done = [trial(v, screened=s) for v, s in zip(values, (0.3, 0.5, 0.7))]
    search = _Search(config(prune={"after": 3}), done)
    assert search.is_hopeless(search.propose(), 0.49)
    assert not search.is_hopeless(search.propose(), 0.51)
    later = _Search(config(prune={"after": 4}), done)
    assert not later.is_hopeless(later.propose(), 0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nspace: {}", "space: .*at least 1"),
        ("name: x\nspace: {classifier.C: []}", "space"),
        ("name: x\nspace: {classifier.C: {low: 1, high: 2}}", "a grid needs lists"),
        ("name: x\nspace: {classifier.C: [1]}\nsampler: tpe", "number of trials"),
        ("name: x\nspace: {classifier.C: [1]}\nmetric: test/f1_macro", "held-out"),
        ("name: x\nspace: {classifier.C: [1]}\nworker: 3", "worker"),
        ("name: [", "cannot read"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        load_sweep(path)


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[1].glob("experiments/*/*.yaml")), ids=lambda p: p.parent.name
)
def test_the_sweeps_of_the_experiments_fit(path: Path) -> None:
    assert load_sweep(path).name
