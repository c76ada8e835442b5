import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.config import ModelSpec, Price
from isocost.costs.draws import cost_of, max_cost_of
from isocost.costs.price import Priced, priced, question_price, stale
from isocost.costs.pricefile import PriceList, read_prices
from isocost.errors import BudgetError, StudyError
from isocost.records import ModelCard
from tests.costs.cards import card

DAY = dt.date(2026, 11, 1)
LIST = PriceList(
    shown="prices.yaml",
    models={
        "gpt-4o-mini": Price(input=0.15, output=0.6, input_cache_read=0.075, batch_discount=0.5, dated=DAY),
        "weak": Price(input=1, output=2, dated=DAY),
    },
)


def spec(**facts: Any) -> ModelSpec:
    return ModelSpec(engine="openai", **facts)


def price_of(source: str, prices: PriceList | None = LIST, **facts: Any) -> Priced:
    return priced("weak", spec(**facts), source, prices)


def test_a_model_is_found_by_the_engines_name_first() -> None:
    found = price_of("gpt-4o-mini")
    assert found.usd_per_million == {"input": 0.15, "output": 0.6, "input_cache_read": 0.075}
    assert (found.price_is, found.priced_on) == ("prices.yaml", DAY)
    assert price_of("another").usd_per_million == {"input": 1, "output": 2}


def test_a_price_of_its_own_wins() -> None:
    found = price_of("gpt-4o-mini", price={"input": 0, "output": 7})
    assert (found.usd_per_million, found.price_is) == ({"input": 0, "output": 7}, "the study file")


def test_what_is_not_known_says_what_to_add() -> None:
    assert price_of("x", None).to_know == "give models.weak.price"
    other = priced("strong", spec(), "gpt-4o-mimi", LIST)
    assert other.usd_per_million is None
    assert other.to_know == 'add "gpt-4o-mimi" to prices.yaml, with its input and output; did you mean "gpt-4o-mini"?'


def test_the_batch_api_takes_its_discount_off_every_price() -> None:
    found = price_of("gpt-4o-mini", batch_api=True)
    assert found.usd_per_million == pytest.approx({"input": 0.075, "output": 0.3, "input_cache_read": 0.0375})
    assert found.price_is == "prices.yaml, less 50% in the batch API"
    assert price_of("gpt-4o-mini").usd_per_million == {"input": 0.15, "output": 0.6, "input_cache_read": 0.075}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "^prices.yaml has no batch_discount for it, and batch_api is true\n"),
        ({"price": {"output": 1}}, "^price.batch_discount is missing, and batch_api is true\n"),
    ],
)
def test_a_discount_that_is_not_known_is_an_error(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        price_of("weak", batch_api=True, **facts)


def test_a_price_made_from_gpus() -> None:
    found = price_of("x", price={"gpu_hour": 3.6, "gpus": 2, "tokens_per_second": 1000, "dated": DAY})
    assert found.usd_per_million == pytest.approx({"input": 0.0, "output": 2.0})  # 7.2 an hour is 0.002 a second, which is 1,000 tokens
    assert found.tokens_per_second == 1000
    assert found.price_is == "made from 2 GPUs at $3.6 an hour each and 1,000 tokens a second"
    assert found.priced_on == DAY


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ({"gpu_hour": 2}, "tokens_per_second is missing: .*`isocost status DIR`"),
        ({"tokens_per_second": 2}, "gpu_hour is missing"),
        ({"gpus": 2, "output": 1}, "gpu_hour is missing"),
        ({"gpu_hour": 2, "tokens_per_second": 2, "output": 1}, "gpu_hour and output are two kinds of price"),
        ({"input": 2}, "output is missing"),
        ({"output": 2, "batch_discount": 1}, "less than 1"),
        ({"output": False}, "must be a number"),
        ({"output": -1}, "greater than or equal to 0"),
    ],
)
def test_prices_that_cannot_be(price: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Price.model_validate(price)


@pytest.mark.parametrize(("days", "age"), [(0, None), (90, None), (91, 91), (-5, None)])
def test_a_price_is_old_after_three_months(days: int, age: int | None) -> None:
    assert stale(DAY, DAY + dt.timedelta(days=days)) == age
    assert stale(None, DAY) is None


HEAD = "dated: 2026-11-01\nmodels:\n"
NEEDED = "needed: input, output (USD per million tokens)"


def read(folder: Path, text: str) -> PriceList:
    path = folder / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return read_prices(path, "prices.yaml")


def test_a_file_of_prices(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "  org/a-1.5: {input: 0.15, output: 1e-1, batch_discount: 0.5}\n  b: &b {input: 0, output: 1}\n  c: *b\n")
    assert found.models["org/a-1.5"] == Price(input=0.15, output=0.1, batch_discount=0.5, dated=DAY)
    assert found.models["b"] == found.models["c"] == Price(input=0, output=1, dated=DAY)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (
            HEAD + "  a: {input: 1, output: 1}\n  gpt-4o-mini: {inptu: 0.15, output: 0.6}\n",
            [f'prices.yaml:4: unknown key "inptu" for model "gpt-4o-mini"\n  did you mean "input"? {NEEDED}'],
        ),
        (HEAD + "  a: {input: 1}\n", [f'prices.yaml:3: "output" is missing for model "a"\n  {NEEDED}']),
        (HEAD + "  a: {input: -1, output: 1}\n", [f'prices.yaml:3: input of model "a" must be a number, 0 or more, not -1\n  {NEEDED}']),
        (
            HEAD + "  a:\n    input: no\n    output: many\n",
            [
                f'prices.yaml:4: input of model "a" must be a number, 0 or more, not False\n  {NEEDED}',
                f"prices.yaml:5: output of model \"a\" must be a number, 0 or more, not 'many'\n  {NEEDED}",
            ],
        ),
        (
            HEAD + "  a: {input: 1, output: 1}\n  b: {input: 1, output: 1}\n  a: {input: 2, output: 1}\n",
            ['prices.yaml:5: "a" occurs twice, first in line 3\n  keep one'],
        ),
        (
            HEAD + "  a: {input: 1, output: 1,\n      input: 2}\n",
            ['prices.yaml:4: "input" of model "a" occurs twice, first in line 3\n  keep one'],
        ),
        ("models: {}\n", ['prices.yaml: "dated" is missing\n  give the day the prices were read, such as dated: 2026-11-01']),
        ("- 1\n", [f"prices.yaml: a file of prices must be a mapping\n  {NEEDED} of each model, under models"]),
        (
            "dated: lately\nmodel: {}\nmodels: {}\n",
            [
                "prices.yaml:1: dated must be a day, such as 2026-11-01, not 'lately'\n  give the day the prices were read",
                'prices.yaml:2: unknown key "model"\n  did you mean "models"? needed: dated, models',
            ],
        ),
        ("models: [\n", ["prices.yaml:2: not YAML: expected the node content, but found '<stream end>'"]),
    ],
)
def test_mistakes_of_a_file_of_prices(tmp_path: Path, text: str, mistakes: list[str]) -> None:
    with pytest.raises(StudyError) as caught:
        read(tmp_path, text)
    assert list(caught.value.mistakes) == mistakes


def test_no_such_file_of_prices(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"^prices\.yaml: no such file of prices$"):
        read_prices(tmp_path / "nothing.yaml", "prices.yaml")


TIERED = {
    "input": 2.0,
    "output": 10.0,
    "input_cache_read": 0.5,
    "input_cache_write": 2.5,
    "request": 0.01,
    "tiers": [{"above": 1000, "input": 4.0, "output": 15.0}, {"above": 5000, "input": 3.0, "output": 50.0, "input_cache_write": 6.0}],
    "batch_discount": 0.5,
}


def carded(**price: Any) -> ModelCard:
    found = price_of("x", None, price=price)
    return card(usd_per_million=found.usd_per_million, usd_per_request=found.usd_per_request, price_tiers=found.tiers)


@pytest.mark.parametrize(
    ("prompt", "read", "written", "sharing", "usd"),
    [
        (1000, 0, 0, 1, 0.01 + 1000 * 2e-6 + 100 * 10e-6),
        (1000, 400, 100, 1, 0.01 + 500 * 2e-6 + 400 * 0.5e-6 + 100 * 2.5e-6 + 100 * 10e-6),
        (1000, 400, 100, 4, (0.01 + 500 * 2e-6 + 400 * 0.5e-6 + 100 * 2.5e-6) / 4 + 100 * 10e-6),
        (1001, 0, 0, 1, 0.01 + 1001 * 4e-6 + 100 * 15e-6),
        (1001, 1001, 0, 1, 0.01 + 1001 * 4e-6 + 100 * 15e-6),  # a tier without a price of its cache
        (5001, 0, 5001, 1, 0.01 + 5001 * 6e-6 + 100 * 50e-6),
        # more than the prompt has, so beside it: the tier is that of all three
        (10, 400, 500, 1, 0.01 + 10 * 2e-6 + 400 * 0.5e-6 + 500 * 2.5e-6 + 100 * 10e-6),
        (10, 400, 500, 4, (0.01 + 10 * 2e-6 + 400 * 0.5e-6 + 500 * 2.5e-6) / 4 + 100 * 10e-6),
        (10, 5000, 0, 1, 0.01 + 5010 * 3e-6 + 100 * 50e-6),
        (0, 900, 0, 1, 0.01 + 900 * 0.5e-6 + 100 * 10e-6),
    ],
)
def test_cache_requests_and_tiers_are_paid(prompt: int, read: int, written: int, sharing: int, usd: float) -> None:
    paid = cost_of(
        carded(**TIERED), prompt_tokens=prompt, generated_tokens=100, cached_tokens=read, cache_write_tokens=written, sharing=sharing
    )
    assert paid.usd == pytest.approx(usd)


def test_a_request_that_was_refused_costs_nothing() -> None:
    assert cost_of(carded(**TIERED), prompt_tokens=0, generated_tokens=0).usd == 0


@given(st.integers(1, 9000), st.integers(0, 9000), st.integers(0, 9000), st.integers(0, 100), st.integers(1, 9), st.booleans())
def test_no_reply_costs_more_than_was_reserved(prompt: int, read: int, written: int, generated: int, sharing: int, apart: bool) -> None:
    own = carded(**TIERED)
    # An engine lets no more pass, in either form of usage (tests/engines/openai/test_usage.py).
    read = min(read, 9000 - prompt if apart else prompt)
    written = min(written, 9000 - prompt - read if apart else prompt - read)
    most = max_cost_of(own, prompt_tokens=9000, generated_tokens=100).usd
    paid = cost_of(
        own, prompt_tokens=prompt, generated_tokens=generated, cached_tokens=read, cache_write_tokens=written, sharing=sharing
    ).usd
    assert paid is not None
    assert most is not None
    assert paid <= most * (1 + 1e-12)


def test_a_batch_discount_is_of_requests_and_tiers_too() -> None:
    found = price_of("x", None, price=TIERED, batch_api=True)
    assert found.usd_per_request == 0.005
    assert [dict(tier.usd_per_million) for tier in found.tiers] == [
        {"input": 2.0, "output": 7.5},
        {"input": 1.5, "output": 25.0, "input_cache_write": 3.0},
    ]


def test_tiers_ascend_and_a_file_may_have_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from the lowest to the highest"):
        Price(input=1, output=1, tiers=tuple(reversed(Price(**TIERED).tiers)))
    path = tmp_path / "prices.yaml"
    path.write_text("dated: 2026-11-01\nmodels: {m: {input: 1, output: 2, request: 0.1, tiers: [{above: 9, input: 2, output: 3}]}}\n")
    found = read_prices(path, "prices.yaml").models["m"]
    assert (found.request, found.tiers[0].above, found.tiers[0].output) == (0.1, 9, 3)
    path.write_text("dated: 2026-11-01\nmodels: {m: {input: 1, output: 2, tiers: [{above: 9, input: 2}]}}\n")
    with pytest.raises(StudyError, match=r'tiers.0.output of model "m"'):
        read_prices(path, "prices.yaml")


@pytest.mark.parametrize(
    ("price", "asked"),
    [
        ({"input": 1.5e-7, "output": 6e-7}, "input is 1.5e-07"),
        ({"input": 0, "output": 6e-7}, "output is 6e-07"),
        ({"input": 0, "output": 0.02}, ""),
    ],
)
def test_a_price_per_token_is_questioned(price: dict[str, float], asked: str) -> None:
    found = question_price(carded(**price))
    assert asked in found
    assert bool(found) == bool(asked)
