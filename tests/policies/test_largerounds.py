"""Rounds of arms whose model is bought in batches: few and large, since each may take a day."""

from __future__ import annotations

import math

import pytest

from isocost.policies import load_policy
from tests.policies.buying import Bought, buy, make_terms


def bought(policy: str, *, large: bool, draws: int = 16, problems: int = 40) -> Bought:
    terms = make_terms(problems, {"m": 1.0}, float(draws * problems), large_rounds=large)
    return buy(load_policy(policy, terms), terms, lambda problem, model, index: int(problem[1:]) % 4 == 0)


@pytest.mark.parametrize("policy", ["first-hit", "adaptive"])
def test_a_budget_takes_about_log2_rounds_where_each_may_take_a_day(policy: str) -> None:
    large, usual = bought(policy, large=True), bought(policy, large=False)
    assert len(large.rounds) <= 2 + math.log2(16)
    assert len(usual.rounds) > 2 * len(large.rounds)
    assert len(large.rounds[0]) >= 40
    assert len(large.draws) == len(usual.draws) == 16 * 40
