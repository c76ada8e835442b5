"""The policy dart: targets of correct samples."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from isocost.errors import BudgetError
from isocost.passrates import PAPER
from isocost.policies import load_policy
from isocost.policies.dart import Dart
from tests.policies.buying import Bought, buy, make_terms

MATH = PAPER["MATH"].marginals
# Law, cap k, and the share of the cost of k draws at which four correct samples are reached: method.md 5.3.
CLOSED_FORMS = [((0.5, 0.75), 30, 0.520), ((2.0, 0.5), 30, 0.192), ((0.3, 2.0), 30, 0.819), (MATH[0], 30, 0.671), (MATH[1], 10, 0.836)]


@pytest.mark.parametrize(("law", "k", "share"), CLOSED_FORMS)
def test_stopping_at_four_correct_costs_the_published_share(law: tuple[float, float], k: int, share: float) -> None:
    generator = np.random.default_rng(2)
    outcomes = generator.random((500, k)) < generator.beta(*law, 500)[:, None]
    terms = make_terms(500, {"m": 1.0}, 1e6, target=4, available={(f"p{i}", "m"): k for i in range(500)})
    bought = buy(Dart(terms, growth=0.0), terms, lambda problem, _, index: bool(outcomes[int(problem[1:]), index]))
    each = np.bincount([int(problem[1:]) for problem, _, _ in bought.draws], minlength=500)
    reached = outcomes.cumsum(axis=1) >= 4
    np.testing.assert_array_equal(each, np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, k))
    assert each.mean() / k == pytest.approx(share, abs=0.0006 + 4 * each.std() / k / np.sqrt(500))


def by_difficulty(target: int, failures: dict[str, int]) -> Bought:
    """Buy from problems that fail so many times before they are solved each time."""
    terms = make_terms(len(failures), {"m": 1.0}, 1e4, target=target, by_difficulty=True)
    return buy(Dart(terms, growth=0.0), terms, lambda problem, _, index: index >= failures[problem])


def test_targets_by_difficulty_are_the_failure_rate_so_far_times_the_target_and_at_least_one() -> None:
    failures = {"p0": 0, "p1": 2, "p2": 10, "p3": 200}
    bought = by_difficulty(8, failures)
    drawn = Counter(p for p, _, _ in bought.draws)
    correct = {p: drawn[p] - f for p, f in failures.items()}
    for problem, f in failures.items():
        enough = next(s for s in range(1, 20) if s >= math.ceil(8 * (f + 1) / (s + f + 2)))
        assert correct[problem] == enough
    assert correct == {"p0": 2, "p1": 4, "p2": 6, "p3": 8}
    assert by_difficulty(1, failures).solved() == set(failures)


def test_easy_problems_need_fewer_draws_than_with_equal_targets() -> None:
    terms = make_terms(30, {"m": 1.0}, 1e4, target=6)
    equal = buy(Dart(terms), terms, lambda *_: True)
    assert len(equal.draws) == 180
    assert len(by_difficulty(6, {f"p{i}": 0 for i in range(30)}).draws) == 60


def test_two_models_and_a_target_of_nothing_are_refused() -> None:
    with pytest.raises(BudgetError, match=r"^the policy dart takes one model, got 2: a, b$"):
        load_policy("dart", make_terms(2, {"a": 1.0, "b": 1.0}, 9.0))
    with pytest.raises(BudgetError, match=r"^the policy dart needs a target of at least one correct sample per problem, got 0$"):
        load_policy("dart", make_terms(2, {"a": 1.0}, 9.0, target=0))
