"""Format a plan for people: the samples that each budget buys, what may exceed the limit, and the first prompt to each model."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from isocost.amounts import format_amount, format_distinct, listed
from isocost.amounts import price as format_price
from isocost.costs.draws import omitted_attention, omitted_prompts
from isocost.costs.expected import DrawCost
from isocost.costs.price import question_price, stale
from isocost.costs.unpiloted import UNTIL_PILOTED
from isocost.engines.base import Request
from isocost.graders.judge import JudgeRequest, judging_prompt
from isocost.judging.pool import judging_params
from isocost.judging.reasoning import judge_prompt
from isocost.judging.replies import greedy_params, own_system
from isocost.planning import to_json as cells_json
from isocost.preparing.prepare import Prepared, auditor_of, generators, judge_of
from isocost.records import CellPlan, ModelCard, SamplingParams, Unit
from isocost.reporting.numbers import cost as format_cost
from isocost.summaries.auditors import BYTES_PER_TOKEN, SAMPLED, describe_auditor
from isocost.summaries.batches import describe_batches
from isocost.summaries.choices import ChoiceForecast
from isocost.summaries.choicetext import choices_json, choices_markdown
from isocost.summaries.pilots import describe_pilot, describe_time, describe_unpiloted, pilot_json
from isocost.summaries.rounds import describe_rounds, rounds_json

HARD = "Hard: basis: realised buys no draw beyond a budget, limit caps the bill."
_LONGEST_ANSWER = 200  # characters of a reference answer that are shown
_PROMPTS = {"none": "", "shared": ", and 2P per prompt token once per request", "each": ", and 2P per prompt token of every draw"}


def answer_markdown(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], found: ChoiceForecast | None) -> str:
    """Return what `isocost plan` prints: the plan, and the forecast from a pilot if there is one."""
    plan = to_markdown(prepared, costs, plans)
    return "\n\n".join(filter(None, [plan, describe_time(prepared, costs, plans, found.pilot), choices_markdown(found)])) if found else plan


def answer_json(
    prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], found: ChoiceForecast | None
) -> dict[str, object]:
    """Return what `isocost plan --json` prints."""
    forecast = choices_json(found) if found else {}
    return cells_json(plans, found.coverage if found else {}) | rounds_json(prepared, plans) | pilot_json(prepared, costs) | forecast


def to_markdown(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], today: dt.date | None = None) -> str:
    """Return the plan as Markdown: models with the cost per draw, cells with their draws per problem, and notes on the costs.

    Args:
        prepared: The study.
        costs: The cost per draw, by model.
        plans: The planned samples of every cell.
        today: The date that the age of prices is measured from; the current date by default.
    """
    n_problems = len(prepared.problems["train"])
    rows: list[str] = []
    for plan in plans:
        # A number-matched cell has a fixed count of samples per problem in place of a budget.
        amount = "number-matched" if plan.unit is None or plan.amount is None else format_amount(plan.unit, plan.amount)
        for model, each_problem in plan.samples_per_problem.items():
            draws = round(each_problem * n_problems)
            rows.append(f"| {plan.cell.name} | {amount} | {model} | {each_problem:,.4g} | {draws:,} | {format_cost(plan.cost)} |")
        for model, each_problem in plan.at_most_per_problem.items():
            draws = round(each_problem * n_problems)
            rows.append(f"| {plan.cell.name} | {amount} | {model} | up to {each_problem:,.4g} | up to {draws:,} | up to {amount} |")
    lines = _models(prepared, costs)
    if rows:
        title = f"| cell | budget | model | samples per problem | samples of {n_problems:,} problems | planned cost |"
        lines += ["", title, "| --- | ---: | --- | ---: | ---: | ---: |", *rows]
    judge = judge_of(prepared.study)
    notes = [describe_rounds(prepared, plans), describe_unpiloted(plans, prepared.study), describe_pilot(prepared, costs, plans)]
    notes += [_open_cells(plans), _estimates(costs, plans)]
    largest = {name: max(_draws(name, plans, n_problems, _piloted(prepared)), _at_most(name, plans, n_problems)) for name in costs}
    notes.append(describe_batches(prepared, costs, plans, largest))
    notes += below_one_draw(costs, plans, n_problems)
    notes.append(format_limit_warning(prepared, costs, plans))
    notes.append(describe_flops(prepared, costs, plans))
    auditor = auditor_of(prepared.study)
    # A judge that also samples has its price checked already.
    others = [name for name in dict.fromkeys((judge, auditor)) if name and name not in costs]
    notes += _old_prices(prepared, [*costs, *others], today or dt.date.today())
    notes += [question_price(prepared.cards[name]) for name in (*costs, *others)]
    if judge:
        notes.append(f"{judge} judges the solutions. Its calls are in no budget; they are on the bill and count against a limit.")
    notes.append(describe_auditor(prepared, costs, plans))
    return "\n".join([*lines, *(line for note in notes if note for line in ("", note))])


def _open_cells(plans: Sequence[CellPlan]) -> str:
    names = ", ".join(plan.cell.name for plan in plans if plan.at_most_per_problem)
    return f"{names}: outcomes decide what is drawn. Each number is that of a model that gets all of the money." if names else ""


def below_one_draw(costs: Mapping[str, DrawCost], plans: Sequence[CellPlan], n_problems: int) -> list[str]:
    """Return a warning for each cell and model that may leave problems without a draw: these count as not covered.

    A budget of basis `realised` ends where a draw at its worst case does not fit, so it buys fewer draws than its amount pays for.
    """
    found = []
    for plan in plans:
        for model, each_problem in (plan.samples_per_problem or plan.at_most_per_problem).items():
            draws = round(each_problem * n_problems)
            kept_back = _kept_back(plan, costs[model]) if plan.samples_per_problem else 0
            least = max(0, draws - kept_back)
            if least >= n_problems:
                continue
            text = f"{plan.cell.name} pays for {draws:,} draws of {model}, for {n_problems:,} problems"
            if kept_back:
                text = f"{plan.cell.name} may buy as few as {least:,} draws of {model}, for {n_problems:,} problems"
                text += ": basis: realised ends where one more draw of max_tokens would not fit"
            found.append(f"{text}. Problems without a draw count as not covered: raise the budget to at least one draw per problem.")
    return found


def _kept_back(plan: CellPlan, each: DrawCost) -> int:
    """Return the draws at their expected cost that the worst case of one more takes the place of."""
    if plan.basis != "realised" or plan.unit is None:
        return 0
    worst, expected = each.worst.amount(plan.unit), (each.draw if plan.unit in each.shared else each.expected).amount(plan.unit)
    return math.ceil(worst / expected - 1e-9) - 1 if worst and expected else 0


def _estimates(costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return what lengths other than the expected ones change: the cost of a budget of basis `planned`, the counts of one of `realised`.

    "" if there is no budget, or if a realised budget's counts rest on lengths that were declared or piloted.
    """
    # Lengths at their maximum can only be missed in one direction.
    longest = all(each.tokens_are.endswith("max_tokens") for each in costs.values())
    planned, realised = (_budgets(plans, basis) for basis in ("planned", "realised"))
    found = []
    if planned:
        how = "its cost will be lower where solutions are shorter than max_tokens" if longest else "the cost may be higher or lower"
        found.append(f"An estimate: {planned} (basis: planned) fixes counts by expected tokens, and {how}. {HARD}")
    if realised and longest and not any(plan.awaits_pilot for plan in plans):
        found.append(f"Counts are for solutions of max_tokens: where they are shorter, {realised} (basis: realised) buys more of them.")
    return " ".join(found)


def _budgets(plans: Sequence[CellPlan], basis: str) -> str:
    """Return the names of the budgets of a basis, as a list in quotes."""
    names = dict.fromkeys(plan.cell.budget for plan in plans if plan.unit is not None and plan.basis == basis)
    return ", ".join(f'"{name}"' for name in names)


def _models(prepared: Prepared, costs: Mapping[str, DrawCost]) -> list[str]:
    """Return a table with a row per model, and columns of parameters and prices if any model has them."""
    cards = [prepared.cards[name] for name in costs]
    priced = any(card.usd_per_million for card in cards)
    price_title, price_rule = (" USD per million tokens |", " --- |") if priced else ("", "")
    sized = any(card.parameters for card in cards)
    size_title, size_rule = (" parameters |", " ---: |") if sized else ("", "")
    lines = [f"| model |{size_title}{price_title} cost per draw | tokens per draw |", f"| --- |{size_rule}{price_rule} ---: | ---: |"]
    for card, each in zip(cards, costs.values(), strict=True):
        known = f"{card.parameters:,} ({card.parameters_are})" if card.parameters else "not known"
        size = f" {known} |" if sized else ""
        price = f" {_format_prices(card)} |" if priced else ""
        # Of the longest prompt, by its bytes: without it the cost of a draw looks too high.
        prompt = f", after a prompt of at most {each.prompt_tokens:,g}" if each.prompt_tokens and each.tokens_are == UNTIL_PILOTED else ""
        lines.append(f"| {card.name} |{size}{price} {format_cost(each.expected)} | {each.tokens:,g} ({each.tokens_are}){prompt} |")
    return lines


def _format_prices(card: ModelCard) -> str:
    if not card.usd_per_million:
        return "not known"
    prices = _list_prices(card.usd_per_million)
    if card.usd_per_request:
        prices += f", request ${format_price(card.usd_per_request)} each"
    for tier in card.price_tiers:
        prices += f"; above {tier.above:,} prompt tokens {_list_prices(tier.usd_per_million)}"
    return f"{prices} ({', '.join(filter(None, [card.price_is, str(card.priced_on or '')]))})"


def _list_prices(prices: Mapping[str, float]) -> str:
    return ", ".join(f"{key} ${format_price(price)}" for key, price in prices.items())


def _old_prices(prepared: Prepared, models: Sequence[str], today: dt.date) -> list[str]:
    ages = {name: stale(prepared.cards[name].priced_on, today) for name in models}
    return [
        f"The price of {name} was read {age} days ago, on {prepared.cards[name].priced_on}: read it again, and date it."
        for name, age in ages.items()
        if age is not None
    ]


def first_prompts(prepared: Prepared, render: Callable[[str, Request], str] | None = None) -> str:
    """Return the first prompt to each model that samples, as the model reads it, its reference answer, and the prompts to the judges.

    Args:
        prepared: The study.
        render: Turns (model, request) into the text that the model reads. Without it the template's text is shown, a chat with its roles.
    """
    problem = prepared.problems["train"][0]
    readers: dict[str, list[str]] = {}  # models by the text that they read
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
        readers.setdefault(text, []).append(f"{name} ({_format_params(params)})")
    parts = [f"first prompt to {listed(names)}:\n{text}\n<end of prompt>" for text, names in readers.items()]
    if not prepared.study.is_judged:
        # The wrong field as the answer looks right everywhere else, until a whole budget has bought incorrect samples.
        answer = json.dumps(problem.answer[:_LONGEST_ANSWER], ensure_ascii=False)
        parts.append(f"reference answer of {problem.id}, as the grader {prepared.study.grader.name} gets it: {answer}")
    if judge := judge_of(prepared.study):
        judged = _after_system(prepared, judge, judging_prompt(JudgeRequest(question=problem.question, generation="<the solution>")))
        parts.append(f"prompt to the judge {judge} ({_format_params(judging_params(prepared.study))}):\n{judged}\n<end of prompt>")
    if auditor := auditor_of(prepared.study):
        audited = _after_system(prepared, auditor, judge_prompt(problem, "<the solution>"))
        params = greedy_params(prepared.study.audit.max_tokens, prepared.study.models[auditor].sampling)
        parts.append(f"prompt to the auditor {auditor} ({_format_params(params)}):\n{audited}\n<end of prompt>")
    return "\n\n".join(parts)


def _after_system(prepared: Prepared, judge: str, prompt: str) -> str:
    system = own_system(prepared, judge)
    return prompt if system is None else f"{system}\n\n{prompt}"


def _format_params(params: SamplingParams) -> str:
    """Format sampling settings, such as `temperature 0.8, max_tokens 256, stop "Q:"`; a cut-off that cuts nothing is left out."""
    cuts = {"top_p": params.top_p if params.top_p != 1 else None, "top_k": params.top_k or None}
    warmth = "temperature not sent" if params.temperature is None else f"temperature {params.temperature:g}"
    settings = [warmth, *(f"{key} {value:g}" for key, value in cuts.items() if value is not None)]
    stops = " ".join(json.dumps(stop, ensure_ascii=False) for stop in params.stop)
    return ", ".join([*settings, f"max_tokens {params.max_tokens}", *([f"stop {stops}"] if stops else [])])


def _format_request(request: Request) -> str:
    """Return the request's text without the model's own chat format."""
    if not request.chat:
        return request.prompt
    system = "" if request.system is None else f"[system]\n{request.system}\n"
    return f"{system}[user]\n{request.prompt}\n[assistant]"


def describe_flops(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return one line: the definition of FLOPs, and the share that attention and reading every prompt once would add.

    Shares are for expected lengths. Where the draws of a problem share a prompt, they are for the counts of the cells. Returns "" where no
    model's FLOPs are known, nothing is drawn, or the pilot that measures lengths has not run.
    """
    if any(plan.awaits_pilot for plan in plans):
        return ""
    sized = {name: each for name, each in costs.items() if each.draw.flops is not None and _counts(name, plans)}
    if not sized:
        return ""
    settings = prepared.study.costs
    definition = f"FLOPs are 2P per generated token{_PROMPTS[settings.prompt_tokens]}{', with attention' if settings.attention else ''}."
    prompts = {name: _prompt_tokens(prepared, name) if each.prompt_tokens is None else each.prompt_tokens for name, each in sized.items()}
    guessed = f" (prompts taken at {BYTES_PER_TOKEN} bytes per token)" if any(each.prompt_tokens is None for each in sized.values()) else ""

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
        left.append(f"reading prompts once per problem {sizes(omitted_prompts)}")
    return f"{definition} Left out: {'; '.join(left)}{guessed}." if left else definition


def _shares(
    card: ModelCard, each: DrawCost, prompt_tokens: float, counts: Sequence[float], left_out: Callable[..., float | None]
) -> list[float]:
    found = [left_out(card, prompt_tokens=prompt_tokens, generated_tokens=each.tokens, draws=draws) for draws in counts]
    return [share for share in found if share is not None]


def _counts(model: str, plans: Sequence[CellPlan]) -> list[float]:
    """Return the draws per problem in each cell that draws from the model, or the most; at least 1.0, as a fraction leaves problems out."""
    counts = [plan.samples_per_problem.get(model) or plan.at_most_per_problem.get(model) for plan in plans]
    return [max(1.0, count) for count in counts if count]


def _prompt_tokens(prepared: Prepared, model: str) -> float:
    # The mean over the first problems; rendering every prompt of a large set would slow down `isocost plan`.
    template = prepared.templates[model]
    prompts = [template.render(problem.question) for problem in prepared.problems["train"][:SAMPLED]]
    return fmean(len(prompt.encode()) for prompt in prompts) / BYTES_PER_TOKEN


def _range(shares: Sequence[float]) -> str:
    # Compare the rounded texts: 1.2% and 1.4% are one value to the reader.
    low, high = (_percent(share) for share in (min(shares), max(shares)))
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.005 else f"{100 * share:,.0f}%"


def format_limit_warning(prepared: Prepared, costs: Mapping[str, DrawCost], plans: Sequence[CellPlan]) -> str:
    """Return a one-line warning if the plan may cost more than the limit, else "".

    Cells share the draws of a model, so each model is counted once, with the cell that takes most. A cell whose draws depend on outcomes
    counts in addition. In the worst case every draw has the largest possible length. A budget of basis `realised` bounds its own worst
    case. Without a known cost in the limit's unit there is no warning.
    """
    limit, n_problems = prepared.study.limit, len(prepared.problems["train"])
    if limit is None:
        return ""
    piloted = _piloted(prepared)
    counts = {name: _draws(name, plans, n_problems, piloted) for name in costs}
    expected = [
        costs[name].of(draws=n, readings=n_problems * costs[name].readings(n / n_problems)).amount(limit.unit) for name, n in counts.items()
    ]
    worst = [_worst(name, costs[name], plans, limit.unit, n_problems, piloted) for name in costs]
    for plan in plans:
        if plan.at_most_per_problem:
            expected.append(_most_of_one(plan, costs, limit.unit, n_problems, worst=False))
            worst.append(_most_of_one(plan, costs, limit.unit, n_problems, worst=True))
    # An unknown cost may be of any size, so no sum can be compared with the limit.
    if None in expected or None in worst:
        return ""
    # Every round of an iterated study plans the same, and all share the limit.
    rounds = prepared.study.rounds
    planned, most = rounds * sum(filter(None, expected)), rounds * sum(filter(None, worst))
    if most <= limit.amount:
        return ""
    # The judge's calls count against the limit too, but no estimate of them exists yet.
    judged = " before its judge" if judge_of(prepared.study) or auditor_of(prepared.study) else ""
    # Without measured lengths the expected cost is the worst case, and the text names one number only.
    guessed = all(each.tokens_are.endswith("max_tokens") for each in costs.values())
    # Both round to the same text where they are close; the warning would contradict itself.
    at_most, cap = format_distinct(limit.unit, most, limit.amount)
    if guessed:
        return f"The plan costs up to {at_most}{judged}, every solution at max_tokens; the limit is {cap}: sampling stops there."
    happens = "sampling will stop there" if planned > limit.amount else "sampling stops there if solutions are longer than expected"
    return f"The plan costs up to {at_most} at worst{judged}, expected {format_amount(limit.unit, planned)}; the limit is {cap}: {happens}."


def _most_of_one(plan: CellPlan, costs: Mapping[str, DrawCost], unit: Unit, n_problems: int, *, worst: bool) -> float | None:
    """Return the largest cost in a unit that a cell can have if one model gets all of its money, which bounds every other division."""
    if plan.unit == unit and not (worst and plan.basis == "planned"):
        return plan.amount
    found: list[float | None] = []
    for model, each_problem in plan.at_most_per_problem.items():
        each, draws = costs[model], each_problem * n_problems
        one = each.worst.amount(unit)
        most = None if one is None else one * draws
        found.append(most if worst else each.of(draws=draws, readings=n_problems * each.readings(each_problem)).amount(unit))
    return None if None in found else max(filter(None, found), default=0.0)


def _piloted(prepared: Prepared) -> int:
    """Return the draws of the pilot from each model. They are bought even if no cell needs as many."""
    pilot = prepared.study.pilot
    return min(pilot.problems, len(prepared.problems["train"])) * pilot.samples_per_problem if pilot else 0


def _at_most(model: str, plans: Sequence[CellPlan], n_problems: int) -> float:
    """Return the most draws of a model in any cell whose outcomes decide."""
    return max((plan.at_most_per_problem.get(model, 0.0) * n_problems for plan in plans), default=0.0)


def _draws(model: str, plans: Sequence[CellPlan], n_problems: int, piloted: int) -> float:
    # Cells share draws, so the largest cell contains those of the others.
    return max(piloted, *(plan.samples_per_problem.get(model, 0.0) * n_problems for plan in plans), 0.0)


def _worst(model: str, each: DrawCost, plans: Sequence[CellPlan], unit: Unit, n_problems: int, piloted: int) -> float | None:
    one = each.worst.amount(unit)
    if one is None:
        return None
    found = [piloted * one]
    for plan in plans:
        if model in plan.models:
            own = plan.samples_per_problem.get(model, 0.0) * n_problems * one
            # A realised budget stops when the money is spent, however long the draws are.
            bounded = plan.basis == "realised" and plan.unit == unit and plan.amount is not None
            found.append(min(own, plan.amount or 0.0) if bounded else own)
    return max(found)
