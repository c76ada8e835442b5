"""What planned FLOPs count, and the size of what they leave out, in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from isocost.costs.omitted import omitted_attention, omitted_prompts
from isocost.planning import DrawCost
from isocost.preparing.prepare import Prepared
from isocost.records import CellPlan, ModelCard

BYTES_A_TOKEN = 4  # of English prose, about; for a prompt that nobody has measured
_LOOKED_AT = 100  # problems
_PROMPTS = {"none": "", "shared": ", and 2P a prompt token once a request", "each": ", and 2P a prompt token of every draw"}


def counting(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """One line: what FLOPs are, and what would be added by attention and by reading every problem's prompt once.

    Sizes are for expected lengths and, where a prompt is shared by the draws of a problem, for the counts of the cells. "" where no
    model's FLOPs are known, or nothing is drawn.
    """
    sized = {name: each for name, each in costs.items() if each.draw.flops is not None and _counts(name, plans)}
    if not sized:
        return ""
    settings = prepared.study.costs
    said = f"FLOPs are 2P a generated token{_PROMPTS[settings.prompt_tokens]}{', with attention' if settings.attention else ''}."
    prompts = {name: _prompt_tokens(prepared, name) if each.prompt_tokens is None else each.prompt_tokens for name, each in sized.items()}
    guessed = f" (prompts taken at {BYTES_A_TOKEN} bytes a token)" if any(each.prompt_tokens is None for each in sized.values()) else ""

    def sizes(left_out: Callable[..., float | None]) -> str:
        found = {n: _shares(prepared.cards[n], each, prompts[n], _counts(n, plans), left_out) for n, each in sized.items()}
        unknown = [name for name, shares in found.items() if not shares]
        told = [f"{_range(shares)} for {name}" for name, shares in found.items() if shares]
        told += [f"an unknown share for {' and '.join(unknown)} (models.NAME.attention gives it)"] if unknown else []
        return "would add " + ", ".join(told)

    left = []
    if not settings.attention:
        left.append(f"attention {sizes(omitted_attention)}")
    if settings.prompt_tokens == "none":
        left.append(f"reading prompts once a problem {sizes(omitted_prompts)}")
    return f"{said} Left out: {'; '.join(left)}{guessed}." if left else said


def _shares(
    card: ModelCard, each: DrawCost, prompt_tokens: float, counts: Sequence[float], left_out: Callable[..., float | None]
) -> list[float]:
    found = [left_out(card, prompt_tokens=prompt_tokens, generated_tokens=each.tokens, draws=draws) for draws in counts]
    return [share for share in found if share is not None]


def _counts(model: str, plans: Sequence[CellPlan]) -> list[float]:
    """Draws of a problem that is drawn at all, in every cell."""
    return [max(1.0, plan.samples_per_problem[model]) for plan in plans if plan.samples_per_problem.get(model)]


def _prompt_tokens(prepared: Prepared, model: str) -> float:
    template = prepared.templates[model]
    prompts = [template.render(problem.question) for problem in prepared.problems["train"][:_LOOKED_AT]]
    return fmean(len(prompt.encode()) for prompt in prompts) / BYTES_A_TOKEN


def _range(shares: Sequence[float]) -> str:
    low, high = (_percent(share) for share in (min(shares), max(shares)))
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.005 else f"{100 * share:,.0f}%"
