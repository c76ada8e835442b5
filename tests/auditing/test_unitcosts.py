import pytest

from isocost.auditing import unit_costs
from isocost.metrics.intervals import proportion
from isocost.records import Cost
from tests.auditing.samples import RIGHT, UNGRADED, WRONG, sample

TWO = Cost(flops=2.0, usd=None)


def test_cost_over_pass_rate_and_over_what_is_sound() -> None:
    draws = [(sample("m", f"p{p}", i, cost=TWO), RIGHT if i < 1 else WRONG) for p in range(40) for i in range(4)]
    found = unit_costs(draws, proportion(10, 50))
    assert set(found) == {"flops"}
    correct, truly = found["flops"]
    assert correct.value == pytest.approx(2.0 / 0.25)
    assert truly.value == pytest.approx(2.0 / (0.25 * 0.8))
    assert truly.low is not None
    assert truly.high is not None
    assert truly.low < 10.0 < truly.high


def test_ungraded_draws_are_paid_by_the_graded_ones() -> None:
    draws = [(sample("m", f"p{p}", i, cost=TWO), (RIGHT, WRONG, UNGRADED, UNGRADED)[i]) for p in range(9) for i in range(4)]
    assert unit_costs(draws, proportion(0, 5))["flops"][0].value == pytest.approx(8.0)


def test_what_is_free_or_not_known_costs_nothing_that_could_be_said() -> None:
    free = [(sample("m", "p", 0, cost=Cost(flops=0.0, usd=None)), RIGHT)]
    assert unit_costs(free, proportion(0, 1)) == {}
    assert unit_costs([], proportion(0, 0)) == {}


def test_without_a_rate_a_truly_correct_solution_has_no_cost() -> None:
    draws = [(sample("m", f"p{p}", 0, cost=TWO), RIGHT) for p in range(5)]
    correct, truly = unit_costs(draws, proportion(0, 0))["flops"]
    assert correct.value == pytest.approx(2.0)
    assert truly.value is None
