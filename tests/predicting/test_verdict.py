"""What the verdict says of a crossover."""

from __future__ import annotations

import pytest

from isocost.forecasting.overtaking import Overtaking
from isocost.predicting.verdict import overtaking_text


def crossover(cost: float, absent: float) -> Overtaking:
    return Overtaking(ahead="a", behind="b", cost=cost, low=0.0, high=None, reach=2e9, absent=absent)


@pytest.mark.parametrize(
    ("cost", "absent", "text"),
    [
        (1e9, 0.2, "a overtakes b at 1.0 GFLOPs per problem [the first draw, beyond 2.0 GFLOPs]"),
        (0.0, 0.2, "a is ahead of b from the first draw on [the first draw, beyond 2.0 GFLOPs]"),
        (0.0, 0.51, "it is open which of a and b is ahead, up to 2.0 GFLOPs per problem"),
    ],
)
def test_a_model_that_is_as_likely_behind_is_not_said_to_be_ahead(cost: float, absent: float, text: str) -> None:
    assert overtaking_text(crossover(cost, absent), "flops") == text
