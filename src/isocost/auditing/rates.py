"""False positive rates: by steps, by a judge, by people, and by people and the others together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocost.metrics.agreement import Agreement, agreement
from isocost.metrics.intervals import proportion, weighted_proportion
from isocost.metrics.ppi import power_tuned_rate
from isocost.records import Chosen, Estimate

# Labels of a model from which on its combined rate is used. At 30 each end of its interval is at most 17 points from the middle.
FEWEST_LABELS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The verdicts on a chosen solution: sound, unsound, or None where a method has none.

    Attributes:
        chosen: The solution.
        steps: The verdict of its arithmetic; None where it writes out none.
        judge: The judge's verdict; None without a judge, or where it gave none.
        people: People's verdict; None where nobody has labelled it, or nobody was sure.
        undecided: True if people have labelled it and were unsure or do not agree.
    """

    chosen: Chosen
    steps: bool | None = None
    judge: bool | None = None
    people: bool | None = None
    undecided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRates:
    """The false positive rates of a model, as shares of the problems that it solved, one chosen solution per problem.

    Attributes:
        model: The model.
        solved: The number of problems with a correct solution.
        chosen: The number of them with a chosen solution.
        rates: By the method: steps, judge, people, combined, as far as available; n counts the checked solutions, n_ungraded the others.
        best: The method whose rate is used.
        predictor: The predictor of `combined`, steps or judge; None without `combined`.
        error_ratio: The standard error of `combined` divided by that of people alone; 1 without `combined`.
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
        """The rate that is used."""
        return self.rates[self.best]


def model_rates(found: Iterable[Found]) -> list[ModelRates]:
    """Estimate the rates of every model, in the order in which the models first occur.

    - steps and judge: the share of unsound solutions among those that they could check, weighted by the problems that the model solved.
      Biased as far as they err.
    - people: the same of the labels. People label in the order of `place`, so their labels are a random subset.
    - combined: `metrics.ppi.power_tuned_rate` of the labels, with the judge's verdicts as predictions, or without a judge the steps'. A
      missing prediction (no equation to check, no verdict) is set to the mean of the others. Any number that does not depend on the labels
      keeps the rate unbiased, and the mean favours neither verdict; a third value would have to be estimated from the same few labels. A
      solution that people could not decide is left out on both sides.

    `combined` needs `FEWEST_LABELS` labels of the model, or labels of all its chosen solutions that people could decide, or no other rate.
    The number of labels decides, not the width of the interval: that depends on the verdicts, so few unsound labels would be preferred.

    The best is `combined` where there is one, else the judge's where it has verdicts, else the steps'.
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
    if labels := sum(each.people is not None for each in found):
        rates["people"], combined, error_ratio = _combined(found, best)
        if labels >= min(FEWEST_LABELS, len(found) - rates["people"].n_ungraded) or rates[best].value is None:
            rates["combined"], predictor, ratio, best = combined, best, error_ratio, "combined"
    return ModelRates(
        model=model,
        solved=round(sum(each.chosen.weight for each in found)),  # weights sum to the solved problems, apart from rounding
        chosen=len(found),
        rates=rates,
        best=best,
        predictor=predictor,
        error_ratio=ratio,
    )


def _verdict_by(each: Found, way: str) -> bool | None:
    verdicts = {"steps": each.steps, "judge": each.judge, "people": each.people}
    return verdicts[way]


def _rate(found: Sequence[Found], way: str) -> Estimate:
    """Return the weighted share of unsound solutions among those that one method could check."""
    known = [(float(not verdict), each.chosen.weight) for each in found if (verdict := _verdict_by(each, way)) is not None]
    estimate = power_tuned_rate([y for y, _ in known], [], [], weights=_unequal([w for _, w in known])).estimate
    return replace(estimate, n_ungraded=len(found) - len(known))


def _combined(found: Sequence[Found], predictor: str) -> tuple[Estimate, Estimate, float]:
    """Return the rates of people alone and of people with predictions, and the ratio of their standard errors."""
    predictions = [_verdict_by(each, predictor) for each in found]
    weights = np.array([each.chosen.weight for each in found])
    known = np.array([one is not None for one in predictions])
    values = np.array([0.0 if one is None else float(not one) for one in predictions])
    # The mean of the known predictions for the others, as `model_rates` explains; 0 where there is none at all.
    values[~known] = float(weights[known] @ values[known]) / float(weights[known].sum()) if known.any() else 0.0
    labelled = np.array([each.people is not None for each in found])
    # Undecided solutions are in neither group: people saw them, so they are no random part of the unlabelled ones.
    rest = ~labelled & ~np.array([each.undecided for each in found])
    # None selects the unweighted estimator.
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
    # Weights are quotients, so equal ones may differ by rounding.
    return weights if weights and max(weights) > min(weights) * (1 + 1e-9) else None


def agreements(found: Iterable[Found]) -> dict[str, Agreement]:
    """Return the agreement of the steps and of the judge with people, over the solutions on which both have a verdict.

    A method without any such solution is left out.
    """
    labelled = [each for each in found if each.people is not None]
    pairs = {
        way: [(each.people, verdict) for each in labelled if (verdict := _verdict_by(each, way)) is not None] for way in ("steps", "judge")
    }
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
