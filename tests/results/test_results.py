"""The bill of trainings."""

from __future__ import annotations

import pytest

from isocost.records import ModelCard
from isocost.results.results import _training_cost


@pytest.mark.parametrize(("adapters", "per_token"), [(False, 6), (True, 4)])
def test_training_costs_so_many_flops_per_parameter_and_token(*, adapters: bool, per_token: int) -> None:
    card = ModelCard(
        name="m", engine="e", source="s", parameters=1000, parameters_are="given", flops_per_token=2000.0, usd_per_million=None
    )
    cost = _training_cost(card, 50, 1.5, adapters=adapters)
    assert (cost.flops, cost.seconds) == (per_token * 1000 * 50, 1.5)
