"""The JSON object that `isocost forecast --json` prints."""

from __future__ import annotations

from typing import Any

from isocost.forecasting import LEVEL, Choice, Comparison, Difference, ModelForecast
from isocost.forecasting.forecast import Point
from isocost.forecasting.margins import Margin
from isocost.forecasting.overtaking import Overtaking
from isocost.forecasting.scores import Score
from isocost.predicting.asking import name_of
from isocost.predicting.predict import Prediction
from isocost.predicting.quantities import counted
from isocost.predicting.verdict import verdicts
from isocost.records import estimate_json


def forecast_json(prediction: Prediction) -> dict[str, object]:
    """Return {"pilot": draws per problem, "level" of intervals, "objective", "counts", "unit" of costs, "distinct" level, "models",
    "choices", "crossovers", ...}.

    An ESTIMATE is {"value", "low", "high", "n"}. Values are of solutions that are "correct" or "sound", by "counts"; they are sound with
    "false_positive_rates" {MODEL: rate} above 0, but "scores" are of correct ones.
    "models" {MODEL: {"problems", "draws", "correct", "says_nothing": reason or null, "impossible": ESTIMATE, "cost_per_draw" and
    "tokens_per_draw": ESTIMATE of level 95% or null, "points": [{"k", "coverage", "distinct", "objective"}], "scores": [{"measure", "k",
    "forecast", "outcome", "inside"}]}};
    "choices" [{"budget", "choices": [{"name", "shares" of
    the money, "draws", "value"}], "differences": [{"choice", "other", "value", "settled", "settled_by_problems"}], "margins": [{"model",
    "draws", "next_per_cost", "new_problem_per_cost", "worth_of_new_problem"}], "left_out": [choices that need
    more draws than are recorded], "refused": [policies for which the budget does not pay]}];
    "crossovers" [{"ahead", "behind", "cost": ESTIMATE whose ends are null beyond "reach", "reach", "not_ahead": probability}];
    "doubtful" {"impossible": [{"problem_id", "probability"}], "agreements": [{"problem_id", "answer",
    "reference", "draws": {MODEL: [with the answer, graded]}}]}; "correlation"; "verdict" and "notes" [text].
    """
    found, pilots = prediction.forecast, prediction.pilots
    return {
        "pilot": pilots.draws,
        "level": LEVEL,
        "objective": name_of(found.question.objective),
        "counts": counted(sound=found.question.counts_sound),
        "false_positive_rates": dict(found.question.false_positive_rates),
        "unit": pilots.unit,
        "distinct": pilots.distinct,
        "models": {name: _model(model) for name, model in found.models.items()},
        "choices": [comparison_json(each) for each in found.comparisons],
        "crossovers": [_overtaking(each) for each in found.overtakings],
        "doubtful": {
            "impossible": [{"problem_id": one.problem_id, "probability": one.probability} for one in found.impossible],
            "agreements": [
                {
                    "problem_id": one.problem_id,
                    "answer": one.answer,
                    "reference": one.reference,
                    "draws": {model: list(counts) for model, counts in one.draws.items()},
                }
                for one in found.agreements
            ],
        },
        "correlation": found.correlation,
        "verdict": verdicts(prediction),
        "notes": list(prediction.notes),
    }


def _model(model: ModelForecast) -> dict[str, object]:
    pilot = model.piloted.pilot
    return {
        "problems": len(pilot.draws),
        "draws": int(pilot.draws.sum()),
        "correct": int(pilot.successes.sum()),
        "says_nothing": pilot.says_nothing,
        "impossible": estimate_json(model.impossible),
        "cost_per_draw": estimate_json(model.piloted.cost),
        "tokens_per_draw": estimate_json(model.piloted.tokens),
        "points": [_point(point) for point in model.points],
        "scores": [_score(score) for score in model.scores],
    }


def _point(point: Point) -> dict[str, object]:
    measures = {"coverage": point.coverage, "distinct": point.distinct, "objective": point.objective}
    return {"k": point.k} | {name: estimate_json(estimate) for name, estimate in measures.items()}


def _score(score: Score) -> dict[str, object]:
    return {
        "measure": score.measure,
        "k": score.k,
        "forecast": estimate_json(score.forecast),
        "outcome": score.outcome,
        "inside": score.inside,
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return the entry of a budget in "choices"."""
    return {
        "budget": comparison.budget,
        "choices": [_choice(choice) for choice in comparison.choices],
        "differences": [_difference(difference) for difference in comparison.differences],
        "margins": [_margin(one) for one in comparison.margins],
        "left_out": list(comparison.left_out),
        "refused": list(comparison.refused),
    }


def _choice(choice: Choice) -> dict[str, object]:
    return {"name": choice.name, "shares": dict(choice.shares), "draws": dict(choice.draws), "value": estimate_json(choice.value)}


def _difference(difference: Difference) -> dict[str, object]:
    return {
        "choice": difference.choice,
        "other": difference.other,
        "value": estimate_json(difference.value),
        "settled": difference.is_settled,
        "settled_by_problems": difference.settled_by,
    }


def _margin(one: Margin) -> dict[str, object]:
    return {
        "model": one.model,
        "draws": one.draws,
        "next_per_cost": estimate_json(one.per_cost),
        "new_problem_per_cost": estimate_json(one.fresh_per_cost),
        "worth_of_new_problem": estimate_json(one.worth),
    }


def _overtaking(one: Overtaking) -> dict[str, object]:
    return {
        "ahead": one.ahead,
        "behind": one.behind,
        "cost": {"value": one.cost, "low": one.low, "high": one.high},
        "reach": one.reach,
        "not_ahead": one.absent,
    }
