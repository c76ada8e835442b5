from itertools import product

import pytest

from isocost.costs.draws import cost_of, omitted_attention, omitted_prompts
from tests.costs.cards import card

PROMPT, GENERATED, DRAWS = 120, 40, 5


def problem(reading: str, attention: bool) -> float:
    """FLOPs of all draws of a problem under these settings."""
    one = cost_of(
        card(prompt_reading=reading, counts_attention=attention), prompt_tokens=PROMPT, generated_tokens=GENERATED, sharing=DRAWS
    ).flops
    assert one is not None
    return DRAWS * one


@pytest.mark.parametrize(("reading", "attention"), list(product(("none", "shared", "each"), (False, True))))
def test_what_is_left_out_is_what_counting_it_adds(reading: str, attention: bool) -> None:
    model = card(prompt_reading=reading, counts_attention=attention)
    counted = problem(reading, attention)
    of_attention = omitted_attention(model, prompt_tokens=PROMPT, generated_tokens=GENERATED, draws=DRAWS)
    of_prompts = omitted_prompts(model, prompt_tokens=PROMPT, generated_tokens=GENERATED, draws=DRAWS)
    assert of_attention == pytest.approx((problem(reading, True) - counted) / counted)
    assert of_prompts == pytest.approx((problem("shared", attention) - counted) / counted if reading == "none" else 0.0)


def test_of_unknown_sizes_nothing_is_said() -> None:
    lengths = {"prompt_tokens": 10, "generated_tokens": 10, "draws": 1}
    assert omitted_attention(card(attention=None), **lengths) is None
    assert omitted_prompts(card(attention=None), **lengths) == 1.0
    for left_out in (omitted_attention, omitted_prompts):
        assert left_out(card(flops_per_token=None), **lengths) is None
