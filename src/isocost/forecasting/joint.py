"""Joint posterior of several models that were piloted on the same problems, as replicates of their pass rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.forecasting.curves import CurveForecast
from isocost.passrates import Marginal, MarginalPosterior, Posterior, Prior, States
from isocost.passrates.grid import RATES
from isocost.policies.adaptive import label_bins

_LAWS = 24  # per model, of those that its own pilot leaves
_CORRELATIONS = (0.3, 0.6, 0.8, 0.95)
_REPLICATES = 300
_LEAST_REPLICATES = 100
_MOST_RATES = 1_000_000  # rates in all replicates: bounds the time for many problems
_MOST_PROBLEMS = 5_000  # that have rates drawn: a mean over more of them would hardly be more exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """Pass rates of all problems and models, drawn from their joint posterior.

    Attributes:
        models: Names of the models.
        problem_ids: Problems that any of them was piloted on, then the others.
        places: Drawn problems, as indices: all, or a random part of many, int[drawn problems].
        cells: Cell of the pass rate (`passrates.grid`), int[replicates, drawn problems, models].
        impossible: Probability that no model can solve the problem, float[problems].
        correlation: Posterior mean of the correlation of any two models' abilities; None for one model.
        unpiloted: Number of problems that no model was piloted on.
    """

    models: tuple[str, ...]
    problem_ids: tuple[str, ...]
    places: Ints
    cells: Ints
    impossible: Floats
    correlation: float | None
    unpiloted: int = 0

    @property
    def rates(self) -> Floats:
        """Pass rates, float[replicates, drawn problems, models]."""
        rates = RATES[self.cells]
        rates[self.cells == 0] = 0.0
        return np.asarray(rates, np.float64)


def replicates(
    forecasts: Sequence[CurveForecast],
    generator: np.random.Generator,
    others: Sequence[str] = (),
    labels: Mapping[str, float] = MappingProxyType({}),
) -> Replicates:
    """Draw pass rates of several models jointly, given the counts of all of them.

    The laws of each model are drawn from its own posterior, and only their combinations and the correlation are weighed by the joint
    likelihood. A problem that a model was not piloted on has its pass rate given the other models' counts.

    Args:
        forecasts: One forecast per model. Their pilots may be on different problems.
        generator: Source of randomness.
        others: Ids of further problems of the same kind, that no model was piloted on.
        labels: Numbers that go with the difficulty of problems, by id. How much they tell is learned from the counts.
    """
    ids, counts = _counts(forecasts, others)
    bins, scores = label_bins([labels.get(problem) for problem in ids])
    rows = np.concatenate([counts.reshape(len(ids), -1), bins[:, None]], axis=1)
    distinct, state_of, problems = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    states = States(counts=distinct[:, :-1].reshape(-1, len(forecasts), 2), bins=distinct[:, -1], problems=problems.astype(np.int64))
    prior = _prior([forecast.posterior for forecast in forecasts], labelled=scores is not None)
    posterior = Posterior(prior, len(forecasts), scores)
    posterior.fit(states)
    places = np.arange(len(ids)) if len(ids) <= _MOST_PROBLEMS else np.sort(generator.choice(len(ids), _MOST_PROBLEMS, replace=False))
    chosen = state_of.ravel()[places]
    number = max(_LEAST_REPLICATES, min(_REPLICATES, _MOST_RATES // max(1, len(chosen) * len(forecasts))))
    # The centres of cells, which find their cells exactly.
    rates = [posterior.draw_rates(states, chosen, generator) for _ in range(number)]
    return Replicates(
        models=tuple(forecast.pilot.model for forecast in forecasts),
        problem_ids=ids,
        places=places,
        cells=np.searchsorted(RATES, np.stack(rates)),
        impossible=posterior.impossible_probabilities(states)[state_of.ravel()],
        correlation=posterior.correlation() if len(forecasts) > 1 else None,
        unpiloted=len(others),
    )


def _counts(forecasts: Sequence[CurveForecast], others: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Return all problems, the piloted ones first, and successes and failures of each model, int[problems, models, 2]."""
    ids = tuple(dict.fromkeys([*(problem for forecast in forecasts for problem in forecast.pilot.problem_ids), *others]))
    place = {problem: i for i, problem in enumerate(ids)}
    counts = np.zeros((len(ids), len(forecasts), 2), np.int64)
    for m, forecast in enumerate(forecasts):
        pilot = forecast.pilot
        at = np.array([place[problem] for problem in pilot.problem_ids], np.int64)
        counts[at, m, 0], counts[at, m, 1] = pilot.successes, pilot.draws - pilot.successes
    return ids, counts


def _prior(posteriors: Sequence[MarginalPosterior], *, labelled: bool) -> Prior:
    """Return a prior whose marginals are drawn from each model's own posterior.

    The log weight of a law is that of the draw less its log evidence: the joint likelihood has the model's counts a second time.
    """
    marginals: list[Marginal] = []
    weights: list[tuple[int, int, float]] = []
    for m, posterior in enumerate(posteriors):
        points = (np.arange(_LAWS) + 0.5) / _LAWS
        law, times = np.unique(np.searchsorted(np.cumsum(posterior.weights), points).clip(max=len(posterior.laws) - 1), return_counts=True)
        for k, number in zip(law.tolist(), times.tolist(), strict=True):
            weights.append((m, len(marginals), math.log(number) - float(posterior.log_evidence[k])))
            marginals.append(posterior.laws[k])
    log_weights = np.full((len(posteriors), len(marginals)), -np.inf)
    for m, k, weight in weights:
        log_weights[m, k] = weight
    # Models go together, and with the label, by a factor that they share. Without either, it tells nothing.
    correlations = _CORRELATIONS if len(posteriors) > 1 or labelled else (0.0,)
    return Prior(marginals=tuple(marginals), weights=tuple(tuple(row) for row in log_weights.tolist()), correlations=correlations)
