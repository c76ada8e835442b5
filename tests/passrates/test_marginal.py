"""The posterior of one model's pass rates against brute force over its own laws, and against the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isocost.passrates import Law, MarginalPosterior
from isocost.passrates.grid import LOG_FAILURES, LOG_RATES, RATES


def brute_force(posterior: MarginalPosterior, successes: list[int], draws: list[int], power: int) -> float:
    """Return the posterior mean over problems of 1 - (1 - p)^power, law by law and problem by problem."""
    total = 0.0
    for weight, law in zip(posterior.weights, posterior.laws, strict=True):
        masses = law.masses()
        values = []
        for s, n in zip(successes, draws, strict=True):
            likely = masses * np.exp(s * LOG_RATES + (n - s) * LOG_FAILURES)
            values.append(float(likely @ (1 - np.exp(power * LOG_FAILURES)) / likely.sum()))
        total += weight * np.mean(values)
    return total


def test_averages_over_unequal_draws_are_those_of_brute_force() -> None:
    successes, draws = [0, 1, 4, 0, 2, 0], [4, 4, 4, 7, 3, 0]
    posterior = MarginalPosterior(successes, draws)
    means, spreads = posterior.averages(1 - np.exp(20 * LOG_FAILURES)[None])
    assert posterior.weights @ means[:, 0] == pytest.approx(brute_force(posterior, successes, draws, 20), rel=1e-9)
    assert np.all(spreads > 0)


def test_weights_are_the_prior_times_the_likelihood() -> None:
    posterior = MarginalPosterior([0, 3, 1], [4, 4, 4])
    i, j = int(np.argmax(posterior.weights)), int(np.argsort(posterior.weights)[-20])

    def log_posterior(k: int) -> float:
        law = posterior.laws[k]
        likely = [math.log(law.masses() @ np.exp(s * LOG_RATES + (4 - s) * LOG_FAILURES)) for s in (0, 3, 1)]
        a, b = (math.log(law.alpha) - math.log(0.35)) / 1.2, (math.log(law.beta) - math.log(1.2)) / 1.8
        impossible = {0.03: 0.105, 0.08: 0.105, 0.15: 0.0875, 0.25: 0.0525}
        weight = 0.3 if law.hard == 0 else impossible[law.hard] if math.isinf(law.hard_beta) else 0.7 / 12
        return sum(likely) - 0.5 * (a * a + b * b) + math.log(weight)

    expected = log_posterior(i) - log_posterior(j)
    assert math.log(posterior.weights[i] / posterior.weights[j]) == pytest.approx(expected, rel=1e-6)
    likelihood = posterior.log_evidence[i] - posterior.log_evidence[j]
    assert posterior.weights.sum() == pytest.approx(1.0)
    assert likelihood == pytest.approx(
        sum(
            math.log(posterior.laws[i].masses() @ np.exp(s * LOG_RATES + (4 - s) * LOG_FAILURES))
            - math.log(posterior.laws[j].masses() @ np.exp(s * LOG_RATES + (4 - s) * LOG_FAILURES))
            for s in (0, 3, 1)
        )
    )


def test_the_spread_of_an_average_is_that_of_independent_problems() -> None:
    posterior = MarginalPosterior([0, 0, 2], [4, 4, 4])
    _, spreads = posterior.averages(RATES[None])
    variances = [posterior.rates(k) @ RATES**2 - (posterior.rates(k) @ RATES) ** 2 for k in range(2)]
    np.testing.assert_allclose(spreads[:, 0], np.sqrt(2 * variances[0] + variances[1]) / 3)


def test_unpiloted_problems_are_averaged_with_the_law_s_own_mean() -> None:
    posterior = MarginalPosterior([1, 2], [4, 4])
    alone, _ = posterior.averages(RATES[None])
    both, _ = posterior.averages(RATES[None], unpiloted=6)
    own = posterior.rates(None) @ RATES
    np.testing.assert_allclose(both[:, 0], (2 * alone[:, 0] + 6 * own) / 8)


def test_noise_of_outcomes_widens_the_spread() -> None:
    posterior = MarginalPosterior([1, 2], [4, 4])
    values = RATES[None]
    _, narrow = posterior.averages(values)
    _, wide = posterior.averages(values, noise=values * (1 - values))
    assert np.all(wide > narrow)


def test_draws_stopped_by_their_outcomes_are_fitted_by_the_likelihood() -> None:
    generator = np.random.default_rng(7)
    rates = Law(marginals=((0.5, 1.0),), correlation=0.0).rates(3000, generator)[:, 0]
    # Stopped at the first success, at most 8 draws: the share of correct draws is far above the mean rate.
    draws = np.minimum(generator.geometric(np.maximum(rates, 1e-12)), 8)
    successes = (generator.random(3000) < 0).astype(int)
    successes[:] = [0 if d == 8 and generator.random() > r else 1 for d, r in zip(draws, rates, strict=True)]
    posterior = MarginalPosterior(successes, draws)
    mean = float(posterior.weights @ (posterior.rates(None) @ RATES))
    assert mean == pytest.approx(rates.mean(), abs=0.03)
    assert np.mean(successes / draws) > rates.mean() + 0.08


@pytest.mark.parametrize(("successes", "draws"), [([5], [4]), ([-1], [4]), ([1, 2], [4])])
def test_impossible_counts_are_refused(successes: list[int], draws: list[int]) -> None:
    with pytest.raises(ValueError, match="between 0 and draws"):
        MarginalPosterior(successes, draws)
