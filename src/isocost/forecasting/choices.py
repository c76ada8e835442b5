"""Choices of what to buy at a budget, with predicted values and paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting.curves import ENDS, CurveForecast, outward
from isocost.forecasting.distinct import DistinctLaw
from isocost.forecasting.joint import Replicates
from isocost.forecasting.margins import Margin, margin
from isocost.forecasting.prices import Price
from isocost.forecasting.simulated import Result
from isocost.forecasting.values import pair_values
from isocost.metrics.settling import problems_to_settle
from isocost.policies.base import KeptPerProblem, Objective
from isocost.records import Estimate

_TOLD_APART = NormalDist().inv_cdf(ENDS[1]) + NormalDist().inv_cdf(0.8)  # standard errors: four times in five


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A way to spend a budget, and the predicted value.

    Attributes:
        name: A model, several joined by +, or a policy; a policy of one model is `POLICY MODEL`.
        shares: Share of the money, by model; empty for a policy.
        models: The models that are drawn from.
        draws: Draws per problem, by model; of a policy the mean.
        readings: Readings of the prompt per problem that serve these draws, by model; of a policy the mean.
        value: Mean over problems of the objective, with its interval.
        samples: Value in each replicate of the pass rates, float[replicates].
        moved: Part of the value by which the forecast differs from the posterior mean (`CurveForecast.moves`); it is in the samples.
        runs: Value of each problem in each simulated run, float[runs, problems]; None for a choice that is not simulated.
    """

    name: str
    shares: Mapping[str, float]
    models: tuple[str, ...]
    draws: Mapping[str, float]
    readings: Mapping[str, float]
    value: Estimate
    samples: Floats
    moved: float
    runs: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A paired difference between two choices on the same problems.

    Attributes:
        choice: Name of the choice.
        other: Name of the choice that is subtracted.
        value: The difference, with its interval.
        error: Standard deviation of the difference, given the pilot.
        settled_by: Piloted problems that would tell the two apart four times in five if the difference is as predicted; None if that is
            more than 100,000.
        piloted: Piloted problems.
    """

    choice: str
    other: str
    value: Estimate
    error: float
    settled_by: int | None
    piloted: int

    @property
    def is_settled(self) -> bool:
        """True if the interval excludes 0."""
        low, high = self.value.low, self.value.high
        return low is not None and high is not None and (low > 0 or high < 0)


class Market:
    """Predict what an amount of money per problem buys.

    Args:
        forecasts: One per model. Choices count sound solutions if these do.
        drawn: Replicates of the models' pass rates, in the same order.
        prices: What draws cost, by model.
        objective: What is counted.
        together: Law of distinct solutions among the correct ones of all models.
    """

    def __init__(
        self,
        forecasts: Sequence[CurveForecast],
        drawn: Replicates,
        prices: Mapping[str, Price],
        objective: Objective,
        together: DistinctLaw,
    ) -> None:
        self.prices, self.objective, self.drawn = prices, objective, drawn
        self._forecasts = {forecast.pilot.model: forecast for forecast in forecasts}
        self._place = {model: m for m, model in enumerate(drawn.models)}
        ids = [drawn.problem_ids[i] for i in drawn.places.tolist()]
        known = {name: set(forecast.pilot.problem_ids) for name, forecast in self._forecasts.items()}
        self._piloted = {name: np.array([problem in own for problem in ids], np.bool_) for name, own in known.items()}
        self._together = together
        self._most = float(objective.most) if isinstance(objective, KeptPerProblem) else 1.0

    def model(self, name: str, budget: float) -> Choice:
        """Return the choice of one model alone. Value and interval are those of its `CurveForecast`."""
        k, moved = self.prices[name].draws(budget), self._move(name, budget)
        of_piloted, of_others = self._forecasts[name].levels(k)
        value = self._forecasts[name].of(self.objective, [of_piloted], [of_others])[0]
        samples, readings = self._each(name, k).mean(axis=1) + moved, {name: self.prices[name].readings(k)}
        return Choice(
            name=name, shares={name: 1.0}, models=(name,), draws={name: k}, readings=readings, value=value, samples=samples, moved=moved
        )

    def pair(self, first: str, second: str, budget: float) -> Choice:
        """Return the mixture of two models for the same problems, half the money for each.

        Args:
            first: A model.
            second: Another model.
            budget: Money per problem.
        """
        shares = dict.fromkeys((first, second), 0.5)
        draws = {name: self.prices[name].draws(part * budget) for name, part in shares.items()}
        rates = self._forecasts[first].false_positive_rate, self._forecasts[second].false_positive_rate
        levels = [self._forecasts[name].levels(number) for name, number in draws.items()]
        of_first, of_second = (self.drawn.cells[:, :, self._place[name]] for name in (first, second))
        each = np.empty(of_first.shape)
        places = 2 * self._piloted[first] + self._piloted[second]
        for place in np.unique(places).tolist():
            numbers = [own[0 if piloted else 1] for own, piloted in zip(levels, divmod(place, 2), strict=True)]
            here = places == place
            table = pair_values(self.objective, numbers[0], numbers[1], self._together, rates)
            each[:, here] = table[of_first[:, here], of_second[:, here]]
        samples = each.mean(axis=1)
        # The models' own forecasts move from the posterior mean; a mixture moves with them, by their shares.
        moved = sum(part * self._move(name, budget) for name, part in shares.items())
        readings = {name: self.prices[name].readings(number) for name, number in draws.items()}
        return self._choice(f"{first}+{second}", shares, (first, second), draws, readings, samples, moved)

    def policy(self, name: str, budget: float, results: Sequence[Result], models: Sequence[str] | None = None) -> Choice:
        """Return a policy that was simulated on some replicates of the pass rates.

        Each replicate gives the gain over the best single model on the same problems and rates. The gain's mean and its predictive
        distribution, by Student's t, are added to that model's value in all replicates. They include the luck of the draws.

        Args:
            name: Name of the policy.
            budget: Money per problem.
            results: Its simulated runs, on the first replicates.
            models: The models that it draws from; None is all of them.
        """
        base = max((self.model(model, budget) for model in self.drawn.models), key=lambda choice: choice.value.value or 0.0)
        expected = self._each(base.name, base.draws[base.name])
        runs = np.stack([r.values[self.objective] for r in results])
        each = self._predictive(runs - np.stack([expected[i, r.problems] for i, r in enumerate(results)]))
        draws = {model: float(np.mean([r.draws[m] for r in results])) for m, model in enumerate(self.drawn.models)}
        readings = {model: float(np.mean([r.readings[m] for r in results])) for m, model in enumerate(self.drawn.models)}
        named = name if models is None else f"{name} {'+'.join(models)}"
        of = tuple(models or self.drawn.models)
        alone = base.samples - base.moved
        # The model moves by a share of what it leaves uncovered; the policy moves by the same share of what it leaves itself.
        left = (1.0 - float((alone + each).mean())) / max(1.0 - float(alone.mean()), 1e-9)
        return self._choice(named, {}, of, draws, readings, alone + each, base.moved * min(1.0, max(0.0, left)), runs)

    def _predictive(self, gains: Floats) -> Floats:
        """Return draws from the distribution of a mean gain over all problems, given simulated ones, float[replicates].

        The spread of the means between runs has the luck of the simulated problems in it. Where these are fewer than all n, that part, at
        most their variance over problems / their number, shrinks by the ratio.

        Args:
            gains: Gain of each simulated problem, float[runs, problems].
        """
        runs, simulated = gains.shape
        means = gains.mean(axis=1)
        between = float(means.var(ddof=1))
        luck = min(between, float(gains.var(axis=1).mean()) / simulated)
        variance = between - luck * (1.0 - min(1.0, simulated / len(self.drawn.problem_ids)))
        noise = np.random.default_rng(0).standard_t(runs - 1, len(self.drawn.cells))
        return np.asarray(means.mean() + math.sqrt(variance * (1.0 + 1.0 / runs)) * noise)

    def margin(self, model: str, budget: float) -> Margin:
        """Return the gains of one model's next draw at a budget."""
        return margin(self._forecasts[model], self.drawn, self.prices[model], budget, self.objective)

    def difference(self, choice: Choice, other: Choice) -> Difference:
        """Return the paired difference of two choices. Its value is that of the two predicted values.

        Two simulated policies are compared run by run: they ran on the same problems and pass rates, and the n-th draw of a problem had the
        same outcome for both.
        """
        each, moved = choice.samples - other.samples, choice.moved - other.moved
        if choice.runs is not None and other.runs is not None:
            each = self._predictive(choice.runs - other.runs) + moved
        value = (choice.value.value or 0.0) - (other.value.value or 0.0)
        low, high = value + np.quantile(each, ENDS) - each.mean()
        n, error = len(self.drawn.problem_ids), float(each.std(ddof=1))
        piloted = n - self.drawn.unpiloted
        return Difference(
            choice=choice.name,
            other=other.name,
            value=Estimate(value=value, low=float(low) - max(moved, 0.0), high=float(high) - min(moved, 0.0), n=n),
            error=error,
            settled_by=problems_to_settle(piloted, value, _TOLD_APART * error),
            piloted=piloted,
        )

    def _choice(
        self,
        name: str,
        shares: Mapping[str, float],
        models: tuple[str, ...],
        draws: Mapping[str, float],
        readings: Mapping[str, float],
        samples: Floats,
        moved: float,
        runs: Floats | None = None,
    ) -> Choice:
        """Return a choice whose interval extends from the samples' own to the one moved along, as that of a model does."""
        low, high = np.quantile(samples, ENDS)
        ends = float(low) + min(moved, 0.0), float(high) + max(moved, 0.0)
        value = outward(float(samples.mean()) + moved, *ends, len(self.drawn.problem_ids), self._most)
        return Choice(
            name=name,
            shares=shares,
            models=models,
            draws=draws,
            readings=readings,
            value=value,
            samples=samples + moved,
            moved=moved,
            runs=runs,
        )

    def _each(self, name: str, k: float) -> Floats:
        """Return the value of each drawn problem in each replicate, for one model alone, float[replicates, drawn problems]."""
        of_piloted, of_others = self._forecasts[name].values(self.objective, self._forecasts[name].levels(k))
        cells = self.drawn.cells[:, :, self._place[name]]
        return np.asarray(np.where(self._piloted[name], of_piloted[cells], of_others[cells]), np.float64)

    def _move(self, name: str, budget: float) -> float:
        of_piloted, of_others = self._forecasts[name].levels(self.prices[name].draws(budget))
        return float(self._forecasts[name].moves(self.objective, [of_piloted], [of_others])[0])
