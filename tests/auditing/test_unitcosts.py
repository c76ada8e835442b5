import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.auditing import unit_costs
from isocost.metrics.intervals import proportion
from isocost.metrics.unitcost import cost_per_correct
from isocost.records import Cost, Outcome
from tests.auditing.samples import draw, frame

TWO = Cost(flops=2.0, usd=None)
RIGHT, WRONG, UNGRADED = Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNGRADED


@given(st.lists(st.tuples(st.sampled_from("qps"), st.sampled_from(list(Outcome)), st.floats(0.1, 9)), min_size=1, max_size=20))
def test_it_is_what_adding_up_draw_by_draw_gives(drawn: list[tuple[str, Outcome, float]]) -> None:
    draws = [draw("m", problem, i, outcome, cost=Cost(flops=cost)) for i, (problem, outcome, cost) in enumerate(drawn)]
    found = unit_costs(frame(draws), proportion(0, 5))
    each, passed = [], []
    for problem in dict.fromkeys(problem for problem, _, _ in drawn):
        own = [(outcome, cost) for name, outcome, cost in drawn if name == problem]
        graded = [outcome for outcome, _ in own if outcome is not UNGRADED]
        if graded:
            each.append(sum(cost for _, cost in own) / len(graded))
            passed.append(np.mean([outcome is RIGHT for outcome in graded]))
    assert found == {} if not each else found["flops"][0] == cost_per_correct(each, passed)


def test_cost_over_pass_rate_and_over_what_is_sound() -> None:
    draws = [draw("m", f"p{p}", i, RIGHT if i < 1 else WRONG, cost=TWO) for p in range(40) for i in range(4)]
    found = unit_costs(frame(draws), proportion(10, 50))
    assert set(found) == {"flops"}
    correct, truly = found["flops"]
    assert correct.value == pytest.approx(2.0 / 0.25)
    assert truly.value == pytest.approx(2.0 / (0.25 * 0.8))
    assert truly.low is not None
    assert truly.high is not None
    assert truly.low < 10.0 < truly.high


def test_ungraded_draws_are_paid_by_the_graded_ones() -> None:
    draws = [draw("m", f"p{p}", i, (RIGHT, WRONG, UNGRADED, UNGRADED)[i], cost=TWO) for p in range(9) for i in range(4)]
    assert unit_costs(frame(draws), proportion(0, 5))["flops"][0].value == pytest.approx(8.0)


def test_what_is_free_or_not_known_costs_nothing_that_could_be_said() -> None:
    free = [draw("m", "p", 0, RIGHT, cost=Cost(flops=0.0, usd=None))]
    assert unit_costs(frame(free), proportion(0, 1)) == {}
    assert unit_costs(frame([]), proportion(0, 0)) == {}


def test_without_a_rate_a_truly_correct_solution_has_no_cost() -> None:
    draws = [draw("m", f"p{p}", 0, RIGHT, cost=TWO) for p in range(5)]
    correct, truly = unit_costs(frame(draws), proportion(0, 0))["flops"]
    assert correct.value == pytest.approx(2.0)
    assert truly.value is None
