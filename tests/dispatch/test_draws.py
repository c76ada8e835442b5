"""Draws without their texts: the sum of a batch."""

import pytest

from isocost.dispatch.draws import Draw, summarise_batch
from isocost.records import Cost


def draw(tokens: int, flops: float | None, usd: float | None) -> Draw:
    return Draw(7, tokens, "stop", flops, usd)


@pytest.mark.parametrize(
    ("draws", "cost"),
    [
        ([draw(3, 6.0, 0.5)], Cost(flops=6.0, usd=0.5, seconds=2.0)),
        ([draw(3, None, 0.5)], Cost(flops=None, usd=0.5, seconds=2.0)),
        ([draw(1, 2.0, 0.25), draw(2, 4.0, 0.25)], Cost(flops=6.0, usd=0.5, seconds=2.0)),
        ([draw(1, 2.0, None), draw(2, 4.0, 0.5)], Cost(flops=6.0, usd=None, seconds=2.0)),
    ],
)
def test_a_batch_of_one_is_summed_as_one_of_several(draws: list[Draw], cost: Cost) -> None:
    found = summarise_batch("key", draws, 2.0)
    assert (found.request, found.cost, found.count, found.tokens) == ("key", cost, len(draws), 3)


def test_a_batch_without_draws_costs_nothing() -> None:
    found = summarise_batch("key", [], 0.0)
    assert (found.cost, found.count, found.tokens) == (Cost(flops=0, usd=0, seconds=0.0), 0, 0)
