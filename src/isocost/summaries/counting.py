"""Describe the FLOPs that a plan counts, and the size of those it leaves out, in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from isocost.costs.omitted import omitted_attention, omitted_prompts
from isocost.planning import DrawCost
from isocost.preparing.prepare import Prepared
from isocost.records import CellPlan, ModelCard

BYTES_PER_TOKEN = 4  # about right for English prose; used only where no tokenizer has measured the prompts
_SAMPLED = 100  # problems; their mean prompt length is close enough for a share in whole percent
_PROMPTS = {"none": "", "shared": ", and 2P a prompt token once a request", "each": ", and 2P a prompt token of every draw"}


def describe_flops(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return one line: the definition of FLOPs, and the share that attention and reading every prompt once would add.

    Shares are for expected lengths. Where the draws of a problem share a prompt, they are for the counts of the cells. Returns "" where no
    model's FLOPs are known, or nothing is drawn.
    """
    sized = {name: each for name, each in costs.items() if each.draw.flops is not None and _counts(name, plans)}
    if not sized:
        return ""
    settings = prepared.study.costs
    definition = f"FLOPs are 2P a generated token{_PROMPTS[settings.prompt_tokens]}{', with attention' if settings.attention else ''}."
    prompts = {name: _prompt_tokens(prepared, name) if each.prompt_tokens is None else each.prompt_tokens for name, each in sized.items()}
    guessed = f" (prompts taken at {BYTES_PER_TOKEN} bytes a token)" if any(each.prompt_tokens is None for each in sized.values()) else ""

    # The shares depend on the draws per problem, which differ between cells: hence a range.
    def sizes(left_out: Callable[..., float | None]) -> str:
        found = {n: _shares(prepared.cards[n], each, prompts[n], _counts(n, plans), left_out) for n, each in sized.items()}
        unknown = [name for name, shares in found.items() if not shares]
        listed = [f"{_range(shares)} for {name}" for name, shares in found.items() if shares]
        listed += [f"an unknown share for {' and '.join(unknown)} (models.NAME.attention gives it)"] if unknown else []
        return "would add " + ", ".join(listed)

    left = []
    if not settings.attention:
        left.append(f"attention {sizes(omitted_attention)}")
    if settings.prompt_tokens == "none":
        left.append(f"reading prompts once a problem {sizes(omitted_prompts)}")
    return f"{definition} Left out: {'; '.join(left)}{guessed}." if left else definition


def _shares(
    card: ModelCard, each: DrawCost, prompt_tokens: float, counts: Sequence[float], left_out: Callable[..., float | None]
) -> list[float]:
    found = [left_out(card, prompt_tokens=prompt_tokens, generated_tokens=each.tokens, draws=draws) for draws in counts]
    return [share for share in found if share is not None]


def _counts(model: str, plans: Sequence[CellPlan]) -> list[float]:
    """Return the draws per problem in each cell that draws from the model; at least 1.0, as a fraction leaves some problems out."""
    return [max(1.0, plan.samples_per_problem[model]) for plan in plans if plan.samples_per_problem.get(model)]


def _prompt_tokens(prepared: Prepared, model: str) -> float:
    # The mean over the first problems; rendering every prompt of a large set would slow down `isocost plan`.
    template = prepared.templates[model]
    prompts = [template.render(problem.question) for problem in prepared.problems["train"][:_SAMPLED]]
    return fmean(len(prompt.encode()) for prompt in prompts) / BYTES_PER_TOKEN


def _range(shares: Sequence[float]) -> str:
    # Compare the rounded texts: 1.2% and 1.4% are one value to the reader.
    low, high = (_percent(share) for share in (min(shares), max(shares)))
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.005 else f"{100 * share:,.0f}%"
