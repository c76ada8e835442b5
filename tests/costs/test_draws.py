from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.costs.draws import cost_of, max_cost_of, reading_flops, writing_flops
from isocost.errors import BudgetError
from isocost.records import Cost
from tests.costs.cards import WIDTH, P, card

PRICES = {"input": 2.0, "output": 8.0, "input_cache_read": 0.5}
READINGS = ("none", "shared", "each")

tokens = st.integers(0, 5_000)


def by_token(prompt: int, generated: int, *, reading: str, attention: bool, sharing: int) -> float:
    """A draw's FLOPs token by token: 2P for its weights, 4 L d for every token of the context it looks at, itself included."""

    def token(context: int) -> int:
        return 2 * P + (4 * WIDTH * context if attention else 0)

    read = sum(token(i + 1) for i in range(prompt))
    written = sum(token(prompt + j + 1) for j in range(generated))
    return written + {"none": 0.0, "shared": read / sharing, "each": read}[reading]


@pytest.mark.parametrize(("prompt", "generated"), [(0, 0), (0, 1), (1, 0), (1, 1), (7, 3), (3, 7), (250, 40)])
@pytest.mark.parametrize(("reading", "attention"), list(product(READINGS, (False, True))))
def test_flops_are_the_sum_over_tokens(prompt: int, generated: int, reading: str, attention: bool) -> None:
    model = card(prompt_reading=reading, counts_attention=attention)
    for sharing in (1, 4):
        found = cost_of(model, prompt_tokens=prompt, generated_tokens=generated, sharing=sharing).flops
        assert found == pytest.approx(by_token(prompt, generated, reading=reading, attention=attention, sharing=sharing), rel=1e-12)


def test_the_papers_cost_is_the_default() -> None:
    assert cost_of(card(), prompt_tokens=30, generated_tokens=10) == Cost(flops=2 * P * 10)


@pytest.mark.parametrize(
    ("prompt", "generated", "cached", "sharing", "micro_dollars"),
    [
        (30, 10, 0, 1, 2 * 30 + 8 * 10),
        (30, 10, 0, 5, 2 * 30 / 5 + 8 * 10),
        (30, 10, 20, 1, 2 * 10 + 0.5 * 20 + 8 * 10),
        (30, 10, 20, 5, (2 * 10 + 0.5 * 20) / 5 + 8 * 10),
        (30, 10, 99, 1, 2 * 30 + 0.5 * 99 + 8 * 10),  # more than the prompt: they are beside it
        (30, 10, -5, 1, 2 * 30 + 8 * 10),
    ],
)
def test_dollars(prompt: int, generated: int, cached: int, sharing: int, micro_dollars: float) -> None:
    cost = cost_of(card(usd_per_million=PRICES), prompt_tokens=prompt, generated_tokens=generated, cached_tokens=cached, sharing=sharing)
    assert cost.usd == pytest.approx(micro_dollars / 1e6)


def test_cached_tokens_without_a_price_of_their_own_cost_what_others_do() -> None:
    priced = card(usd_per_million={"input": 2.0, "output": 8.0})
    assert cost_of(priced, prompt_tokens=30, generated_tokens=1, cached_tokens=30).usd == pytest.approx((60 + 8) / 1e6)


def test_published_price_ratio() -> None:
    """arXiv 2408.16737: one sample of Gemini 1.5 Pro pays for 35 of Flash."""
    pro, flash = card(usd_per_million={"output": 10.5}), card(usd_per_million={"output": 0.3})
    one, other = (cost_of(model, prompt_tokens=0, generated_tokens=400).usd for model in (pro, flash))
    assert other is not None
    assert one == pytest.approx(35 * other)


@pytest.mark.parametrize(("prices", "key"), [({"output": 1.0}, "input"), ({"input": 1.0}, "output")])
def test_an_unknown_price_is_never_zero(prices: dict[str, float], key: str) -> None:
    with pytest.raises(BudgetError, match=rf"^models\.m\.price\.{key} is missing"):
        cost_of(card(usd_per_million=prices), prompt_tokens=10, generated_tokens=10)


@pytest.mark.parametrize("facts", [{"flops_per_token": None}, {"attention": None, "counts_attention": True}])
@pytest.mark.parametrize("reading", READINGS)
def test_an_unknown_size_is_never_zero(facts: dict[str, Any], reading: str) -> None:
    model = card(prompt_reading=reading, **facts)
    assert cost_of(model, prompt_tokens=10, generated_tokens=10).flops is None
    assert writing_flops(model, 10, 10) is None


models = st.builds(
    card,
    prompt_reading=st.sampled_from(READINGS),
    counts_attention=st.booleans(),
    usd_per_million=st.sampled_from([PRICES, {"input": 2.0, "output": 8.0}, {"input": 0.0, "output": 1.0}]),
)


def amounts(cost: Cost) -> tuple[float, float]:
    assert cost.flops is not None
    assert cost.usd is not None
    return cost.flops, cost.usd


@given(models, tokens, tokens, tokens, tokens, st.integers(1, 50))
def test_more_tokens_never_cost_less_and_sharing_never_costs_more(m: Any, p: int, g: int, more_p: int, more_g: int, s: int) -> None:
    base = amounts(cost_of(m, prompt_tokens=p, generated_tokens=g, sharing=s))
    slack = 1 + 1e-12
    for larger in (
        cost_of(m, prompt_tokens=p + more_p, generated_tokens=g, sharing=s),
        cost_of(m, prompt_tokens=p, generated_tokens=g + more_g, sharing=s),
        cost_of(m, prompt_tokens=p, generated_tokens=g),
    ):
        assert all(a <= b * slack for a, b in zip(base, amounts(larger), strict=True))
    assert amounts(cost_of(m, prompt_tokens=p, generated_tokens=g, cached_tokens=min(p, more_p), sharing=s))[1] <= base[1] * slack


@given(models, tokens, tokens, tokens)
def test_what_is_generated_in_two_goes_costs_what_it_costs_in_one(m: Any, p: int, first: int, second: int) -> None:
    one = writing_flops(m, p, first + second)
    two = [writing_flops(m, p, first), writing_flops(m, p + first, second)]
    assert one == pytest.approx(sum(x for x in two if x is not None), rel=1e-12)


@given(models, tokens, st.lists(tokens, min_size=1, max_size=20))
def test_draws_that_share_a_prompt_pay_for_one_reading_together(m: Any, p: int, lengths: list[int]) -> None:
    costs = [amounts(cost_of(m, prompt_tokens=p, generated_tokens=g, sharing=len(lengths))) for g in lengths]
    alone = [amounts(cost_of(m, prompt_tokens=0 if i else p, generated_tokens=g)) for i, g in enumerate(lengths)]
    assert sum(usd for _, usd in costs) == pytest.approx(sum(usd for _, usd in alone), rel=1e-9)
    reading, writing = reading_flops(m, p), [writing_flops(m, p, g) for g in lengths]
    assert reading is not None
    readings = len(lengths) if m.prompt_reading == "each" else 1
    assert sum(flops for flops, _ in costs) == pytest.approx(readings * reading + sum(w for w in writing if w is not None), rel=1e-9)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(1, 8), st.sampled_from([0.0, 0.5, 2.0, 90.0]))
def test_no_draw_costs_more_than_the_most(prompt: int, generated: int, cached: int, sharing: int, cache_read: float) -> None:
    priced = card(usd_per_million={"input": 2.0, "output": 8.0, "input_cache_read": cache_read})
    cost = cost_of(priced, prompt_tokens=prompt, generated_tokens=generated, cached_tokens=cached, sharing=sharing)
    most = max_cost_of(priced, prompt_tokens=prompt + cached if cached > prompt else prompt, generated_tokens=generated)
    assert cost.usd is not None
    assert most.usd is not None
    assert cost.usd <= most.usd * (1 + 1e-12)
    assert most.flops == cost.flops
