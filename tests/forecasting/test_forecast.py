"""The whole forecast of some pilots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocost.errors import BudgetError
from isocost.forecasting import Answers, DistinctLaw, Question, forecast
from isocost.passrates import Law
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from tests.forecasting.piloting import NONE, pilot_of, piloted, two_models

LAW = Law(marginals=((0.301, 0.826), (0.316, 0.653)), correlation=0.8, impossible=0.05)
TOGETHER = DistinctLaw([], [], [], [])
QUESTION = Question(ks=(16, 64), budgets=(24.0, 48.0), objective=Coverage())


def test_everything_is_there_for_two_models() -> None:
    forecasts, _ = two_models(LAW, 80, seed=1)
    answers = Answers(problem_id="p0", reference="1", drawn={"weak": 4, "strong": 4}, counts={"2": {"weak": 4, "strong": 4}})
    found = forecast(piloted(forecasts, (1.0, 3.0)), QUESTION, together=TOGETHER, answers=[answers])
    assert list(found.models) == ["weak", "strong"]
    assert [point.k for point in found.models["weak"].points] == [16, 64]
    assert found.models["weak"].points[0].coverage == forecasts[0].coverage([16, 64])[0]
    assert found.models["weak"].points[0].objective == found.models["weak"].points[0].coverage
    assert [comparison.budget for comparison in found.comparisons] == [24.0, 48.0]
    assert {choice.name for choice in found.comparisons[0].choices} == {"weak", "strong", "weak+strong"}
    values = [choice.value.value or 0 for choice in found.comparisons[0].choices]
    assert values == sorted(values, reverse=True)
    assert all((difference.value.value or 0) >= 0 for difference in found.comparisons[0].differences)
    assert len(found.overtakings) == 1
    assert [one.answer for one in found.agreements] == ["2"]
    assert found.correlation is not None


def test_the_same_pilot_gives_the_same_forecast() -> None:
    forecasts, _ = two_models(LAW, 30, seed=2)
    first, second = (forecast(piloted(forecasts, (1.0, 3.0)), QUESTION, together=TOGETHER) for _ in range(2))
    assert first.models == second.models
    assert [c.differences for c in first.comparisons] == [c.differences for c in second.comparisons]


@pytest.mark.parametrize("objective", [Coverage(), pytest.param(KeptPerProblem(3), marks=pytest.mark.slow)])
def test_false_positives_are_in_every_value_but_the_correct_ones_and_the_scores(objective: Objective) -> None:
    forecasts, _ = two_models(LAW, 20, seed=4)
    models = [replace(each, recorded=each.pilot) for each in piloted(forecasts, (1.0, 3.0))]
    question = replace(QUESTION, ks=(4,), budgets=(24.0,), objective=objective, policies=("first-hit",), also=(MixedGroups(4),))
    plain = forecast(models, question, together=TOGETHER)
    sound = forecast(models, replace(question, false_positive_rates={"weak": 0.3}), together=TOGETHER)
    assert sound.models["strong"] == plain.models["strong"]
    assert sound.models["weak"].scores == plain.models["weak"].scores != ()
    for name in ("coverage", "distinct", "objective"):
        assert getattr(sound.models["weak"].points[0], name).value < getattr(plain.models["weak"].points[0], name).value
    (before,), (after,) = plain.comparisons, sound.comparisons
    names = {choice.name for choice in before.choices}
    assert {"weak", "strong", "weak+strong", "first-hit weak", "first-hit strong"} == names
    old, new = ({choice.name: choice.value.value or 0 for choice in each.choices} for each in (before, after))
    # What first-hit draws does not depend on the rates, so its correct solutions are those of the other forecast too.
    for name in ("weak", "strong", "weak+strong"):
        assert after.correct[objective][name].value == pytest.approx(old[name])
        assert after.correct[MixedGroups(4)][name] == before.measured[MixedGroups(4)][name]
    assert new["strong"] == old["strong"]
    for name in ("weak", "weak+strong", "first-hit weak"):
        assert new[name] < old[name]
        assert after.measured[MixedGroups(4)][name].value < before.measured[MixedGroups(4)][name].value
    assert before.correct == {}
    assert plain.overtakings != sound.overtakings


def test_a_rate_of_nothing_counts_correct_solutions() -> None:
    assert not replace(QUESTION, false_positive_rates={"weak": 0.0}).counts_sound
    assert replace(QUESTION, false_positive_rates={"weak": 0.0, "strong": 0.1}).counts_sound


def test_draws_that_depend_on_outcomes_leave_the_power_law_out() -> None:
    forecasts, _ = two_models(LAW, 60, seed=3)
    models = piloted(forecasts[:1], (1.0,))
    fixed = forecast(models, replace(QUESTION, budgets=()), together=TOGETHER).models["weak"].points[1].coverage
    stopped = (
        forecast([replace(models[0], is_fixed=False)], replace(QUESTION, budgets=()), together=TOGETHER).models["weak"].points[1].coverage
    )
    assert fixed.value != stopped.value


def test_problems_of_other_models_are_predicted_too() -> None:
    some = pilot_of([0, 1, 4] * 10, 4, "weak")
    few = replace(pilot_of([1, 4] * 10, 4, "strong"), problem_ids=some.problem_ids[:20])
    models = [replace(one, pilot=pilot) for one, pilot in zip(piloted(two_models(LAW, 4, 1)[0], (1.0, 3.0)), (some, few), strict=True)]
    found = forecast(models, QUESTION, together=TOGETHER)
    assert found.models["strong"].points[0].coverage.n == 30


def test_without_costs_there_are_curves_but_no_choices() -> None:
    forecasts, _ = two_models(LAW, 30, seed=4)
    models = [replace(one, cost=None) for one in piloted(forecasts, (1.0, 3.0))]
    found = forecast(models, replace(QUESTION, budgets=()), together=TOGETHER)
    assert (found.comparisons, found.overtakings) == ((), ())
    assert len(found.models["weak"].points) == 2


def test_distinct_solutions_need_texts() -> None:
    models = piloted(two_models(LAW, 30, seed=5)[0], (1.0, 3.0))
    question = replace(QUESTION, objective=KeptPerProblem(4), budgets=())
    found = forecast(models, question, together=TOGETHER).models["weak"].points[0]
    assert found.distinct is not None
    assert (found.objective.value or 0) <= (found.distinct.value or 0)
    without = [replace(one, pilot=replace(one.pilot, solution_problem=NONE, solution_count=NONE)) for one in models]
    assert forecast(without, question, together=TOGETHER).models["weak"].points[0].distinct is None


def test_more_draws_than_the_pilot_are_scored() -> None:
    forecasts, rates = two_models(LAW, 80, seed=6)
    recorded = pilot_of(np.random.default_rng(1).binomial(100, rates[:, 0]).tolist(), 100, "weak")
    models = [replace(piloted(forecasts, (1.0, 3.0))[0], recorded=recorded)]
    found = forecast(models, replace(QUESTION, budgets=()), together=TOGETHER).models["weak"]
    assert [(one.measure, one.k) for one in found.scores] == [("coverage", 16), ("coverage", 64)]


def test_a_policy_whose_pilot_the_budget_does_not_pay_for_is_left_out_and_refused_where_it_is_alone() -> None:
    forecasts, _ = two_models(LAW, 20, seed=7)
    models, question = piloted(forecasts, (1.0, 3.0)), replace(QUESTION, budgets=(15.0,), policies=("adaptive", "first-hit"))
    found = forecast(models, question, together=TOGETHER).comparisons[0]
    assert found.refused == ("adaptive", "first-hit weak", "first-hit strong")
    assert {choice.name for choice in found.choices} == {"weak", "strong", "weak+strong"}
    with pytest.raises(BudgetError, match="does not pay for the pilot"):
        forecast(models, replace(question, simulated_only=True), together=TOGETHER)


def test_problems_that_were_not_piloted_are_predicted_and_settle_nothing() -> None:
    forecasts, _ = two_models(LAW, 60, seed=3)
    models = piloted(forecasts, (1.0, 3.0))
    few, many = (
        forecast(models, replace(QUESTION, budgets=(48.0,), others=others), together=TOGETHER).comparisons[0]
        for others in ((), tuple(f"new{i}" for i in range(240)))
    )
    assert [(each.value.n, each.piloted) for each in many.differences] == [(300, 60)] * len(many.differences)
    assert many.choices[0].value.n == 300
    # More problems of the same kind: nearly the same value, less sure.
    by_name = {choice.name: choice.value for choice in few.choices}
    for choice in many.choices:
        assert choice.value.value == pytest.approx(by_name[choice.name].value, abs=0.05)


def test_simulated_policies_alone_are_compared_on_demand() -> None:
    forecasts, _ = two_models(LAW, 20, seed=7)
    question = replace(QUESTION, budgets=(48.0,), policies=("uniform", "first-hit"), simulated_only=True)
    (found,) = forecast(piloted(forecasts, (1.0, 3.0)), question, together=TOGETHER).comparisons
    names = {f"{policy} {model}": (model,) for policy in ("uniform", "first-hit") for model in ("weak", "strong")}
    assert {choice.name: choice.models for choice in found.choices} == names
