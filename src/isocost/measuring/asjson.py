"""The JSON objects that `isocost measure --json` prints."""

from __future__ import annotations

from isocost.measuring.columns import Measures
from isocost.measuring.comparing import Crossing, Point, Shared
from isocost.measuring.mixtures import Beside, Mixture
from isocost.measuring.survey import Survey
from isocost.records import estimate_json


def to_json(measures: Measures) -> dict[str, dict[str, dict[str, object]]]:
    """Return {"models": {MODEL: {NAME: {"value", "low", "high", "n"}, ..., "n_ungraded": int}}}."""
    models: dict[str, dict[str, object]] = {}
    for model, estimates in measures.items():
        models[model] = {name: estimate_json(estimate) for name, estimate in estimates.items()}
        # All estimates of a model have the same number.
        models[model]["n_ungraded"] = max((estimate.n_ungraded for estimate in estimates.values()), default=0)
    return {"models": models}


def survey_json(survey: Survey) -> dict[str, object]:
    """Return the object of `to_json` with `cost_per_draw` and `cost_per_correct` where costs are known, and with further keys.

    "unit" of costs; "undefined" {MODEL: {NAME: reason}}; "curves" {MODEL: [{"k", "cost", "coverage": ESTIMATE, "diversity": ESTIMATE}]};
    "crossovers" [{"measure", "models", "ahead": the model that is ahead at the end or null, "cost": ESTIMATE whose high is null beyond
    "reach", "reach", "no_crossover": share of resamples}]; "overlap" [{"models", "cost", "draws", "only": {MODEL: ESTIMATE}, "all",
    "none"}], with cost and draws null for all draws in hand; "by" {GROUP: {MODEL: ...}}; "warnings" [text]; "mixtures" [{"shares": {MODEL:
    share of the money}, "draws": {MODEL: share of the draws}, "curve": as of a model, with k the draws of all its models together,
    "beside": [{"k", "cost", "mixture": {NAME: ESTIMATE}, "models": {MODEL: {"draws", "alone": {NAME: ESTIMATE}, "mixture_minus_model":
    {NAME: ESTIMATE}}}}], "undefined": the reason why there is no curve, or null}].
    """
    models = to_json(survey.measures)["models"]
    for model, shape in survey.shapes.items():
        models[model] |= {name: estimate_json(estimate) for name, estimate in shape.unit_costs.items()}
        models[model] |= {"n_problems": shape.problems, "draws": {"least": shape.least, "most": shape.most}}
    return {
        "models": models,
        "unit": survey.unit,
        "undefined": {model: dict(reasons) for model, reasons in survey.undefined.items()},
        "curves": {model: [_point(point) for point in points] for model, points in survey.curves.items()},
        "crossovers": [_crossing(crossing) for crossing in survey.crossings],
        "overlap": [_shared(shared) for shared in survey.shared],
        "by": {group: to_json(measures)["models"] for group, measures in survey.by.items()},
        "warnings": list(survey.warnings),
        "mixtures": [_mixture(mixture) for mixture in survey.mixtures],
    }


def _point(point: Point) -> dict[str, object]:
    return {"k": point.k, "cost": point.cost} | {name: estimate_json(estimate) for name, estimate in point.values.items()}


def _crossing(crossing: Crossing) -> dict[str, object]:
    found = crossing.found
    return {
        "measure": crossing.measure,
        "models": [crossing.left, crossing.right],
        "ahead": _leader(crossing),
        "cost": {"value": found.value, "low": found.low, "high": found.high, "n": found.n},
        "reach": found.reach,
        "no_crossover": found.absent,
    }


def _leader(crossing: Crossing) -> str | None:
    # `found` says left and right; readers of the file know the models by name only.
    if crossing.found.ahead is None:
        return None
    return crossing.left if crossing.found.ahead == "left" else crossing.right


def _shared(shared: Shared) -> dict[str, object]:
    return {
        "models": list(shared.models),
        "cost": shared.cost,
        "draws": None if shared.draws is None else dict(zip(shared.models, shared.draws, strict=True)),
        "only": {model: estimate_json(estimate) for model, estimate in zip(shared.models, shared.found.only, strict=True)},
        "all": estimate_json(shared.found.all),
        "none": estimate_json(shared.found.none),
    }


def _mixture(mixture: Mixture) -> dict[str, object]:
    return {
        "shares": dict(mixture.shares),
        "draws": dict(mixture.draws),
        "curve": [_point(point) for point in mixture.points],
        "beside": [_beside(beside) for beside in mixture.beside],
        "undefined": mixture.why,
    }


def _beside(beside: Beside) -> dict[str, object]:
    return {
        "k": beside.k,
        "cost": beside.cost,
        "mixture": {name: estimate_json(estimate) for name, estimate in beside.mixture.items()},
        "models": {
            model: {
                "draws": draws,
                "alone": {name: estimate_json(estimate) for name, estimate in beside.alone[model].items()},
                "mixture_minus_model": {name: estimate_json(estimate) for name, estimate in beside.minus[model].items()},
            }
            for model, draws in beside.draws.items()
        },
    }
