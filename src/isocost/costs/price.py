"""Cost in US dollars, from prices a million tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from isocost.errors import BudgetError

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars a million tokens; None is not known.

    Attributes:
        input: A prompt token.
        output: A generated token.
        input_cache_read: A prompt token that the provider has cached; None where it offers no such price.
        dated: The day the prices were read.
    """

    input: float | None
    output: float | None
    input_cache_read: float | None = None
    dated: dt.date | None = None


def usd(price: Price, num_prompt_tokens: float, num_generated_tokens: float, *, samples: int = 1) -> float:
    """What one sample costs, when `samples` of them go on from the same prompt in one request.

    The prompt is paid once a request, so a sample carries 1 / `samples` of it. Cached reads are not assumed: whether a provider grants
    them is seen only on its bill.

    Args:
        price: What tokens cost.
        num_prompt_tokens: Tokens of the prompt.
        num_generated_tokens: Tokens of this sample.
        samples: How many samples share the prompt.

    Raises:
        BudgetError: a price that is needed is not known. It is never taken as zero.
    """
    if price.output is None:
        raise BudgetError("the price of an output token is not known; give price: {output: ...} in USD per million tokens")
    if price.input is None and num_prompt_tokens:
        raise BudgetError("the price of an input token is not known; give price: {input: ...} in USD per million tokens")
    prompt = (price.input or 0.0) * num_prompt_tokens / samples
    return (prompt + price.output * num_generated_tokens) / _MILLION
