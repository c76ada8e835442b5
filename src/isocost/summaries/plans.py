"""Format a plan for people: the samples that each budget buys, and the first prompt to each model."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence

from isocost.amounts import format_amount
from isocost.amounts import price as format_price
from isocost.costs.price import stale
from isocost.engines.base import Request
from isocost.graders.judge import JudgeRequest, judging_prompt
from isocost.judging.pool import judging_params
from isocost.judging.reasoning import auditing_params, judge_prompt
from isocost.planning import DrawCost, to_json
from isocost.preparing.prepare import Prepared, auditor_of, generators, judge_of
from isocost.records import CellPlan, ModelCard, SamplingParams
from isocost.reporting.numbers import cost as format_cost
from isocost.summaries.counting import describe_flops
from isocost.summaries.limits import format_limit_warning

__all__ = ["first_prompts", "to_json", "to_markdown"]


def to_markdown(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], today: dt.date | None = None) -> str:
    """Return the plan as Markdown: models with the cost per draw, cells with their draws per problem, and notes on the costs.

    Args:
        prepared: The study.
        costs: The cost per draw, by model.
        plans: The planned samples of every cell.
        today: The date that the age of prices is measured from; the current date by default.
    """
    n_problems = len(prepared.problems["train"])
    lines = _models(prepared, costs)
    lines += [
        "",
        f"| cell | budget | model | samples a problem | samples of {n_problems:,} problems | planned cost |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for plan in plans:
        # A number-matched cell has a fixed count of samples per problem in place of a budget.
        amount = "number-matched" if plan.unit is None or plan.amount is None else format_amount(plan.unit, plan.amount)
        for model, each_problem in plan.samples_per_problem.items():
            draws = round(each_problem * n_problems)
            lines.append(f"| {plan.cell.name} | {amount} | {model} | {each_problem:,.4g} | {draws:,} | {format_cost(plan.cost)} |")
    judge = judge_of(prepared.study)
    notes = [format_limit_warning(prepared, costs, plans), describe_flops(prepared, costs, plans)]
    auditor = auditor_of(prepared.study)
    # A judge that also samples has its price checked already.
    others = [name for name in dict.fromkeys((judge, auditor)) if name and name not in costs]
    notes += _old_prices(prepared, [*costs, *others], today or dt.date.today())
    if judge:
        notes.append(f"{judge} judges the solutions. Its calls are in no budget; they are on the bill and count against a limit.")
    if auditor:
        most = prepared.study.audit.per_model
        how_many = f"up to {most:,} correct solutions of each model" if most else "a correct solution of every problem that a model solves"
        notes.append(f"{auditor} audits {how_many}. Its calls are in no budget; they are on the bill and count against a limit.")
    return "\n".join([*lines, *(line for note in notes if note for line in ("", note))])


def _models(prepared: Prepared, costs: Mapping[str, DrawCost]) -> list[str]:
    """Return a table with a row per model, and a column of prices if any model has one."""
    cards = [prepared.cards[name] for name in costs]
    priced = any(card.usd_per_million for card in cards)
    price_title, price_rule = (" USD per million tokens |", " --- |") if priced else ("", "")
    lines = [f"| model | parameters |{price_title} a draw costs | tokens a draw |", f"| --- | ---: |{price_rule} ---: | ---: |"]
    for card, each in zip(cards, costs.values(), strict=True):
        size = f"{card.parameters:,} ({card.parameters_are})" if card.parameters else "not known"
        price = f" {_format_prices(card)} |" if priced else ""
        lines.append(f"| {card.name} | {size} |{price} {format_cost(each.expected)} | {each.tokens:,g} ({each.tokens_are}) |")
    return lines


def _format_prices(card: ModelCard) -> str:
    if not card.usd_per_million:
        return "not known"
    prices = ", ".join(f"{key} ${format_price(price)}" for key, price in card.usd_per_million.items())
    return f"{prices} ({', '.join(filter(None, [card.price_is, str(card.priced_on or '')]))})"


def _old_prices(prepared: Prepared, models: Sequence[str], today: dt.date) -> list[str]:
    ages = {name: stale(prepared.cards[name].priced_on, today) for name in models}
    return [
        f"The price of {name} was read {age} days ago, on {prepared.cards[name].priced_on}: read it again, and date it."
        for name, age in ages.items()
        if age is not None
    ]


def first_prompts(prepared: Prepared, render: Callable[[str, Request], str] | None = None) -> str:
    """Return the first prompt to each model that samples, as the model reads it, and the prompts to the judge and the auditor.

    Args:
        prepared: The study.
        render: Turns (model, request) into the text that the model reads. Without it the template's text is shown, a chat with its roles.
    """
    problem = prepared.problems["train"][0]
    parts = []
    for name in generators(prepared.study):
        template = prepared.templates[name]
        params = prepared.study.sampling_of(name).params(template.reply_stop)
        request = Request(
            problem_id=problem.id,
            prompt=template.render(problem.question),
            first_index=0,
            count=1,
            chat=template.chat,
            system=template.system,
        )
        text = render(name, request) if render else _format_request(request)
        parts.append(f"first prompt to {name} ({_format_params(params)}):\n{text}\n<end of prompt>")
    if judge := judge_of(prepared.study):
        judged = judging_prompt(JudgeRequest(question=problem.question, generation="<the solution>"))
        parts.append(f"prompt to the judge {judge} ({_format_params(judging_params(prepared.study))}):\n{judged}\n<end of prompt>")
    if auditor := auditor_of(prepared.study):
        audited = judge_prompt(problem, "<the solution>")
        parts.append(
            f"prompt to the auditor {auditor} ({_format_params(auditing_params(prepared.study.audit))}):\n{audited}\n<end of prompt>"
        )
    return "\n\n".join(parts)


def _format_params(params: SamplingParams) -> str:
    """Format sampling settings, such as `temperature 0.8, max_tokens 256, stop "Q:"`; a cut-off that cuts nothing is left out."""
    cuts = {"top_p": params.top_p if params.top_p < 1 else None, "top_k": params.top_k or None}
    settings = [f"temperature {params.temperature:g}", *(f"{key} {value:g}" for key, value in cuts.items() if value is not None)]
    stops = " ".join(json.dumps(stop, ensure_ascii=False) for stop in params.stop)
    return ", ".join([*settings, f"max_tokens {params.max_tokens}", *([f"stop {stops}"] if stops else [])])


def _format_request(request: Request) -> str:
    """Return the request's text without the model's own chat format."""
    if not request.chat:
        return request.prompt
    system = "" if request.system is None else f"[system]\n{request.system}\n"
    return f"{system}[user]\n{request.prompt}\n[assistant]"
