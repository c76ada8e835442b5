"""A small run of benchmarks/intervals.py, whose full tables stand in docs/intervals.md."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SETS = 400
LAWS = ("Beta(1, 30)", "Beta(.5, .75)", "Beta(50, 50)", "97% + Beta(50, 1)", "2% + Beta(50, 1)")
SLACK = 3.5 * (0.93 * 0.07 / SETS) ** 0.5  # binomial error of the simulation; 3.5 of them, as there are some 150 settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "intervals.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_intervals", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.POPULATION = 40_000
    return module


@pytest.fixture(scope="module")
def settings(script: ModuleType) -> list:  # type: ignore[type-arg]
    found = [s for law in LAWS for s in script.means(law, np.random.default_rng(1), SETS, (30, 100))]
    found += [s for law in LAWS for s in script.differences(law, np.random.default_rng(2), SETS, (30, 100))]
    return [*found, *script.rates(np.random.default_rng(3), SETS, replace(script.SEEN, ns=(30, 100)))]


def test_every_interval_holds_the_truth(settings: list) -> None:  # type: ignore[type-arg]
    missed = [(s.measure, s.law, s.n, s.held) for s in settings if s.held < 0.93 - SLACK]
    assert not missed


def test_where_ten_succeed_and_ten_fail_it_is_no_wider_than_it_must_be(settings: list) -> None:  # type: ignore[type-arg]
    middle = [s for s in settings if s.fewest >= 10]
    assert len(middle) > 20
    assert not [(s.measure, s.law, s.n, s.held) for s in middle if s.held > 0.99]
    assert 0.94 < np.mean([s.held for s in middle]) < 0.965


def test_the_plain_interval_fails(settings: list) -> None:  # type: ignore[type-arg]
    assert min(s.plain for s in settings if s.measure.startswith("coverage")) < 0.5


def test_the_tables_hold_every_setting(script: ModuleType, settings: list) -> None:  # type: ignore[type-arg]
    rows = script.everything(settings).splitlines()
    assert len(rows) == 2 + len({(s.measure, s.law) for s in settings})
    assert len({row.count("|") for row in rows}) == 1
    assert len(script.summary(settings).splitlines()) == 2 + len({(s.measure, s.n) for s in settings})
