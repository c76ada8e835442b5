import pytest

from isocost.costs.price import Price, usd
from isocost.errors import BudgetError


def test_dollars_a_million_tokens() -> None:
    assert usd(Price(input=0.15, output=0.6), 1_000_000, 1_000_000) == pytest.approx(0.75)


def test_a_prompt_is_shared_by_its_samples() -> None:
    assert usd(Price(input=2, output=0), 1_000, 50, samples=4) == pytest.approx(0.0005)


def test_published_price_ratio() -> None:
    """arXiv 2408.16737: one sample of Gemini 1.5 Pro pays for 35 of Flash."""
    pro, flash = Price(input=None, output=10.5), Price(input=None, output=0.3)
    assert usd(pro, 0, 400) == pytest.approx(35 * usd(flash, 0, 400))


def test_an_unknown_price_is_never_zero() -> None:
    with pytest.raises(BudgetError, match="output token is not known"):
        usd(Price(input=1, output=None), 10, 10)
    with pytest.raises(BudgetError, match="input token is not known"):
        usd(Price(input=None, output=1), 10, 10)
