"""The posterior against closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.arrays import Floats
from isocost.passrates import HIERARCHICAL, Law, Marginal, Posterior, Prior, States, fixed_prior, law_prior


def states(counts: list[list[list[int]]], problems: list[int] | None = None, bins: list[int] | None = None) -> States:
    n = len(counts)
    return States(
        counts=np.array(counts, np.int64),
        bins=np.array(bins if bins is not None else [-1] * n, np.int64),
        problems=np.array(problems if problems is not None else [1] * n, np.int64),
    )


def expected_rates(posterior: Posterior, of: States) -> Floats:
    """The expected pass rate of each model in each state, float[states, models]."""
    return np.stack([posterior.moments(of, m, [(1, 0)])[0] for m in range(of.counts.shape[1])], axis=1)


def observed(law: Law, problems: int, draws: int, seed: int) -> States:
    generator = np.random.default_rng(seed)
    successes = generator.binomial(draws, law.rates(problems, generator))
    counts, number = np.unique(np.stack([successes, draws - successes], axis=-1), axis=0, return_counts=True)
    return States(counts=counts, bins=np.full(len(number), -1), problems=number)


@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 2.0), (1.0, 1.0), (0.05, 0.4), (3.0, 0.5)])
def test_a_fixed_prior_gives_the_moments_of_the_beta_posterior(alpha: float, beta: float) -> None:
    posterior = Posterior(fixed_prior(alpha, beta), 2)
    found = expected_rates(posterior, states([[[0, 0], [0, 7]], [[2, 1], [300, 500]]]))
    size = alpha + beta
    expected = [[alpha / size, alpha / (size + 7)], [(alpha + 2) / (size + 3), (alpha + 300) / (size + 800)]]
    np.testing.assert_allclose(found, expected, rtol=6e-3)
    squares = posterior.moments(states([[[1, 2], [0, 0]]]), 0, [(2, 0), (1, 1), (0, 2)])[:, 0]
    a, b, s = alpha + 1, beta + 2, size + 3
    np.testing.assert_allclose(squares, [a * (a + 1) / (s * (s + 1)), a * b / (s * (s + 1)), b * (b + 1) / (s * (s + 1))], rtol=6e-3)


@pytest.mark.parametrize("correlation", [0.5, 0.8, 0.95])
def test_failures_of_one_model_lower_the_rate_of_another_as_in_simulation(correlation: float) -> None:
    law = Law(marginals=((0.301, 0.826), (0.316, 0.653)), correlation=correlation, impossible=0.05)
    rates = law.rates(1_000_000, np.random.default_rng(1))
    weight = (1 - rates[:, 0]) ** 2 * rates[:, 1]
    found = expected_rates(Posterior(law_prior(law), 2), states([[[0, 2], [1, 0]], [[0, 3], [0, 1]]]))
    none = (1 - rates[:, 0]) ** 3 * (1 - rates[:, 1])
    for row, w in ((0, weight), (1, none)):
        simulated = (w[:, None] * rates).sum(axis=0) / w.sum()
        np.testing.assert_allclose(found[row], simulated, rtol=0.01)


def test_three_models_are_learned_from_their_counts() -> None:
    law = Law(marginals=((0.1, 1.1), (0.3, 0.9), (0.9, 0.3)), correlation=0.6)
    posterior = Posterior(HIERARCHICAL, 3)
    posterior.fit(observed(law, 2000, 4, seed=2))
    np.testing.assert_allclose(
        expected_rates(posterior, states([[[0, 0]] * 3]))[0], [0.083, 0.25, 0.75], atol=0.06
    )  # marginals are spaced by about a factor of two


def test_laws_of_two_models_are_weighed_as_by_enumeration() -> None:
    seen = observed(Law(marginals=((0.3, 2.0), (0.5, 0.7))), 60, 3, seed=3)
    new = states([[[0, 0], [0, 0]]])
    posterior = Posterior(HIERARCHICAL, 2)
    posterior.fit(seen)
    found = expected_rates(posterior, new)[0]
    logs, rates = [], []
    # Each law alone: its evidence is a product of conditional predictions, problem by problem and draw by draw.
    marginals, weights = HIERARCHICAL.marginals, HIERARCHICAL.log_weights(2)
    for i in range(0, len(marginals), 4):
        for j in range(1, len(marginals), 4):
            law = Law(marginals=(marginals[i], marginals[j]), correlation=0.8)
            alone = Posterior(law_prior(law), 2)
            logs.append(weights[0, i] + weights[1, j] + evidence(alone, seen))
            rates.append(expected_rates(alone, new)[0])
    subset = np.exp(np.array(logs) - max(logs))
    total, weighted = subset.sum(), subset @ np.array(rates)
    restricted = Posterior(
        type(HIERARCHICAL)(
            marginals=HIERARCHICAL.marginals,
            weights=tuple(tuple(float(w) if i % 4 == m else -np.inf for i, w in enumerate(weights[m])) for m in range(2)),
            correlations=(0.8,),
        ),
        2,
    )
    restricted.fit(seen)
    np.testing.assert_allclose(expected_rates(restricted, new)[0], weighted / total, rtol=1e-3)
    assert found.shape == (2,)


def evidence(posterior: Posterior, seen: States) -> float:
    """Return the log probability of all counts, as a chain of predictions one draw at a time."""
    total = 0.0
    for counts, problems in zip(seen.counts, seen.problems, strict=True):
        so_far = np.zeros((1, 2, 2), np.int64)
        for model in (0, 1):
            for outcome in (0, 1):
                for _ in range(counts[model, outcome]):
                    power = (1, 0) if outcome == 0 else (0, 1)
                    now = States(counts=so_far, bins=np.array([-1]), problems=np.array([1]))
                    total += problems * np.log(posterior.moments(now, model, [power])[0, 0])
                    so_far = so_far.copy()
                    so_far[0, model, outcome] += 1
    return total


def test_a_label_that_goes_with_the_rates_moves_them_and_noise_does_not() -> None:
    generator = np.random.default_rng(5)
    law = Law(marginals=((0.4, 0.8),), correlation=0.0)
    rates = law.rates(1500, generator)[:, 0]
    successes = generator.binomial(3, rates)
    scores = np.array([-1.5, -0.7, 0.0, 0.7, 1.5])
    ranks = np.argsort(np.argsort(rates + generator.normal(0, 0.15, len(rates)))) * 5 // len(rates)
    for bins, moves in ((ranks, True), (generator.permutation(ranks), False)):
        rows, number = np.unique(np.stack([successes, 3 - successes, bins], axis=1), axis=0, return_counts=True)
        posterior = Posterior(HIERARCHICAL, 1, scores)
        posterior.fit(States(counts=rows[:, None, :2], bins=rows[:, 2], problems=number))
        low, high, none = expected_rates(posterior, states([[[0, 0]]] * 3, bins=[0, 4, -1]))[:, 0]
        if moves:
            assert low < 0.6 * none < 1.4 * none < high
        else:
            assert abs(low - high) < 0.1 * none


def test_drawn_rates_have_the_posterior_s_moments() -> None:
    law = Law(marginals=((0.301, 0.826), (0.316, 0.653)), correlation=0.8)
    posterior = Posterior(HIERARCHICAL, 2)
    posterior.fit(observed(law, 200, 4, seed=8))
    some = states([[[0, 4], [0, 4]], [[0, 4], [2, 2]], [[4, 0], [0, 0]]])
    generator = np.random.default_rng(9)
    state_of = np.repeat(np.arange(3), 100)
    drawn = np.stack([posterior.draw_rates(some, state_of, generator) for _ in range(400)])
    by_state = drawn.reshape(400, 3, 100, 2)
    np.testing.assert_allclose(by_state.mean(axis=(0, 2)), expected_rates(posterior, some), rtol=0.05)
    for model in (0, 1):
        exact = posterior.moments(some, model, [(0, 8)])[0]
        np.testing.assert_allclose(((1 - by_state[..., model]) ** 8).mean(axis=(0, 2)), exact, rtol=0.05, atol=2e-3)


def test_rates_of_two_models_are_drawn_together() -> None:
    rows = []
    for correlation in (0.3, 0.95):
        posterior = Posterior(law_prior(Law(marginals=((0.5, 1.0), (0.5, 1.0)), correlation=correlation)), 2)
        drawn = posterior.draw_rates(states([[[0, 0], [0, 0]]]), np.zeros(20_000, np.int64), np.random.default_rng(1))
        ranks = np.argsort(np.argsort(drawn, axis=0), axis=0)
        rows.append(np.corrcoef(ranks.T)[0, 1])
    np.testing.assert_allclose(rows, 6 / np.pi * np.arcsin(np.array([0.3, 0.95]) / 2), atol=0.03)


def test_problems_that_no_model_can_solve_are_drawn_and_their_probability_is_bayes() -> None:
    law = Law(marginals=((1.0, 1.0), (1.0, 1.0)), correlation=0.0, impossible=0.2)
    posterior = Posterior(law_prior(law), 2)
    some = states([[[0, 3], [0, 1]], [[1, 2], [0, 1]]])
    # Under uniform rates 3 failures have the probability 1/4, one has 1/2.
    exact = 0.2 / (0.2 + 0.8 / 8)
    np.testing.assert_allclose(posterior.impossible_probabilities(some), [exact, 0.0], atol=2e-3)
    drawn = posterior.draw_rates(some, np.repeat([0, 1], 20_000), np.random.default_rng(2))
    assert (drawn[:20_000] == 0).all(axis=1).mean() == pytest.approx(exact, abs=0.01)
    assert (drawn[20_000:, 0] > 0).all()


def test_impossible_for_all_models_counts_each_model_s_own_share() -> None:
    prior = Prior(marginals=(Marginal(1.0, 1.0, 0.3),), weights=(0.0,), correlations=(0.0,))
    posterior = Posterior(prior, 2)
    some = states([[[0, 4], [0, 4]], [[0, 4], [1, 3]]])
    one = 0.3 / (0.3 + 0.7 / 5)
    np.testing.assert_allclose(posterior.impossible_probabilities(some), [one**2, 0.0], atol=2e-3)


def test_the_correlation_is_learned() -> None:
    means = []
    for correlation in (0.6, 0.8):
        posterior = Posterior(HIERARCHICAL, 2)
        posterior.fit(observed(Law(marginals=((0.3, 0.8), (0.5, 0.7)), correlation=correlation), 2000, 4, seed=4))
        means.append(posterior.correlation())
    assert means[0] < 0.65 < 0.75 < means[1]


def test_the_evidence_of_priors_is_the_probability_of_the_counts() -> None:
    counts = states([[[0, 3]], [[2, 1]]], problems=[2, 1])
    mixed = Prior(marginals=(Marginal(1.0, 1.0),), weights=(0.0,), correlations=(0.0,), impossible=0.2)
    found = []
    for prior in (fixed_prior(1.0, 1.0), mixed):
        posterior = Posterior(prior, 1)
        posterior.fit(counts)
        found.append(posterior.log_evidence)
    # Of Beta(1, 1), three failures have the probability 1/4 and each order of two successes and a failure 1/12.
    plain, with_impossible = 2 * np.log(1 / 4) + np.log(1 / 12), 2 * np.log(0.8 / 4 + 0.2) + np.log(0.8 / 12)
    assert found[1] - found[0] == pytest.approx(with_impossible - plain, abs=1e-3)
