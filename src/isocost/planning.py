"""The plan: the draws that each budget buys, computed before a token is spent.

The cost of a draw comes from a model's size (2P FLOPs per generated token) and its price, see costs/. Counts come from the policies.
With `match`, a budget is the cost of a given number of draws per problem from one model. At equal tokens per draw and without prompts
this is Eq. 1 of arXiv 2408.16737: S_WC = (P_SE / P_WC) S_SE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from isocost.amounts import format_distinct
from isocost.config import Arm, Budget, Study
from isocost.costs.expected import DrawCost
from isocost.costs.flops import flops_per_token
from isocost.costs.price import priced
from isocost.costs.pricefile import PriceList
from isocost.engines.base import ModelSize
from isocost.errors import BudgetError, StudyError
from isocost.policies import AUTO, KEYS, import_policy
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective, Policy, Terms
from isocost.policies.tally import Tally
from isocost.policies.uniform import affordable_draws
from isocost.records import Allocation, Cell, CellPlan, Cost, Estimate, ModelCard, Unit, estimate_json

_KEPT = 4  # distinct solutions per problem that an arm makes the most of by default if students are trained on its data


def model_card(name: str, study: Study, size: ModelSize | None, prices: PriceList | None = None) -> ModelCard:
    """Return the size and price of a model. The study file takes precedence over the engine and over the price file.

    Args:
        name: The study's name of the model.
        study: The study.
        size: The size that the engine reads from the model.
        prices: The study's price file.

    Raises:
        BudgetError: the model uses a discount that is unknown.
    """
    spec, costs = study.models[name], study.costs
    # The user may know better than the engine, for example how many parameters of a mixture of experts a token uses.
    parameters = spec.params or (size.parameters if size else None)
    attention = spec.attention or (size.attention if size else None)
    source = str(spec.options.get("model", spec.options.get("table", name)))
    price = priced(name, spec, source, prices)
    unsized = [] if parameters else [f"models.{name}.params"]
    if costs.attention and attention is None:
        unsized.append(f"models.{name}.attention (layers * heads * size of a head)")
    to_know = {"flops": f"give {' and '.join(unsized)}" if unsized else "", "usd": price.to_know}
    read_from_engine = size.description if size else "not known"
    return ModelCard(
        name=name,
        engine=spec.engine,
        source=source,
        parameters=parameters,
        parameters_are="given in the study file" if spec.params else read_from_engine,
        flops_per_token=flops_per_token(parameters) if parameters else None,
        usd_per_million=price.usd_per_million,
        online_usd_per_million=price.online_usd_per_million,
        usd_per_request=price.usd_per_request,
        price_tiers=price.tiers,
        attention=attention,
        prompt_reading=costs.prompt_tokens,
        counts_attention=costs.attention,
        price_is=price.price_is,
        priced_on=price.priced_on,
        tokens_per_second=price.tokens_per_second,
        to_know={unit: advice for unit, advice in to_know.items() if advice},
    )


def in_unit(cost: Cost, unit: Unit, model: str, to_know: Mapping[str, str] | None = None) -> float:
    """Return the cost of a draw in a budget's unit.

    Raises:
        BudgetError: the cost is unknown. The message names the key to add, as in `to_know`.
    """
    amount = cost.amount(unit)
    if amount is None:
        usual = f"give models.{model}.params"
        if unit == "usd":
            usual = f"give models.{model}.price; without a price: params of all models, and unit: flops in budgets and limit"
        advice = (to_know or {}).get(unit) or usual
        raise BudgetError(f"the cost of model {model} in {unit} is not known\n  {advice}")
    return amount


def _paid(each: DrawCost, unit: Unit, model: str) -> float:
    """Return the expected cost of a draw alone. A budget could never be spent on draws of cost zero, so they are refused."""
    amount = in_unit(each.expected, unit, model, each.to_know)
    # Where draws share the prompt, only the generated part grows with the number of draws, so that part must cost something.
    growing = in_unit(each.draw, unit, model) if unit in each.shared else amount
    if growing == 0:
        raise BudgetError(
            f"a draw of model {model} costs nothing in {unit}, so no budget in {unit} bounds it\n"
            f"  give models.{model}.price above 0, or the arm samples_per_problem"
        )
    return amount


def shared_prompt(each: DrawCost, unit: Unit, model: str) -> float:
    """Return the cost of the prompt that the draws of a problem share; 0 if each pays its own, as part of the expected cost."""
    return in_unit(each.prompt, unit, model) if unit in each.shared else 0.0


def amount_of(budget: Budget, n_problems: int, costs: Mapping[str, DrawCost]) -> float:
    """Return a budget's amount in its unit. With `match` it is the cost of that model's draws over all problems.

    For k draws per problem that is n k (prompt + draw), or n (ceil(k / r) prompt + k draw) if r draws of a request share its prompt.
    """
    if budget.match is None:
        return budget.amount or 0.0
    each, samples = costs[budget.match.model], budget.match.samples_per_problem
    total = each.of(draws=n_problems * samples, readings=n_problems * each.readings(samples))
    return in_unit(total, budget.unit, budget.match.model, each.to_know)


def cells(study: Study) -> list[Cell]:
    """Return the study's cells: every arm with every budget. An arm with a given count has one cell."""
    return [
        Cell(arm=arm, budget=budget)
        for arm, spec in study.arms.items()
        for budget in ([None] if spec.samples_per_problem is not None else study.budgets)
    ]


def terms_of(
    cell: Cell,
    study: Study,
    problem_ids: tuple[str, ...],
    costs: Mapping[str, DrawCost],
    piloted: Mapping[tuple[str, str], int],
    *,
    labels: Mapping[str, float] | None = None,
    available: Mapping[tuple[str, str], int] | None = None,
) -> Terms:
    """Return the terms of a cell's policy: its problems, models, budget and costs.

    Args:
        cell: The cell.
        study: The study.
        problem_ids: Ids of the training problems.
        costs: Cost of a draw, by model.
        piloted: Draws in the pilot, by problem id and model.
        labels: Numbers that go with the difficulty of problems, for an arm that names a field of difficulty.
        available: Recorded draws by problem id and model, where a table is replayed.

    Raises:
        BudgetError: the cost of a draw is unknown, or zero.
    """
    arm = study.arms[cell.arm]
    budget = study.budgets[cell.budget] if cell.budget is not None else None
    total_share = sum(arm.shares.values())

    def by_model(amount: Callable[[DrawCost, Unit, str], float]) -> dict[str, float]:
        return {m: amount(costs[m], budget.unit, m) for m in arm.models} if budget else {}

    return Terms(
        problem_ids=problem_ids,
        models=arm.models,
        amount=amount_of(budget, len(problem_ids), costs) if budget else None,
        unit=budget.unit if budget else None,
        basis=budget.basis if budget else "planned",
        expected=by_model(_paid),
        worst=by_model(lambda each, unit, model: in_unit(each.worst, unit, model)),
        prompt=by_model(shared_prompt),
        samples_per_problem=arm.samples_per_problem,
        seed=study.seed,
        # A number-matched arm takes the first draws of its pools, so a pilot's draws need no mention.
        piloted={key: n for key, n in piloted.items() if key[1] in arm.models} if budget else {},
        available={key: n for key, n in (available or {}).items() if key[1] in arm.models},
        objective=objective_of(cell.arm, arm, study),
        false_positive_rates=arm.false_positive_rates,
        labels=labels or {},
        shares={model: arm.shares[model] / total_share for model in arm.models} if arm.shares else {},
        target=arm.target.correct_per_problem,
        by_difficulty=arm.target.by == "difficulty",
        per_request=_per_request(arm.models, budget.unit, costs) if budget else {},
        large_rounds=any(study.models[model].is_batched for model in arm.models),
    )


def _per_request(models: Sequence[str], unit: Unit, costs: Mapping[str, DrawCost]) -> dict[str, int]:
    """Return the most draws of a request by model, where it matters: where they share a prompt that costs something."""
    bounds = {m: costs[m].per_request for m in models if shared_prompt(costs[m], unit, m)}
    return {m: bound for m, bound in bounds.items() if bound is not None}


def objective_of(name: str, arm: Arm, study: Study) -> Objective:
    """Return the objective of an arm: as given, else `_KEPT` solutions per problem if students are trained on its data, else coverage."""
    given = arm.objective
    if given is not None and given.kept_per_problem is not None:
        return KeptPerProblem(given.kept_per_problem)
    if given is not None and given.mixed_groups is not None:
        return MixedGroups(given.mixed_groups)
    trained_on = study.finetune.arms if study.finetune else ()
    # A policy without objectives keeps the terms that earlier versions recorded its rounds under.
    by_default = given is None and "objective" in KEYS.get(arm.policy, ())
    return KeptPerProblem(_KEPT) if by_default and name in trained_on else Coverage()


def plan_cell(cell: Cell, terms: Terms, costs: Mapping[str, DrawCost], policy: Policy) -> CellPlan:
    """Return the plan of a cell whose draws do not depend on outcomes: the pilot, and what its policy proposes.

    With the basis `realised` a policy sees real costs before each round, so its first proposal says little about the total. Its plan is the
    number of draws that the budget, or each model's share of it, pays for at the expected cost of a draw.

    Raises:
        BudgetError: the budget buys nothing.
        StudyError: the policy proposes something else than draws of its terms.
    """
    counts = dict.fromkeys(terms.models, 0)
    asked: dict[str, dict[str, float]] = {model: {} for model in terms.models}  # readings by problem
    bought = [(problem, model, count) for (problem, model), count in terms.piloted.items()]
    for problem, model, count in (*bought, *((a.problem_id, a.model, a.count) for a in _first_round(cell, terms, policy))):
        counts[model] += count
        earlier, more = asked[model].get(problem, 0.0), costs[model].readings(count)
        # Without a bound on the draws of a request, one reading is planned per problem, as earlier versions did.
        asked[model][problem] = max(earlier, more) if costs[model].per_request is None else earlier + more
    readings = {model: sum(by_problem.values()) for model, by_problem in asked.items()}
    if terms.basis == "realised" and terms.amount is not None:
        for model in terms.models:
            share = terms.shares.get(model, 1 / len(terms.models))
            counts[model], readings[model] = affordable_draws(replace(terms, amount=terms.amount * share), model)
    total = Cost(flops=0.0, usd=0.0, seconds=0.0)
    for model, draws in counts.items():
        total = total + costs[model].of(draws=draws, readings=readings[model])
    samples = {model: draws / len(terms.problem_ids) for model, draws in counts.items()}
    return _cell_plan(cell, terms, cost=total, samples_per_problem=samples)


def plan_open_cell(cell: Cell, terms: Terms, policy: Policy) -> CellPlan:
    """Return the plan of a cell whose draws depend on outcomes: the amount, and the draws that it pays for if one model gets all of it.

    The draws of other models in a pilot are paid from the amount first.

    Raises:
        BudgetError: the amount does not pay for the pilot, or without one for a draw.
        StudyError: the policy proposes something else than draws of its terms.
    """
    _first_round(cell, terms, policy)  # only checked: it says little about the total
    tally = Tally(terms)
    pilots = {model: terms.pilot_cost(model) for model in terms.models}
    total = sum(pilots.values())
    tally.spent_on += list(pilots.values())
    tally.check_first()
    amount = terms.amount or 0.0
    most = {m: affordable_draws(replace(terms, amount=amount - total + pilots[m]), m)[0] for m in terms.models}
    cost = Cost(flops=amount if terms.unit == "flops" else None, usd=amount if terms.unit == "usd" else None)
    return _cell_plan(cell, terms, cost=cost, at_most_per_problem={m: draws / len(terms.problem_ids) for m, draws in most.items()})


def _cell_plan(
    cell: Cell,
    terms: Terms,
    *,
    cost: Cost,
    samples_per_problem: Mapping[str, float] | None = None,
    at_most_per_problem: Mapping[str, float] | None = None,
) -> CellPlan:
    return CellPlan(
        cell=cell,
        models=terms.models,
        unit=terms.unit,
        amount=terms.amount,
        basis=terms.basis,
        samples_per_problem=samples_per_problem or {},
        cost=cost,
        at_most_per_problem=at_most_per_problem or {},
    )


def plan_unpiloted(
    study: Study,
    problem_ids: tuple[str, ...],
    costs: Mapping[str, DrawCost],
    least: Mapping[str, DrawCost],
    piloted: Mapping[tuple[str, str], int],
) -> list[CellPlan]:
    """Return the plan of every cell while the pilot that measures lengths has not run: given counts and amounts alone are known.

    Args:
        study: The study.
        problem_ids: Ids of the training problems.
        costs: Cost of a draw, by model.
        least: The smallest cost that the pilot can find, by model.
        piloted: Draws that the pilot will take, by problem id and model.

    Raises:
        BudgetError: the cost of a draw is unknown in a budget's unit, or zero; or a budget does not pay for the pilot, whatever it finds.
        StudyError: an arm names a policy that does not exist.
    """
    plans = []
    for cell in cells(study):
        terms = terms_of(cell, study, problem_ids, costs, piloted)
        if study.arms[cell.arm].policy != AUTO:
            import_policy(study.arms[cell.arm].policy)
        _refuse_below_pilot(cell, study, terms_of(cell, study, problem_ids, least, piloted), least)
        counts = {} if terms.samples_per_problem is None else dict.fromkeys(terms.models, float(terms.samples_per_problem))
        plans.append(
            CellPlan(
                cell=cell,
                models=terms.models,
                unit=terms.unit,
                amount=study.budgets[cell.budget].amount if cell.budget is not None else None,
                basis=terms.basis,
                samples_per_problem=counts,
                cost=Cost(),
            )
        )
    return plans


def _refuse_below_pilot(cell: Cell, study: Study, terms: Terms, least: Mapping[str, DrawCost]) -> None:
    """Refuse a budget that cannot pay for the pilot of its arm, even if all lengths that are not declared are one token.

    A budget that is the cost of a model's draws grows with their length, so it is compared with that model's draws in the pilot.
    """
    if cell.budget is None or terms.unit is None or terms.amount is None:
        return
    advice = "raise the budget, or lower pilot.samples_per_problem or pilot.problems"
    match, n = study.budgets[cell.budget].match, len(terms.problem_ids)
    if match is None:
        cost = sum(terms.pilot_cost(model) for model in terms.models)
        if cost > terms.amount * (1.0 + 1e-9):
            budget, paid = format_distinct(terms.unit, terms.amount, cost)
            raise BudgetError(f"{cell.name}: a budget of {budget} does not pay for the pilot, which costs at least {paid}", advice=advice)
        return
    taken = [count for (_, model), count in terms.piloted.items() if model == match.model]
    each = least[match.model]
    draws, readings = n * match.samples_per_problem, n * each.readings(match.samples_per_problem)
    # Many draws for few prompts may cost less than fewer draws for many, if prompts are shared.
    if sum(taken) > draws and (terms.unit not in each.shared or sum(map(each.readings, taken)) >= readings):
        raise BudgetError(
            f"{cell.name}: a budget of {draws:,g} draws of {match.model} does not pay for the pilot, which draws {sum(taken):,} of them",
            advice=advice,
        )


def _first_round(cell: Cell, terms: Terms, policy: Policy) -> list[Allocation]:
    """Return what a policy proposes first, checked: it may be a user's."""
    proposed, known = policy.propose(), frozenset(terms.problem_ids)
    for each in proposed:
        if not isinstance(each, Allocation) or each.problem_id not in known or each.model not in terms.models:
            mistake = f"proposes {each!r:.100}, which is no Allocation of a problem and a model of its Terms"
            raise StudyError([f"arms.{cell.arm}.policy: {mistake}"])
    return proposed


def to_json(plans: Sequence[CellPlan], coverage: Mapping[Cell, Estimate] = MappingProxyType({})) -> dict[str, object]:
    """Return the object of `isocost plan --json`.

    Args:
        plans: The plan of every cell.
        coverage: Predicted coverage; that of other cells is null.
    """
    budgets: dict[str, dict[str, Any]] = {}
    for plan in plans:
        if plan.cell.budget is not None:
            entry = budgets.setdefault(plan.cell.budget, {"unit": plan.unit, "amount": plan.amount, "choices": []})
            cost = {"flops": plan.cost.flops, "usd": plan.cost.usd, "seconds": plan.cost.seconds}
            samples: dict[str, object] = {"samples_per_problem": dict(plan.samples_per_problem)}
            if plan.at_most_per_problem:
                samples["at_most_per_problem"] = dict(plan.at_most_per_problem)
            entry["choices"].append({"name": plan.cell.arm, **samples, "cost": cost, "coverage": estimate_json(coverage.get(plan.cell))})
    return {"budgets": budgets}
