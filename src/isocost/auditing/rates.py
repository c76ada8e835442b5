"""False positive rates: by steps, by a judge, by people, and by people and the others together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocost.metrics.agreement import Agreement, agreement
from isocost.metrics.intervals import proportion, weighted_proportion
from isocost.metrics.ppi import power_tuned_rate
from isocost.records import Chosen, Estimate

WAYS = ("steps", "judge", "people", "combined")  # of finding a rate, each to be believed before the ones left of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known of a chosen solution: sound, not sound, or None where that way has nothing to say.

    Attributes:
        chosen: The solution.
        steps: What its arithmetic says; None where it writes none out.
        judge: What the judge says; None without a judge, or where it gave no verdict.
        people: What people say; None where nobody has labelled it, or nobody could tell.
        undecided: Whether people have looked and could not tell, or do not agree.
    """

    chosen: Chosen
    steps: bool | None = None
    judge: bool | None = None
    people: bool | None = None
    undecided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRates:
    """The false positive rates of a model: shares of the problems that it solved, solution by solution as they were chosen.

    Attributes:
        model: Whose solutions.
        solved: Problems with a correct solution.
        chosen: How many of them have a solution that was chosen.
        rates: By `WAYS`, those that there are; n counts what was checked, n_ungraded what could not be.
        best: The way to believe.
        predictor: What `combined` uses beside people, steps or judge; None without labels.
        error_ratio: Its standard error over that of people alone.
    """

    model: str
    solved: int
    chosen: int
    rates: Mapping[str, Estimate]
    best: str
    predictor: str | None = None
    error_ratio: float = 1.0

    @property
    def rate(self) -> Estimate:
        """The rate to believe."""
        return self.rates[self.best]


def model_rates(found: Iterable[Found]) -> list[ModelRates]:
    """The rates of every model, in the order in which models come first.

    - steps and judge: the share called unsound among what they could check, weighted back to the problems that the model solved. Biased as
      far as they err.
    - people: the same of the labels. People label in the order of `place`, so theirs are a random subset.
    - combined: `metrics.ppi.power_tuned_rate` of the labels with the judge's verdicts, or where there is no judge the steps', as
      predictions. A prediction that is missing (no equation to check, no verdict) is put at the mean of those that there are: any number
      that does not depend on the labels keeps the rate free of bias, and this one takes no side; a third value of its own would have to be
      learnt from the same few labels. A solution that people could not decide is left out on both sides.

    The best is `combined` as soon as one solution of the model is labelled, else the judge's where it has verdicts, else the steps'.
    """
    by_model: dict[str, list[Found]] = {}
    for each in found:
        by_model.setdefault(each.chosen.model, []).append(each)
    return [_rates_of(model, own) for model, own in by_model.items()]


def _rates_of(model: str, found: Sequence[Found]) -> ModelRates:
    rates = {"steps": _rate(found, "steps")}
    if any(each.judge is not None for each in found):
        rates["judge"] = _rate(found, "judge")
    best = list(rates)[-1]
    predictor, ratio = None, 1.0
    if any(each.people is not None for each in found):
        predictor = best
        rates["people"], rates["combined"], ratio = _combined(found, predictor)
        best = "combined"
    return ModelRates(
        model=model,
        solved=round(sum(each.chosen.weight for each in found)),
        chosen=len(found),
        rates=rates,
        best=best,
        predictor=predictor,
        error_ratio=ratio,
    )


def _said(each: Found, way: str) -> bool | None:
    return each.steps if way == "steps" else each.judge if way == "judge" else each.people


def _rate(found: Sequence[Found], way: str) -> Estimate:
    """The share that one way calls unsound among what it could check, weighted."""
    known = [(float(not said), each.chosen.weight) for each in found if (said := _said(each, way)) is not None]
    estimate = power_tuned_rate([y for y, _ in known], [], [], weights=_unequal([w for _, w in known])).estimate
    return replace(estimate, n_ungraded=len(found) - len(known))


def _combined(found: Sequence[Found], predictor: str) -> tuple[Estimate, Estimate, float]:
    """The rates of people alone and of people with predictions, and the ratio of their standard errors."""
    said = [_said(each, predictor) for each in found]
    weights = np.array([each.chosen.weight for each in found])
    known = np.array([one is not None for one in said])
    values = np.array([0.0 if one is None else float(not one) for one in said])
    values[~known] = float(weights[known] @ values[known]) / float(weights[known].sum()) if known.any() else 0.0
    labelled = np.array([each.people is not None for each in found])
    rest = ~labelled & ~np.array([each.undecided for each in found])
    equal = _unequal(weights.tolist()) is None
    rate = power_tuned_rate(
        [float(not each.people) for each in found if each.people is not None],
        values[labelled],
        values[rest],
        weights=None if equal else weights[labelled],
        rest_weights=None if equal else weights[rest],
    )
    undecided = sum(each.undecided for each in found)
    return replace(rate.human_only, n_ungraded=undecided), replace(rate.estimate, n_ungraded=undecided), rate.error_ratio


def _unequal(weights: Sequence[float]) -> Sequence[float] | None:
    return weights if weights and max(weights) > min(weights) * (1 + 1e-9) else None


def agreements(found: Iterable[Found]) -> dict[str, Agreement]:
    """How far the steps and the judge say what people say, over the solutions on which both say something; those without any left out."""
    labelled = [each for each in found if each.people is not None]
    pairs = {way: [(each.people, said) for each in labelled if (said := _said(each, way)) is not None] for way in ("steps", "judge")}
    return {way: agreement([a for a, _ in both], [b for _, b in both]) for way, both in pairs.items() if both}


def false_positive_rate(audited: Sequence[bool | None]) -> Estimate:
    """Share of answer-correct solutions that are unsound, among those that could be checked, with its score interval.

    Args:
        audited: Whether each solution of one model is sound, None where there was nothing to check. As one solution a problem is audited,
            they are independent, and every solved problem counts once, however many correct solutions it has.

    Returns:
        n counts the checked; n_ungraded those with nothing to check.
    """
    checked = [sound for sound in audited if sound is not None]
    rate = proportion(sum(not sound for sound in checked), len(checked))
    return replace(rate, n_ungraded=len(audited) - len(checked))


def mixed_rate(audited: Mapping[str, Sequence[bool | None]], solved: Mapping[str, int]) -> Estimate:
    """The rate of solutions of several models, each weighted by the problems that it solved, whatever the number audited of each.

    Args:
        audited: As `false_positive_rate`, by model; the solutions of different models are taken as independent.
        solved: Problems that each model solved.

    Returns:
        As `false_positive_rate`, which it is for one model. A model of which nothing could be checked has no part in it but in n_ungraded.
    """
    checked = {model: [sound for sound in own if sound is not None] for model, own in audited.items()}
    models = [model for model, own in checked.items() if own]
    unsound = [sum(not sound for sound in checked[model]) for model in models]
    rate = weighted_proportion(unsound, [len(checked[m]) for m in models], [solved[m] for m in models])
    return replace(rate, n_ungraded=sum(map(len, audited.values())) - rate.n)
