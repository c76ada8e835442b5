"""What each budget buys, before a token is spent.

Costs of a draw come from a model's size (2P FLOPs a generated token) and price; counts come from the policies. With `match` a budget is
the cost of so many draws a problem from one model, which at equal tokens a draw is Eq. 1 of arXiv 2408.16737: S_WC = (P_SE / P_WC) S_SE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost.config import Budget, Study
from isocost.costs.flops import flops_per_token
from isocost.costs.price import Price, usd
from isocost.engines.base import ModelSize
from isocost.errors import BudgetError
from isocost.policies.base import Policy, Terms
from isocost.policies.uniform import affordable
from isocost.records import Cell, CellPlan, Cost, ModelCard, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawCost:
    """What one draw of a model costs: as expected (`tokens` long, from `tokens_are`), and at worst, at max_tokens."""

    expected: Cost
    worst: Cost
    tokens: float
    tokens_are: str


def model_card(name: str, study: Study, size: ModelSize | None) -> ModelCard:
    """What the study knows of a model: `params` given in the study file win over the size that the engine reads."""
    spec = study.models[name]
    parameters = spec.params or (size.parameters if size else None)
    price = spec.price
    return ModelCard(
        name=name,
        engine=spec.engine,
        source=str(spec.options.get("model", spec.options.get("table", name))),
        parameters=parameters,
        parameters_are="given in the study file" if spec.params else size.description if size else "not known",
        flops_per_token=flops_per_token(parameters) if parameters else None,
        usd_per_million=None
        if price is None
        else {key: value for key in ("input", "output", "input_cache_read") if (value := getattr(price, key)) is not None},
    )


def cost_of(card: ModelCard, *, prompt_tokens: float, generated_tokens: float) -> Cost:
    """What a draw cost: 2P FLOPs a generated token (prompt tokens are left out, as in the paper), and its price.

    Every draw bears its whole prompt, planned and realised alike, so that what a cell's draws cost does not depend on what else the study
    buys. Draws that share a prefill really cost less.

    Args:
        card: The model.
        prompt_tokens: Tokens of its prompt.
        generated_tokens: Tokens generated.
    """
    flops = None if card.flops_per_token is None else card.flops_per_token * generated_tokens
    if card.usd_per_million is None:
        return Cost(flops=flops)
    known = card.usd_per_million
    price = Price(input=known.get("input"), output=known.get("output"), input_cache_read=known.get("input_cache_read"))
    return Cost(flops=flops, usd=usd(price, prompt_tokens, generated_tokens))


def draw_costs(
    study: Study, cards: Mapping[str, ModelCard], piloted: Mapping[str, tuple[float, float]], longest_prompt: Mapping[str, int]
) -> dict[str, DrawCost]:
    """The cost of a draw of each model.

    The expected length is declared (`tokens_per_sample`), else the pilot's mean, else equal for all models; then it is taken at
    max_tokens, the only length that is sure, and only ratios mean anything.

    Args:
        study: The study.
        cards: The models that arms draw from.
        piloted: Mean prompt and generated tokens of a draw, of the models that were piloted.
        longest_prompt: By model, a bound on the tokens of any prompt.

    Raises:
        BudgetError: lengths are declared for some models only, or a price needs the length of the prompt.
    """
    undeclared = [name for name in cards if study.models[name].tokens_per_sample is None and name not in piloted]
    if undeclared and len(undeclared) < len(cards):
        raise BudgetError(
            f"models.{undeclared[0]}.tokens_per_sample is missing: other models declare theirs\n"
            "  declare it for all models, for none, or add a pilot"
        )
    return {name: _draw_cost(study, card, piloted.get(name), longest_prompt[name]) for name, card in cards.items()}


def _draw_cost(study: Study, card: ModelCard, piloted: tuple[float, float] | None, longest_prompt: int) -> DrawCost:
    spec, longest = study.models[card.name], study.sampling.max_tokens
    if spec.tokens_per_sample is not None:
        tokens, source = spec.tokens_per_sample, "declared"
    elif piloted is not None:
        tokens, source = piloted[1], "piloted"
    else:
        tokens, source = float(longest), "equal, at max_tokens"
    prompt = spec.prompt_tokens if spec.prompt_tokens is not None else piloted[0] if piloted else None
    if prompt is None and card.usd_per_million and card.usd_per_million.get("input"):
        raise BudgetError(
            f"models.{card.name}.prompt_tokens is missing: its input tokens have a price\n"
            "  give the mean length of a prompt, or add a pilot"
        )
    return DrawCost(
        expected=cost_of(card, prompt_tokens=prompt or 0.0, generated_tokens=tokens),
        worst=cost_of(card, prompt_tokens=0 if prompt is None else longest_prompt, generated_tokens=longest),
        tokens=tokens,
        tokens_are=source,
    )


def in_unit(cost: Cost, unit: Unit, model: str) -> float:
    """The cost of a draw in a budget's unit.

    Raises:
        BudgetError: it is not known; the message names the key to add.
    """
    amount = cost.amount(unit)
    if amount is None:
        key = "params" if unit == "flops" else "price"
        raise BudgetError(f"the cost of model {model} in {unit} is not known\n  give models.{model}.{key}")
    return amount


def _paid(cost: Cost, unit: Unit, model: str) -> float:
    """The cost of a draw that a budget is to be spent on; one that costs nothing would never spend it."""
    amount = in_unit(cost, unit, model)
    if amount == 0:
        raise BudgetError(
            f"a draw of model {model} costs nothing in {unit}, so no budget in {unit} bounds it\n"
            f"  give models.{model}.price above 0, or the arm samples_per_problem"
        )
    return amount


def amount_of(budget: Budget, n_problems: int, costs: Mapping[str, DrawCost]) -> float:
    """A budget's amount in its unit; with `match`, the cost of that model's draws over all problems."""
    if budget.match is None:
        return budget.amount or 0.0
    match = budget.match
    return n_problems * match.samples_per_problem * in_unit(costs[match.model].expected, budget.unit, match.model)


def cells(study: Study) -> list[Cell]:
    """The study's cells: every arm with every budget; an arm with a given count stands once."""
    return [
        Cell(arm=arm, budget=budget)
        for arm, spec in study.arms.items()
        for budget in ([None] if spec.samples_per_problem is not None else study.budgets)
    ]


def terms_of(
    cell: Cell, study: Study, problem_ids: tuple[str, ...], costs: Mapping[str, DrawCost], piloted: Mapping[tuple[str, str], int]
) -> Terms:
    """What the cell's policy may spend and is told.

    Raises:
        BudgetError: the cost of a draw is not known, or nothing.
    """
    arm = study.arms[cell.arm]
    budget = study.budgets[cell.budget] if cell.budget is not None else None
    unit = budget.unit if budget else None
    return Terms(
        problem_ids=problem_ids,
        models=arm.models,
        amount=amount_of(budget, len(problem_ids), costs) if budget else None,
        unit=unit,
        basis=budget.basis if budget else "planned",
        expected={m: _paid(costs[m].expected, unit, m) for m in arm.models} if unit else {},
        worst={m: _paid(costs[m].worst, unit, m) for m in arm.models} if unit else {},
        samples_per_problem=arm.samples_per_problem,
        seed=study.seed,
        piloted={key: n for key, n in piloted.items() if key[1] in arm.models and budget},  # a given count is the pool's first draws
    )


def plan_cell(cell: Cell, terms: Terms, costs: Mapping[str, DrawCost], policy: Policy) -> CellPlan:
    """What a cell is going to buy: the pilot, and what its policy proposes before it has seen anything else.

    A policy that observes and proposes again (basis `realised`, adaptive ones) buys more than that: for one model its plan is what the
    budget pays for at the expected cost of a draw.

    Raises:
        BudgetError: the budget buys nothing.
    """
    counts = dict.fromkeys(terms.models, 0)
    for (_, model), taken in terms.piloted.items():
        counts[model] += taken
    for allocation in policy.propose():
        counts[allocation.model] += allocation.count
    if terms.basis == "realised" and terms.amount is not None and len(terms.models) == 1:
        (model,) = terms.models
        counts[model] = affordable(terms.amount, terms.expected[model])
    total = Cost(flops=0.0, usd=0.0)
    for model, draws in counts.items():
        each = costs[model].expected
        total = total + Cost(flops=None if each.flops is None else each.flops * draws, usd=None if each.usd is None else each.usd * draws)
    return CellPlan(
        cell=cell,
        models=terms.models,
        unit=terms.unit,
        amount=terms.amount,
        basis=terms.basis,
        samples_per_problem={model: draws / len(terms.problem_ids) for model, draws in counts.items()},
        cost=total,
    )


def to_json(plans: Sequence[CellPlan]) -> dict[str, object]:
    """The object of `isocost plan --json`; coverage is null until it is forecast from a pilot."""
    budgets: dict[str, dict[str, object]] = {}
    for plan in plans:
        if plan.cell.budget is None:
            continue
        entry = budgets.setdefault(plan.cell.budget, {"unit": plan.unit, "amount": plan.amount, "choices": []})
        choices = entry["choices"]
        assert isinstance(choices, list)
        choices.append(
            {
                "name": plan.cell.arm,
                "samples_per_problem": dict(plan.samples_per_problem),
                "cost": {"flops": plan.cost.flops, "usd": plan.cost.usd, "seconds": plan.cost.seconds},
                "coverage": None,
            }
        )
    return {"budgets": budgets}
