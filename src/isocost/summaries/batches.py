"""Format a plan's lines on models that are bought in batches: the longest wait, and the dollars saved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from isocost.amounts import format_amount
from isocost.costs.expected import DrawCost
from isocost.preparing.prepare import Prepared
from isocost.records import CellPlan, Cost, ModelCard

HOURS = 24  # that a batch may take: the completion window
_MILLION = 1_000_000


def describe_batches(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], draws: Mapping[str, float]) -> str:
    """Return a line for each model that is bought in batches; "" if there is none.

    Args:
        prepared: The study.
        costs: The cost per draw, by model.
        plans: The planned samples of every cell.
        draws: The most draws that the plan takes of each model.
    """
    batched = [name for name in costs if prepared.study.models[name].is_batched]
    return "\n".join(_describe(prepared, name, costs[name], plans, draws[name]) for name in batched)


def _describe(prepared: Prepared, name: str, each: DrawCost, plans: Sequence[CellPlan], draws: float) -> str:
    n_problems = len(prepared.problems["train"])
    rounds = max((_rounds(plan, n_problems, each) for plan in plans if name in plan.models), default=1)
    is_open = any(name in plan.at_most_per_problem for plan in plans)
    rounds += prepared.study.pilot is not None
    number = "1 round" if rounds == 1 else f"{'about ' if is_open else ''}{rounds} rounds"
    waiting = f"{name} is bought in batches: {number}, each of which may take {HOURS} hours, so up to {rounds * HOURS} hours in all."
    readings = n_problems * each.readings(draws / n_problems)
    paid, online = each.of(draws=draws, readings=readings).usd, _online(prepared.cards[name], each).of(draws=draws, readings=readings).usd
    if paid is None or online is None or not draws:
        return waiting
    most = "up to " if is_open else ""
    left, right, saved = (format_amount("usd", amount) for amount in (paid, online, online - paid))
    return f"{waiting} Its samples cost {most}{left}, sent singly {most}{right}: {most}{saved} saved."


def _rounds(plan: CellPlan, n_problems: int, each: DrawCost) -> int:
    """Return the number of rounds of a cell: one of a fixed plan; a policy that observes outcomes doubles what was spent with each."""
    one = each.expected.amount(plan.unit) if plan.unit else None
    if not plan.at_most_per_problem or not one or plan.amount is None:
        return 1
    return 1 + max(0, math.ceil(math.log2(max(1.0, plan.amount / (one * n_problems)))))


def _online(card: ModelCard, each: DrawCost) -> DrawCost:
    """Return the cost of a draw at the prices of requests that are sent singly."""
    prices = card.online_usd_per_million or {}
    if "output" not in prices or ("input" not in prices and each.prompt_tokens):
        return replace(each, prompt=Cost(), draw=Cost())
    reading = prices.get("input", 0.0) * (each.prompt_tokens or 0.0) / _MILLION
    return replace(each, prompt=Cost(usd=reading), draw=Cost(usd=prices["output"] * each.tokens / _MILLION))
