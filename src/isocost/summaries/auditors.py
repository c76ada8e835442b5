"""Format what a plan says of the model that audits solutions: what it is asked, and what that costs at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from isocost.costs.draws import cost_of
from isocost.costs.expected import DrawCost
from isocost.judging.reasoning import judge_prompt
from isocost.judging.replies import greedy_params
from isocost.preparing.prepare import Prepared, auditor_of
from isocost.records import CellPlan, Cost
from isocost.reporting.numbers import cost as format_cost

BYTES_PER_TOKEN = 4  # about right for English prose; used only where no tokenizer has measured the prompts
SAMPLED = 100  # problems whose mean prompt length is close enough for shares in whole percent and for bounds by BYTES_PER_TOKEN


def describe_auditor(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return what the study's auditor is asked, for rates and for training sets, with a bound on the calls and their cost; "" without one.

    The bound takes every solution as correct. A solution that is in a rate and in a training set is paid once.

    Args:
        prepared: The study.
        costs: The cost per draw, by model that is drawn from.
        plans: The plan of every cell.
    """
    auditor = auditor_of(prepared.study)
    if not auditor:
        return ""
    most = prepared.study.audit.per_model
    how_many = f"up to {most:,} correct solutions of each model" if most else "a correct solution of every problem that a model solves"
    text = f"{auditor} audits {how_many}."
    filtered = [plan for plan in plans if "judge" in (prepared.study.curate_of(plan.cell.arm).audit or ())]
    if filtered:
        names = ", ".join(plan.cell.name for plan in filtered)
        text += f" It is also asked about every correct solution of {names}: their training sets leave out what it finds unsound."
    bound = _bound(prepared, auditor, costs, plans, filtered)
    return f"{text} {bound} Its calls are in no budget; they are on the bill and count against a limit."


def _bound(prepared: Prepared, auditor: str, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], filtered: Sequence[CellPlan]) -> str:
    if any(plan.awaits_pilot for plan in filtered):
        return "How many these are follows from the pilot."
    calls = {model: prepared.study.rounds * n for model, n in _calls(prepared, costs, plans, filtered).items()}
    params = greedy_params(prepared.study.audit.max_tokens, prepared.study.models[auditor].sampling)
    problems = prepared.problems["train"][:SAMPLED]
    around = fmean(len(judge_prompt(problem, "").encode()) for problem in problems) / BYTES_PER_TOKEN
    total = Cost(flops=0.0, usd=0.0, seconds=0.0)
    for model, number in calls.items():
        one = cost_of(prepared.cards[auditor], prompt_tokens=around + costs[model].tokens, generated_tokens=params.max_tokens)
        total = total + Cost(flops=_times(one.flops, number), usd=_times(one.usd, number))
    basis = f"every solution correct and as long as expected, prompts at {BYTES_PER_TOKEN} bytes per token"
    basis += f", replies at max_tokens ({params.max_tokens:,})"
    return f"At most {sum(calls.values()):,} calls, {format_cost(total)}: {basis}."


def _calls(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], filtered: Sequence[CellPlan]) -> dict[str, int]:
    """Return the most solutions of each model that the auditor is asked about."""
    n = len(prepared.problems["train"])
    found = {}
    for model in costs:
        own = [plan for plan in filtered if model in plan.models]
        each = [plan.samples_per_problem.get(model, plan.at_most_per_problem.get(model, 0.0)) for plan in own]
        drawn = round(max(each, default=0.0) * n)  # cells share draws, so the largest contains those of the others
        rate = min(prepared.study.audit.per_model or n, n)  # at most one solution per problem
        every_cell = all(plan in own for plan in plans if model in plan.models)
        found[model] = max(drawn, rate) if own and every_cell else drawn + rate
    return found


def _times(amount: float | None, number: int) -> float | None:
    return None if amount is None else amount * number
