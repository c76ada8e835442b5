"""A plan for people: what each budget buys, and what a model will be asked first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isocost.graders.judge import JudgeRequest, judging_prompt
from isocost.planning import DrawCost, to_json
from isocost.records import CellPlan
from isocost.reporting.numbers import budget as say_budget
from isocost.reporting.numbers import cost as say_cost
from isocost.running.judging import judging_params
from isocost.running.preparing import Prepared, generators, judge_of

__all__ = ["first_prompts", "to_json", "to_markdown"]


def to_markdown(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Models with the cost of a draw, then every cell with its draws a problem."""
    n_problems = len(prepared.problems["train"])
    lines = ["| model | parameters | a draw costs | tokens a draw |", "| --- | ---: | ---: | ---: |"]
    for name, each in costs.items():
        card = prepared.cards[name]
        size = f"{card.parameters:,} ({card.parameters_are})" if card.parameters else "not known"
        lines.append(f"| {name} | {size} | {say_cost(each.expected)} | {each.tokens:g} ({each.tokens_are}) |")
    lines += [
        "",
        f"| cell | budget | model | samples a problem | samples of {n_problems:,} problems | planned cost |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for plan in plans:
        amount = "number-matched" if plan.unit is None or plan.amount is None else say_budget(plan.unit, plan.amount)
        for model, each_problem in plan.samples_per_problem.items():
            draws = round(each_problem * n_problems)
            lines.append(f"| {plan.cell.name} | {amount} | {model} | {each_problem:,.4g} | {draws:,} | {say_cost(plan.cost)} |")
    if judge := judge_of(prepared.study):
        lines += ["", f"{judge} judges the solutions. Its calls are in no budget; they are on the bill and count against a limit."]
    return "\n".join(lines)


def first_prompts(prepared: Prepared) -> str:
    """What each model that samples is asked first, as it is sent, and what a judge is asked of a solution."""
    question = prepared.problems["train"][0].question
    parts = []
    for name in generators(prepared.study):
        template = prepared.templates[name]
        params = prepared.study.sampling.params(template.stop)
        parts.append(f"first prompt to {name} ({params}):\n{template.render(question)}\n<end of prompt>")
    if judge := judge_of(prepared.study):
        asked = judging_prompt(JudgeRequest(question=question, generation="<the solution>"))
        parts.append(f"prompt to the judge {judge} ({judging_params(prepared.study)}):\n{asked}\n<end of prompt>")
    return "\n\n".join(parts)
