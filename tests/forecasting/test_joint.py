"""Pass rates of several models drawn from their joint posterior."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.forecasting import CurveForecast
from isocost.forecasting import joint as module
from isocost.forecasting.joint import replicates
from isocost.passrates import Law, Marginal, Prior
from isocost.passrates.grid import RATES
from tests.forecasting.piloting import pilot_of, two_models

LAW = Law(marginals=((0.301, 0.826), (0.316, 0.653)), correlation=0.8, impossible=0.05)


def test_each_model_alone_is_its_own_forecast() -> None:
    forecasts, _ = two_models(LAW, 200, seed=1)
    drawn = replicates(forecasts, np.random.default_rng(0))
    for m, forecast in enumerate(forecasts):
        alone = CurveForecast(forecast.pilot, power_law=False).coverage([16])[0]
        values = (1 - (1 - drawn.rates[:, :, m]) ** 16).mean(axis=1)
        assert values.mean() == pytest.approx(alone.value, abs=0.015)
        np.testing.assert_allclose(np.quantile(values, [0.05, 0.95]), [alone.low, alone.high], atol=0.02)


@pytest.mark.parametrize(("correlation", "low", "high"), [(0.3, 0.3, 0.5), (0.95, 0.8, 0.95)])
def test_the_correlation_decides_what_both_cover(correlation: float, low: float, high: float) -> None:
    law = Law(marginals=LAW.marginals, correlation=correlation)
    forecasts, rates = two_models(law, 400, seed=3)
    drawn = replicates(forecasts, np.random.default_rng(0))
    assert drawn.correlation is not None
    assert low <= round(drawn.correlation, 9) <= high  # a mean of equal numbers may be off by one last digit
    both = (1 - ((1 - drawn.rates) ** 8).prod(axis=2)).mean(axis=1)
    truth = (1 - ((1 - rates) ** 8).prod(axis=1)).mean()
    assert np.quantile(both, 0.02) <= truth <= np.quantile(both, 0.98)


def test_a_problem_that_one_model_has_no_draws_for_is_predicted_from_the_other() -> None:
    n = 300
    rates = Law(marginals=((0.5, 0.7), (0.5, 0.7)), correlation=0.95).rates(n, np.random.default_rng(3))
    successes = np.random.default_rng(4).binomial(8, rates)
    half = pilot_of(successes[: n // 2, 1].tolist(), 8, "strong")
    forecasts = [CurveForecast(pilot_of(successes[:, 0].tolist(), 8, "weak")), CurveForecast(half, unpiloted=n // 2)]
    drawn = replicates(forecasts, np.random.default_rng(5))
    assert len(drawn.problem_ids) == n
    unseen = drawn.rates[:, n // 2 :, 1].mean(axis=0)
    assert np.corrcoef(unseen, rates[n // 2 :, 1])[0, 1] > 0.8


def test_one_model_has_no_correlation() -> None:
    drawn = replicates([CurveForecast(pilot_of([0, 1, 4] * 10))], np.random.default_rng(0))
    assert drawn.correlation is None
    assert drawn.cells.shape[1:] == (30, 1)


def test_three_models_are_drawn_together() -> None:
    rates = Law(marginals=((0.3, 2.0), (0.5, 0.8), (2.0, 0.6)), correlation=0.8).rates(150, np.random.default_rng(6))
    successes = np.random.default_rng(7).binomial(4, rates)
    forecasts = [CurveForecast(pilot_of(successes[:, m].tolist(), 4, f"m{m}")) for m in range(3)]
    drawn = replicates(forecasts, np.random.default_rng(8))
    np.testing.assert_allclose(drawn.rates.mean(axis=(0, 1)), successes.mean(axis=0) / 4, atol=0.05)


def test_cells_of_impossible_problems_have_the_rate_0_and_others_their_centre() -> None:
    drawn = replicates([CurveForecast(pilot_of([0] * 20 + [40] * 20, 40))], np.random.default_rng(0))
    assert (drawn.cells == 0).any()
    assert set(np.unique(drawn.rates).tolist()) <= {0.0, *RATES[1:].tolist()}
    assert drawn.impossible[:20].min() > 0.3  # forty draws: four do not tell impossible problems from hard ones
    assert drawn.impossible[20:].max() == 0.0


def test_many_problems_have_fewer_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RATES", 500)
    monkeypatch.setattr(module, "_LEAST_REPLICATES", 3)
    assert len(replicates([CurveForecast(pilot_of([0, 4] * 50))], np.random.default_rng(0)).cells) == 5


def test_of_very_many_problems_a_part_is_drawn_and_all_have_a_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PROBLEMS", 40)
    drawn = replicates([CurveForecast(pilot_of([0, 4] * 100))], np.random.default_rng(0))
    assert drawn.cells.shape[1] == 40
    assert len(drawn.problem_ids) == len(drawn.impossible) == 200
    assert drawn.rates.mean() == pytest.approx(0.5, abs=0.1)


def test_a_label_tells_the_rates_of_problems_without_draws_as_far_as_outcomes_bear_it_out() -> None:
    forecast = CurveForecast(pilot_of([0] * 20 + [4] * 20), unpiloted=40)
    others = [f"o{i}" for i in range(40)]
    easy = {f"p{i}": float(i >= 20) for i in range(40)} | {f"o{i}": float(i >= 20) for i in range(40)}
    noise = {f"p{i}": float(i % 2) for i in range(40)} | {f"o{i}": float(i >= 20) for i in range(40)}

    def apart(labels: dict[str, float]) -> float:
        """The rates of others with the label 1 less those with the label 0."""
        means = replicates([forecast], np.random.default_rng(0), others, labels).rates.mean(axis=(0, 2))[40:]
        return float(means[20:].mean() - means[:20].mean())

    assert apart(easy) > 0.4
    assert abs(apart(noise)) < 0.15
    assert abs(apart({})) < 0.05


def test_what_is_impossible_for_one_model_is_not_left_to_the_other() -> None:
    law = Law(marginals=((0.9, 1.0), (1.2, 0.6)), correlation=0.1, impossible=0.06)
    forecasts, rates = two_models(law, 300, seed=4, draws=12)
    drawn = replicates(forecasts, np.random.default_rng(0))
    both = (drawn.rates == 0.0).all(axis=2).mean(axis=1)
    truth = float((rates == 0.0).all(axis=1).mean())
    assert both.mean() == pytest.approx(truth, abs=0.02)
    # By the copula alone the other model would solve nine in ten of them.
    hopeless = [i for i, problem in enumerate(drawn.problem_ids) if all(f.pilot.successes[i] == 0 for f in forecasts)]
    assert drawn.impossible[hopeless].mean() > 0.6


def test_impossible_problems_of_each_model_s_own_stay_apart() -> None:
    first, second = [0] * 60 + [9] * 180 + [10] * 60, [10] * 240 + [0] * 60
    forecasts = [CurveForecast(pilot_of(successes, 12, name)) for name, successes in (("weak", first), ("strong", second))]
    drawn = replicates(forecasts, np.random.default_rng(0))
    assert (drawn.rates == 0.0).all(axis=2).mean() < 0.01
    assert drawn.impossible.max() < 0.01


@pytest.mark.parametrize("share", [0.03, 0.15])
def test_sharing_impossible_problems_leaves_each_model_s_law(share: float) -> None:
    laws = (Marginal(0.3, 1.0, 0.15), Marginal(2.0, 0.5, 0.25), Marginal(0.3, 1.0, 0.02), Marginal(0.3, 1.0, 0.3, 35.0), Marginal(1.0, 1.0))
    prior = Prior(marginals=laws, weights=((0.0, -np.inf, 0.0, 0.0, 0.0), (-np.inf, -1.0, 0.0, 0.0, 0.0)), correlations=(0.5,))
    nested = module._with_shared(prior, share)
    assert nested is not None
    for whole, rest in zip(laws[:2], nested.marginals, strict=True):
        among = (1.0 - share) * rest.masses()
        among[0] += share
        np.testing.assert_allclose(among, whole.masses(), atol=1e-12)
    assert nested.weights == ((0.0, -np.inf), (-np.inf, -1.0))
    assert module._with_shared(prior, 0.2) is None  # the first model has no law with as many
