"""Costs before the pilot that measures lengths."""

from typing import Any

import pytest

from isocost.config import Study
from isocost.costs.unpiloted import awaits_pilot, unpiloted_costs
from isocost.planning import model_card
from isocost.records import ModelCard
from tests.builders import MAX_TOKENS, raw_study, study

PILOT = {"problems": 3, "samples_per_problem": 2}


def piloted(more: dict[str, dict[str, Any]], **changes: Any) -> tuple[Study, dict[str, ModelCard]]:
    raw = raw_study(pilot=PILOT, **changes)
    for name, facts in more.items():
        raw["models"][name] |= facts
    made = study(**raw)
    return made, {name: model_card(name, made, None) for name in made.models}


DECLARED: dict[str, dict[str, Any]] = {"weak": {"tokens_per_sample": 20}, "strong": {"tokens_per_sample": 30}}


@pytest.mark.parametrize(
    ("more", "changes", "awaits"),
    [
        ({}, {}, True),
        ({"weak": {"tokens_per_sample": 20}}, {}, True),
        (DECLARED, {}, False),
        (DECLARED, {"costs": {"prompt_tokens": "each"}}, True),
        ({name: {**facts, "prompt_tokens": 9} for name, facts in DECLARED.items()}, {"costs": {"prompt_tokens": "each"}}, False),
    ],
)
def test_a_plan_awaits_the_pilot_if_a_length_that_costs_is_not_declared(
    more: dict[str, dict[str, Any]], changes: dict[str, Any], awaits: bool
) -> None:
    made, cards = piloted(more, **changes)
    assert awaits_pilot(made, cards) is awaits
    assert not awaits_pilot(made.model_copy(update={"pilot": None}), cards)


def test_lengths_that_are_not_declared_are_at_their_maximum() -> None:
    made, cards = piloted({"weak": {"tokens_per_sample": 20}}, costs={"prompt_tokens": "each"})
    found = unpiloted_costs(made, cards, {"weak": 100, "strong": 100})
    assert (found["weak"].tokens, found["weak"].tokens_are) == (20, "declared")
    assert (found["strong"].tokens, found["strong"].tokens_are) == (MAX_TOKENS, "until piloted, max_tokens")
    assert found["strong"].expected.flops == 6000 * (100 + MAX_TOKENS) == found["strong"].worst.flops
