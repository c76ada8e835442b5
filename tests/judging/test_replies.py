"""Costs of a judge's verdicts."""

from isocost.judging.replies import verdict_cost
from tests.costs.cards import card


def test_a_verdict_costs_two_flops_per_parameter_and_token_read_or_written() -> None:
    assert verdict_cost(card(parameters=10, flops_per_token=20.0), 100, 5).flops == 20 * (100 + 5)


def test_a_verdict_of_a_model_of_unknown_size_has_its_price_alone() -> None:
    judge = card(parameters=None, flops_per_token=None, usd_per_million={"input": 1.0, "output": 10.0})
    cost = verdict_cost(judge, 100, 5)
    assert cost.flops is None
    assert cost.usd == (100 * 1.0 + 5 * 10.0) / 1e6
