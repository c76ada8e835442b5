"""Joint posterior of several models that were piloted on the same problems, as replicates of their pass rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.forecasting.curves import CurveForecast
from isocost.passrates import Marginal, MarginalPosterior, Posterior, Prior, States
from isocost.passrates.grid import RATES
from isocost.policies.adaptive import label_bins

_NEGLIGIBLE = 1e-3  # weight of a posterior among those that are mixed
_LAWS = 24  # per model, of those that its own pilot leaves
_CORRELATIONS = (0.3, 0.6, 0.8, 0.95)
# Shares of problems that no model can solve, as with a wrong reference answer. Those of `MarginalPosterior`, so that each model's own law
# stays as it is. Without them the copula would have the other models solve half of what is impossible for one.
_SHARED = (0.03, 0.08, 0.15, 0.25)
_NONE_SHARED = 0.2  # prior probability that there are none, given laws that have impossible problems
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
    likelihood. Impossible problems of all models are the same ones up to a share that is weighed too, and go by the correlation beyond it.
    A problem that a model was not piloted on has its pass rate given the other models' counts.

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
    posteriors, weights = _posteriors([forecast.posterior for forecast in forecasts], states, scores)
    places = np.arange(len(ids)) if len(ids) <= _MOST_PROBLEMS else np.sort(generator.choice(len(ids), _MOST_PROBLEMS, replace=False))
    chosen = state_of.ravel()[places]
    number = max(_LEAST_REPLICATES, min(_REPLICATES, _MOST_RATES // max(1, len(chosen) * len(forecasts))))
    # The centres of cells, which find their cells exactly.
    rates = [posteriors[k].draw_rates(states, chosen, generator) for k in generator.choice(len(posteriors), number, p=weights)]
    return Replicates(
        models=tuple(forecast.pilot.model for forecast in forecasts),
        problem_ids=ids,
        places=places,
        cells=np.searchsorted(RATES, np.stack(rates)),
        impossible=(weights @ np.stack([each.impossible_probabilities(states) for each in posteriors]))[state_of.ravel()],
        correlation=float(weights @ [each.correlation() for each in posteriors]) if len(forecasts) > 1 else None,
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


def _posteriors(models: Sequence[MarginalPosterior], states: States, scores: Floats | None) -> tuple[list[Posterior], Floats]:
    """Fit a joint posterior for each share of problems that no model can solve, and return those that matter with their weights."""
    prior = _prior(models, labelled=scores is not None)
    priors = [(prior, _NONE_SHARED)]
    if len(models) > 1:  # of one model these are its impossible problems
        priors += [(nested, (1.0 - _NONE_SHARED) / len(_SHARED)) for share in _SHARED if (nested := _with_shared(prior, share))]
    posteriors, log_weights = [], np.empty(len(priors))
    for k, (each, weight) in enumerate(priors):
        posterior = Posterior(each, len(models), scores)
        posterior.fit(states)
        posteriors.append(posterior)
        log_weights[k] = math.log(weight) + posterior.log_evidence
    weights = np.exp(log_weights - log_weights.max())
    kept = np.flatnonzero(weights > _NEGLIGIBLE * weights.sum())
    return [posteriors[k] for k in kept.tolist()], weights[kept] / weights[kept].sum()


def _with_shared(prior: Prior, share: float) -> Prior | None:
    """Return the prior with a share of problems that no model can solve, or None if some model has no law with so many impossible ones.

    A law with the share z of impossible problems has (z - share) / (1 - share) among the others, so its distribution stays the same.
    """
    laws = [k for k, law in enumerate(prior.marginals) if math.isinf(law.hard_beta) and law.hard >= share]
    weights = np.asarray(prior.weights)[:, laws]
    if not np.isfinite(weights).any(axis=1).all():
        return None
    return replace(
        prior,
        marginals=tuple(law._replace(hard=(law.hard - share) / (1.0 - share)) for law in (prior.marginals[k] for k in laws)),
        weights=tuple(tuple(row) for row in weights.tolist()),
        impossible=share,
    )


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
