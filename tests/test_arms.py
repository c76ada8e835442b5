"""Arms in the study file: keys that their policies use, and the terms that follow."""

from typing import Any

import pytest

from isocost.config import Study
from isocost.errors import BudgetError, StudyError
from isocost.planning import cells, objective_of, plan_cell, plan_open_cell, terms_of, to_json
from isocost.policies import load_policy
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Terms
from isocost.records import CellPlan
from tests.builders import study
from tests.running.adaptive import BEST, best
from tests.test_planning import IDS, costs

FINETUNE = {"students": ["weak"], "arms": ["best"], "checkpoints": 1}
TEST = {"train": {"source": "jsonl", "path": "problems.jsonl"}, "test": {"source": "jsonl", "path": "test.jsonl"}}
PILOT = {("p0", "weak"): 2, ("p1", "weak"): 2, ("p0", "strong"): 2, ("p1", "strong"): 2}


def terms(made: Study, piloted: dict[tuple[str, str], int] | None = None) -> Terms:
    (cell,) = cells(made)
    return terms_of(cell, made, IDS, costs(made), piloted or {})


def plan(made: Study, piloted: dict[tuple[str, str], int] | None = None) -> CellPlan:
    (cell,) = cells(made)
    own = terms(made, piloted)
    return plan_open_cell(cell, own, load_policy(made.arms["best"].policy, own))


@pytest.mark.parametrize(
    ("keys", "mistake"),
    [
        ({"samples_per_problem": 2}, "arms.best.samples_per_problem: the policy adaptive does not use it; it is for uniform"),
        ({"target": {"by": "uniform"}}, "arms.best.target: the policy adaptive does not use it; it is for dart"),
        ({"shares": {"weak": 1, "strong": 2}}, "arms.best.shares: the policy adaptive does not use it; it is for mixed and cascade"),
        ({"policy": "uniform", "models": ["weak"], "objective": "coverage"}, "arms.best.objective: the policy uniform does not use it"),
        ({"policy": "a:b", "shares": {"weak": 1}}, "arms.best: shares lacks strong; give every model of the arm a number"),
        ({"policy": "a:b", "shares": {"weak": 1, "strong": 0}}, "arms.best.shares.strong: input should be greater than 0"),
        ({"false_positive_rates": {"week": 0.1}}, "rates.week: unknown model of the arm \"week\"; did you mean"),
        ({"false_positive_rates": {"weak": 1}}, "arms.best.false_positive_rates.weak: input should be less than 1"),
        ({"objective": "cover"}, "arms.best.objective: must be coverage, {kept_per_problem: NUMBER} or {mixed_groups: NUMBER}"),
        ({"objective": {}}, "arms.best.objective: must be coverage, {kept_per_problem: NUMBER} or {mixed_groups: NUMBER}"),
        ({"objective": {"mixed_groups": 1}}, "arms.best.objective.mixed_groups: input should be greater than or equal to 2"),
        ({"objective": {"mixed_groups": 4, "kept_per_problem": 4}}, "arms.best.objective: give either kept_per_problem or mixed_groups"),
        ({"objective": {"kept": 4}}, 'arms.best.objective.kept: unknown key "kept"; known: kept_per_problem, mixed_groups'),
    ],
)  # fmt: skip
def test_keys_without_effect_and_wrong_values_are_refused(keys: dict[str, Any], mistake: str) -> None:
    with pytest.raises(StudyError) as told:
        study(arms=best(**keys))
    assert mistake in str(told.value)


@pytest.mark.parametrize(
    ("objective", "trains", "expected"),
    [
        (None, [], Coverage()),
        (None, ["best"], KeptPerProblem(4)),
        (None, ["other"], Coverage()),
        ("coverage", ["best"], Coverage()),
        ({"kept_per_problem": 2}, [], KeptPerProblem(2)),
        ({"mixed_groups": 8}, ["best"], MixedGroups(8)),
    ],
)
def test_the_objective_is_as_given_or_what_training_needs(objective: object, trains: list[str], expected: object) -> None:
    arms = best(objective=objective) | {"other": BEST}
    finetune = {**FINETUNE, "arms": trains} if trains else None
    made = study(arms=arms, finetune=finetune, problems=TEST)
    assert objective_of("best", made.arms["best"], made) == expected
    written = made.model_dump(mode="json", exclude_unset=True)["arms"]["best"]["objective"]
    assert written == objective  # as resolved studies are written, and read again


def test_policies_without_objectives_keep_their_terms_where_students_are_trained() -> None:
    made = study(finetune={**FINETUNE, "arms": ["weak"]}, problems=TEST)
    assert objective_of("weak", made.arms["weak"], made) == Coverage()


def test_shares_are_given_in_any_unit() -> None:
    made = study(arms=best(policy="a:b", shares={"weak": 1, "strong": 3}))
    assert terms(made).shares == {"weak": 0.25, "strong": 0.75}


def test_an_open_plan_is_the_amount_and_what_one_model_would_get_for_it() -> None:
    found = plan(study(arms=best()))
    assert found.samples_per_problem == {}
    assert found.at_most_per_problem == {"weak": 6.0, "strong": 2.0}
    assert (found.cost.flops, found.cost.usd) == (found.amount, None)
    (choice,) = to_json([found])["budgets"]["low"]["choices"]  # type: ignore[index]
    assert choice["at_most_per_problem"] == {"weak": 6.0, "strong": 2.0}


def test_the_pilot_of_all_models_comes_off_the_amount() -> None:
    found = plan(study(arms=best()), PILOT)
    # 42 draws of weak are paid for; the pilot's four of strong cost twelve of them.
    assert found.at_most_per_problem == {"weak": 30 / 7, "strong": pytest.approx((14 - 4 / 3) // 1 / 7)}


def test_a_budget_below_the_pilot_is_refused_and_one_that_it_spends_buys_nothing_more() -> None:
    def of(amount: float) -> CellPlan:
        return plan(study(arms=best(), budgets={"low": {"unit": "flops", "amount": amount}}), PILOT)

    with pytest.raises(BudgetError, match=r"a budget of .* per problem does not pay for the pilot, which cost .* per problem"):
        of(1e6)
    assert of(2.1e6).at_most_per_problem == {"weak": 4 / 7, "strong": 4 / 7}


def test_a_realised_plan_of_fixed_shares_gives_each_model_its_own() -> None:
    budgets = {"low": {"unit": "flops", "amount": 7 * 4 * 128_000.0, "basis": "realised"}}
    made = study(arms=best(policy="a:b", shares={"weak": 1, "strong": 3}), budgets=budgets)
    (cell,) = cells(made)
    found = plan_cell(cell, terms(made), costs(made), Nothing())
    assert found.samples_per_problem == {"weak": 1.0, "strong": 1.0}
    assert found.cost.flops == found.amount


class Nothing:
    """A policy that proposes nothing."""

    def propose(self) -> list[Any]:
        return []

    def observe(self, observations: object) -> None: ...
