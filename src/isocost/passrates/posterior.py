"""The posterior of pass rates given counts of successes and failures, for several models at once.

D_h(c) is the probability of a problem's counts c under the law h, where model m has the pass rate p_m:

    D_h(c) = E_h[prod_m p_m^s_m (1 - p_m)^f_m]

This likelihood holds whatever decided the numbers of draws, as long as it saw nothing but the counts and labels that are fitted here.
A law's posterior weight w_h is proportional to its prior weight times the product of D_h(c_i) over problems i. Moments of a problem's
rates follow:

    E[p_m^a (1 - p_m)^b | data] = sum_h w_h D_h(c + a successes and b failures of m) / D_h(c)

The problem's factor makes models independent (`grid.conditional_masses`), so D_h is a sum over the factor of products over models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES, RATES, factor_weights
from isocost.passrates.priors import Prior

# Correlations of the label with the factor. Noise is as likely beforehand as all the others together.
LOADINGS = (0.0, 0.3, -0.3, 0.5, -0.5, 0.65, -0.65, 0.8, -0.8, 0.9, -0.9)
_LOG_LOADINGS: Floats = np.log([0.5] + [0.05] * 10)

_MOST_LAWS = 128  # laws that are combined with the next model or with the label, or used for predictions
_NEGLIGIBLE = 1e-4  # weight relative to the heaviest law's
_BLOCK = 256  # states at a time: bounds the memory of [laws, factors, states]


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Distinct states of problems.

    Attributes:
        counts: Successes and failures so far, int[states, models, 2].
        bins: Bin of the difficulty label, int[states]; -1 for problems without one.
        problems: Number of problems in each state, int[states].
    """

    counts: Ints
    bins: Ints
    problems: Ints


@dataclass(frozen=True, slots=True)
class _Laws:
    """Laws: the marginal of each model so far, the correlation and the loading, as indices; their log prior and posterior weights."""

    marginals: Ints  # [laws, models so far]
    correlations: Ints
    loadings: Ints
    log_prior: Floats
    log_posterior: Floats

    def heaviest(self) -> _Laws:
        order = np.argsort(-self.log_posterior, kind="stable")[:_MOST_LAWS]
        kept = order[self.log_posterior[order] >= self.log_posterior[order[0]] + np.log(_NEGLIGIBLE)]
        return _Laws(self.marginals[kept], self.correlations[kept], self.loadings[kept], self.log_prior[kept], self.log_posterior[kept])

    def pick(self, law: int) -> _Laws:
        one = slice(law, law + 1)
        return _Laws(self.marginals[one], self.correlations[one], self.loadings[one], self.log_prior[one], self.log_posterior[one])


class Posterior:
    """Learn the law of several models' pass rates from counts, and predict the rates of each problem.

    Args:
        prior: The laws that are possible.
        models: Number of models.
        label_scores: Normal score of each bin of the difficulty label, float[bins]; None without a label.
    """

    def __init__(self, prior: Prior, models: int, label_scores: Floats | None = None) -> None:
        self._prior = prior
        self._models = models
        self._evidence = _Evidence(prior)
        self._log_weights = prior.log_weights(models)
        scores = [] if label_scores is None else [float(s) for s in label_scores]
        loadings = LOADINGS if scores else LOADINGS[:1]
        unlabelled = factor_weights(0.0, 0.0)
        # [loadings, bins + 1, factors]: bin -1 finds the last one.
        self._factors = np.array([[*(factor_weights(s, loading) for s in scores), unlabelled] for loading in loadings])
        nothing = np.zeros(0, np.int64)
        self.fit(States(counts=np.zeros((0, models, 2), np.int64), bins=nothing, problems=nothing))

    def fit(self, states: States) -> None:
        """Weigh the laws by all counts so far.

        The laws of two models are weighed exactly. Otherwise the heaviest laws of the models so far are combined with the marginals of the
        next model, and at last with the loadings of the label.
        """
        count = len(self._prior.correlations)
        zeros = np.zeros(count)
        laws = _Laws(np.zeros((count, 0), np.int64), np.arange(count), np.zeros(count, np.int64), zeros, zeros)
        for model in range(self._models):
            laws = self._with_model(laws.heaviest() if model > 1 else laws, model, states)
        if len(self._factors) > 1:
            laws = self._with_label(laws.heaviest(), states)
        self._laws = laws.heaviest()
        weights = np.exp(self._laws.log_posterior - self._laws.log_posterior.max())
        self._weights = weights / weights.sum()

    def moments(self, states: States, model: int, powers: Sequence[tuple[int, int]]) -> Floats:
        """Return E[p^a (1 - p)^b | data] of one model's rate p in each state, float[powers, states].

        Args:
            states: States of problems; not only those that were fitted.
            model: Index of the model.
            powers: Pairs (a, b).
        """
        exponents = np.array(powers, np.float64).reshape(-1, 2)
        terms = np.exp(exponents[:, :1] * LOG_RATES + exponents[:, 1:] * LOG_FAILURES)
        never_succeeds = (exponents[:, :1] == 0).astype(np.float64)  # p^a (1 - p)^b at p = 0
        found = np.empty((len(powers), len(states.bins)))
        for part in _blocks(len(states.bins)):
            masses, impossible = self._masses(states.counts[part], states.bins[part], model)
            found[:, part] = terms @ masses.T + never_succeeds * impossible
        return found

    @property
    def log_evidence(self) -> float:
        """Log probability of the fitted counts under the prior, up to a constant that all priors on these counts share."""
        most = float(self._laws.log_posterior.max())
        return most + float(np.log(np.exp(self._laws.log_posterior - most).sum()))

    def correlation(self) -> float:
        """Return the posterior mean of the correlation of any two models' normal scores."""
        return float(self._weights @ np.array(self._prior.correlations)[self._laws.correlations])

    def draw_rates(self, states: States, state_of: Ints, generator: np.random.Generator) -> Floats:
        """Draw the rates of problems jointly: a law by its weight, then each problem's factor, then each model's rate.

        Args:
            states: States of problems.
            state_of: Index of each problem's state, int[problems].
            generator: Source of randomness.

        Returns:
            float[problems, models]; each rate is the centre of its cell.
        """
        law = self._laws.pick(int(generator.choice(len(self._weights), p=self._weights)))
        likely = self._over_factor(law, states)
        factor = _choose(likely[0].T[state_of], generator)
        masses = self._prior.masses()
        rates = np.empty((len(state_of), self._models))
        for model in range(self._models):
            given = masses[law.marginals[0, model], law.correlations[0]][factor]
            counts = states.counts[state_of, model]
            exponents = counts[:, :1] * LOG_RATES + counts[:, 1:] * LOG_FAILURES
            evidence = np.exp(exponents - exponents.max(axis=1, keepdims=True))
            rates[:, model] = RATES[_choose(given * evidence, generator)]
        rates[rates <= RATES[0]] = 0.0
        rates[generator.random(len(state_of)) < self._unsolvable(states, likely)[0, state_of]] = 0.0
        return rates

    def impossible_probabilities(self, states: States) -> Floats:
        """Return the probability that a problem in each state is impossible for all models: rates in the lowest cell, float[states]."""
        likely = self._over_factor(self._laws, states)
        lowest = self._prior.masses()[..., 0]
        product = self._factors[self._laws.loadings][:, states.bins].transpose(0, 2, 1)
        for m in range(self._models):
            # Failures alone have the likelihood 1 in the lowest cell, on the scale of _Evidence.
            unsolved = states.counts[:, m, 0] == 0
            product = product * lowest[self._laws.marginals[:, m], self._laws.correlations][:, :, None] * unsolved
        beyond = self._unsolvable(states, likely)
        return np.asarray(self._weights @ (beyond + (1.0 - beyond) * product.sum(axis=1) / likely.sum(axis=1)), np.float64)

    def _over_factor(self, laws: _Laws, states: States) -> Floats:
        """Return the scaled probability of the counts in each state and of the factor, float[laws, factors, states]."""
        factors = self._factors[laws.loadings][:, states.bins].transpose(0, 2, 1)
        return np.asarray(self._product(laws, states.counts, range(self._models)) * factors, np.float64)

    def _unsolvable(self, states: States, likely: Floats) -> Floats:
        """Return the probability that a problem is one of the share that no model can solve, float[laws, states]."""
        share = self._prior.impossible * (states.counts[:, :, 0].sum(axis=1) == 0)
        return np.asarray(share / (share + (1.0 - self._prior.impossible) * likely.sum(axis=1)), np.float64)

    def _masses(self, counts: Ints, bins: Ints, model: int) -> tuple[Floats, Floats]:
        """Return the masses of the cells of a model's rate, float[states, cells], and of impossible problems, float[states]."""
        factors = self._factors[self._laws.loadings][:, bins].transpose(0, 2, 1)
        product = self._product(self._laws, counts, [m for m in range(self._models) if m != model]) * factors
        values, scale = self._evidence.values(counts[:, model])
        mine = values[self._laws.marginals[:, model], self._laws.correlations]
        # Weight of each law over D_h(c), float[laws, states].
        weights = self._weights[:, None] / self._or_impossible(np.einsum("hgu,hgu->hu", product, mine), counts, scale)
        # Laws with the same marginal and correlation are added up first, because the sum over cells is the largest one.
        pairs = np.stack([self._laws.marginals[:, model], self._laws.correlations], axis=1)
        distinct, kind = np.unique(pairs, axis=0, return_inverse=True)
        kinds = (kind.ravel() == np.arange(len(distinct))[:, None]).astype(np.float64)
        given = kinds @ (product * weights[:, None]).reshape(len(product), -1)
        prior = self._evidence.masses[distinct[:, 0], distinct[:, 1]].reshape(-1, len(LOG_RATES))
        likelihood = np.exp(counts[:, model, :1] * LOG_RATES + counts[:, model, 1:] * LOG_FAILURES - scale[:, None])
        share = self._prior.impossible
        unsolved = counts[:, :, 0].sum(axis=1) == 0
        masses = (1.0 - share) * (given.reshape(len(prior), -1).T @ prior) * likelihood
        return masses, share * unsolved * np.exp(-scale) * weights.sum(axis=0)

    def _or_impossible(self, likely: Floats, counts: Ints, scale: Floats) -> Floats:
        """Mix in problems that no model can solve. `likely` has the states in its last axis."""
        if share := self._prior.impossible:
            unsolved = counts[:, :, 0].sum(axis=1) == 0
            likely = (1.0 - share) * likely + share * unsolved * np.exp(-scale)
        return np.maximum(likely, 1e-300)

    def _with_model(self, laws: _Laws, model: int, states: States) -> _Laws:
        """Combine laws with every marginal of one more model."""
        usable = np.flatnonzero(np.isfinite(self._log_weights[model]))

        def choices(counts: Ints, bins: Ints) -> tuple[Floats, Floats]:
            values, scale = self._evidence.values(counts[:, model])
            return values[usable].transpose(1, 3, 2, 0) * self._factors[0, -1][:, None], scale

        return self._combine(laws, states, choices, self._log_weights[model, usable], usable)

    def _with_label(self, laws: _Laws, states: States) -> _Laws:
        """Combine laws with every loading of the label."""

        def choices(counts: Ints, bins: Ints) -> tuple[Floats, Floats]:
            weights = self._factors[:, bins].transpose(1, 2, 0)
            return np.broadcast_to(weights, (len(self._prior.correlations), *weights.shape)), np.zeros(len(bins))

        return self._combine(laws, states, choices, _LOG_LOADINGS, None)

    def _combine(
        self,
        laws: _Laws,
        states: States,
        choices: Callable[[Ints, Ints], tuple[Floats, Floats]],
        log_weights: Floats,
        marginals: Ints | None,
    ) -> _Laws:
        """Weigh every pair of a law and a choice: a marginal of the next model, or, if `marginals` is None, a loading.

        Args:
            laws: The laws so far.
            states: Counts of all problems.
            choices: Returns float[correlations, states, factors, choices] and log scales for a block of states.
            log_weights: Log prior weight of each choice.
            marginals: Index of the marginal that each choice stands for.
        """
        known = list(range(laws.marginals.shape[1]))
        log_likelihood = np.zeros((len(laws.log_prior), len(log_weights)))
        for part in _blocks(len(states.bins)):
            counts = states.counts[part]
            product = self._product(laws, counts, known).transpose(2, 0, 1)
            values, scale = choices(counts, states.bins[part])
            for r in np.unique(laws.correlations):
                rows = np.flatnonzero(laws.correlations == r)
                likely = np.matmul(product[:, rows], values[r]).transpose(1, 2, 0)
                log_likelihood[rows] += np.log(self._or_impossible(likely, counts, scale)) @ states.problems[part]
        prior = laws.log_prior[:, None] + log_weights
        parent, choice = np.indices(prior.shape).reshape(2, -1)
        return _Laws(
            laws.marginals[parent] if marginals is None else np.column_stack([laws.marginals[parent], marginals[choice]]),
            laws.correlations[parent],
            choice if marginals is None else laws.loadings[parent],
            prior.ravel(),
            (prior + log_likelihood).ravel(),
        )

    def _product(self, laws: _Laws, counts: Ints, models: Sequence[int]) -> Floats:
        """Return the product over some models of E[p^s (1 - p)^f | factor], scaled, float[laws, factors, states]."""
        product = np.ones((len(laws.log_prior), self._factors.shape[-1], len(counts)))
        for m in models:
            values, _ = self._evidence.values(counts[:, m])
            product *= values[laws.marginals[:, m], laws.correlations]
        return product


class _Evidence:
    """Cache E[p^s (1 - p)^f | factor] for pairs (s, f), each divided by a scale of its own."""

    def __init__(self, prior: Prior) -> None:
        self.masses = prior.masses()
        # Ascending keys of the known pairs, and the row of each among the values and scales.
        self._keys, self._rows = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._values: Floats = np.zeros((0, *self.masses.shape[:-1]))
        self._scales: Floats = np.zeros(0)

    def values(self, pairs: Ints) -> tuple[Floats, Floats]:
        """Return values as float[marginals, correlations, factors, pairs], and log scales as float[pairs]."""
        keys = pairs[:, 0] << 32 | pairs[:, 1]
        places = np.searchsorted(self._keys, keys)
        known = np.append(self._keys, -1)[places] == keys
        if not known.all():
            self._add(np.unique(keys[~known]))
            places = np.searchsorted(self._keys, keys)
        rows = self._rows[places]
        return np.moveaxis(self._values[rows], 0, -1), self._scales[rows]

    def _add(self, keys: Ints) -> None:
        successes, failures = (keys >> 32).astype(np.float64), (keys & 0xFFFFFFFF).astype(np.float64)
        exponents = successes[:, None] * LOG_RATES + failures[:, None] * LOG_FAILURES
        scales = exponents.max(axis=1)  # p^500 (1 - p)^500 is below the smallest float for every p
        values = np.exp(exponents - scales[:, None]) @ self.masses.reshape(-1, self.masses.shape[-1]).T
        places = np.searchsorted(self._keys, keys)
        self._rows = np.insert(self._rows, places, np.arange(len(self._scales), len(self._scales) + len(keys)))
        self._keys = np.insert(self._keys, places, keys)
        self._values = np.concatenate([self._values, values.reshape(-1, *self.masses.shape[:-1])])
        self._scales = np.concatenate([self._scales, scales])


def _choose(weights: Floats, generator: np.random.Generator) -> Ints:
    """Choose a column of each row with probability proportional to its weight, int[rows]."""
    below = np.cumsum(weights, axis=1)
    point = generator.random((len(weights), 1)) * below[:, -1:]
    return np.asarray((below <= point).sum(axis=1).clip(max=weights.shape[1] - 1), np.int64)


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, start + _BLOCK)
