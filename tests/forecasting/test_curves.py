"""Forecasts of one model's curves against brute force for a known law, and pilots that say nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from isocost.forecasting import CurveForecast
from isocost.forecasting.curves import outward
from isocost.metrics.coverage import coverage_curve
from isocost.passrates import Law, Marginal, power_law
from isocost.passrates import marginal as marginals
from isocost.passrates.grid import RATES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups
from tests.forecasting.piloting import pilot_of


@pytest.fixture
def known_law(monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Leave one law, Beta(2, 3), in the posterior."""
    law = Marginal(2.0, 3.0)
    monkeypatch.setattr(marginals, "_grid", lambda: ([law], law.masses()[None], np.zeros(1)))
    return law.alpha, law.beta


def rising(a: float, b: float, size: float, n: int, m: int) -> float:
    """Return E[p^n (1 - p)^m] under Beta(a, b), b = size - a."""
    return math.exp(
        math.lgamma(a + n) + math.lgamma(b + m) + math.lgamma(size) - math.lgamma(size + n + m) - math.lgamma(a) - math.lgamma(b)
    )


def test_with_unequal_draws_the_value_is_the_mean_of_each_problem_s_own_posterior(known_law: tuple[float, float]) -> None:
    (alpha, beta), successes, draws = known_law, [0, 1, 3, 0], [4, 4, 5, 9]
    forecast = CurveForecast(pilot_of(successes, draws))
    posts = [(alpha + s, beta + n - s) for s, n in zip(successes, draws, strict=True)]
    cover = np.mean([1 - rising(a, b, a + b, 0, 12) for a, b in posts])
    mixed = np.mean([1 - rising(a, b, a + b, 0, 8) - rising(a, b, a + b, 8, 0) for a, b in posts])
    assert forecast.coverage([12])[0].value == pytest.approx(cover, abs=2e-3)
    assert forecast.mixed([8])[0].value == pytest.approx(mixed, abs=4e-3)
    one_group = forecast.of(MixedGroups(8), [8])[0].value
    assert one_group == pytest.approx(mixed, abs=4e-3)


def test_few_draws_go_to_the_problems_that_the_pilot_left_out(known_law: tuple[float, float]) -> None:
    """Of 4 problems 1 has 4 draws: 2 per problem are 4 for the others, which get 1 and a third each."""
    (alpha, beta), forecast = known_law, CurveForecast(pilot_of([1], 4), unpiloted=3)
    assert forecast.levels(2.0) == (4.0, pytest.approx(4 / 3))
    assert forecast.levels(5.0) == (5.0, 5.0)
    assert forecast.levels(0.5) == (0.5, 0.5)  # not even the pilot
    assert CurveForecast(pilot_of([1], 4)).levels(2.0) == (2.0, 2.0)

    def left(a: float, b: float, draws: int) -> float:
        return rising(a, b, a + b, 0, draws)

    cover = np.mean([1 - left(alpha + 1, beta + 3, 4), *[1 - 2 / 3 * left(alpha, beta, 1) - 1 / 3 * left(alpha, beta, 2)] * 3])
    of_piloted, of_others = ([each] for each in forecast.levels(2.0))
    assert forecast.coverage(of_piloted, of_others)[0].value == pytest.approx(cover, abs=2e-3)


def test_the_forecast_of_few_draws_holds_what_a_uniform_policy_brings(known_law: tuple[float, float]) -> None:
    generator, held = np.random.default_rng(5), []
    for _ in range(200):
        rates = generator.beta(*known_law, 120)
        pilot = generator.binomial(4, rates[:40])
        forecast = CurveForecast(pilot_of(pilot.tolist()), unpiloted=80)
        of_piloted, of_others = ([each] for each in forecast.levels(2.0))
        found = forecast.coverage(of_piloted, of_others, outcomes=True)[0]
        covered = np.concatenate([pilot > 0, generator.binomial(1, rates[40:]) > 0]).mean()
        held.append((found.low or 0.0) <= covered <= (found.high or 1.0))
    assert np.mean(held) >= 0.88


def test_solutions_that_never_repeat_are_all_distinct() -> None:
    """So distinct solutions are correct draws: their mean, and its interval, have the spread of the pass rates alone."""
    pilot = replace(pilot_of([0] * 20 + [2] * 20 + [4] * 20, distinct=True), repeats=False)
    forecast = CurveForecast(pilot)
    (few, many), rates = forecast.kept([4, 64], None), forecast.posterior.averages(np.array([RATES]))[0]
    mean = float(forecast.posterior.weights @ rates[:, 0])
    assert few.value == pytest.approx(4 * mean, rel=1e-3)
    assert many.value == pytest.approx(64 * mean, rel=1e-3)
    assert (many.high or 0) < 64
    assert (forecast.kept([64], 3)[0].value or 0) <= 3
    thetas = forecast.distinct.draw(np.zeros(5, np.int64), np.random.default_rng(0))
    assert ((thetas[:, 0] + thetas[:, 1]) / (thetas[:, 0] + 1000) == 1.0).all()


def test_intervals_hold_the_outcomes_that_they_are_for(known_law: tuple[float, float]) -> None:
    generator = np.random.default_rng(3)
    held = []
    for _ in range(300):
        rates = generator.beta(*known_law, 50)
        forecast = CurveForecast(pilot_of(generator.binomial([4] * 25 + [3] * 25, rates).tolist(), [4] * 25 + [3] * 25))
        plain, noisy = forecast.coverage([6])[0], forecast.coverage([6], outcomes=True)[0]
        covered = (generator.random(50) < 1 - (1 - rates) ** 6).mean()
        truth = (1 - (1 - rates) ** 6).mean()
        held.append([e.low is not None and e.high is not None and e.low <= v <= e.high for e, v in ((plain, truth), (noisy, covered))])
    # Rounding outward to fiftieths adds to the nominal 90%.
    assert np.all(np.mean(held, axis=0) >= 0.88)


def test_sound_coverage_is_that_of_thinned_draws_under_a_known_law(known_law: tuple[float, float]) -> None:
    (alpha, beta), successes, draws = known_law, [0, 1, 3, 0], [4, 4, 5, 9]
    found = CurveForecast(pilot_of(successes, draws), false_positive_rate=0.3).coverage([12])[0]
    generator = np.random.default_rng(5)
    rates = [generator.beta(alpha + s, beta + n - s, 100_000) for s, n in zip(successes, draws, strict=True)]
    assert found.value == pytest.approx(np.mean([1 - (1 - 0.7 * p) ** 12 for p in rates]), abs=2e-3)


def test_kept_and_distinct_solutions_are_scaled_by_the_share_of_sound_ones() -> None:
    plain = CurveForecast(pilot_of([0, 1, 2, 4] * 5, distinct=True), power_law=False)
    sound = CurveForecast(pilot_of([0, 1, 2, 4] * 5, distinct=True), power_law=False, false_positive_rate=0.25)
    for most in (3, None):
        for one, other in zip(plain.kept([8, 100], most), sound.kept([8, 100], most), strict=True):
            assert other.value == pytest.approx(0.75 * (one.value or 0))
            for end, scaled in ((one.low, other.low), (one.high, other.high)):
                assert scaled == pytest.approx(0.75 * (end or 0), abs=2 / 20)  # both are rounded to twentieths
    assert (sound.kept([1_000], 3)[0].high or 0) <= 2.25
    assert plain.kept([8], 3) == sound.of_correct().kept([8], 3)


def test_the_power_law_is_that_of_the_sound_draws_of_a_pilot() -> None:
    successes, rate = [0, 1, 2, 4, 1, 0, 3] * 3, 0.2
    sound = CurveForecast(pilot_of(successes), false_positive_rate=rate)
    generator, known = np.random.default_rng(6), np.zeros(4)
    for _ in range(4000):
        thinned = generator.binomial(successes, 1 - rate)
        known += coverage_curve(np.full(len(successes), 4), thinned, [1, 2, 3, 4]).mean(axis=0) / 4000
    line = power_law(known, [16, 64])
    assert line is not None
    alone = CurveForecast(pilot_of(successes), power_law=False, false_positive_rate=rate).coverage([16, 64])
    for found, point, posterior in zip(sound.coverage([16, 64]), line, alone, strict=True):
        assert found.value == pytest.approx((point + (posterior.value or 0)) / 2, abs=3e-3)


def test_few_false_positives_move_a_forecast_little() -> None:
    for successes in ([0, 1, 2, 4] * 5, [4, 3, 4, 1] * 5):  # the second has no line: every problem is covered
        some, none = (CurveForecast(pilot_of(successes), false_positive_rate=rate).coverage([4, 16, 64]) for rate in (1e-6, 0.0))
        assert [each.value for each in some] == pytest.approx([each.value for each in none], abs=1e-4)


def test_unpiloted_problems_pull_the_value_to_the_law_s_own(known_law: tuple[float, float]) -> None:
    alone, more = CurveForecast(pilot_of([4, 4, 3, 4], [4, 4, 3, 5])), CurveForecast(pilot_of([4, 4, 3, 4], [4, 4, 3, 5]), unpiloted=400)
    law = 1 - rising(*known_law, sum(known_law), 0, 2)
    assert more.n == 404
    assert (more.coverage([2])[0].value or 0) == pytest.approx(law, abs=5e-3)
    assert (alone.coverage([2])[0].value or 0) > law + 0.1


def test_equal_draws_are_averaged_with_the_power_law_and_unequal_ones_are_not() -> None:
    successes = [0] * 60 + [1] * 20 + [4] * 20
    forecast = CurveForecast(pilot_of(successes))
    alone = CurveForecast(pilot_of(successes), power_law=False)
    line = power_law(coverage_curve([4] * 100, successes, [1, 2, 3, 4]).mean(axis=0), [64])
    assert line is not None
    (value, mine) = (forecast.coverage([64])[0], alone.coverage([64])[0])
    assert value.value == pytest.approx(((mine.value or 0) + line[0]) / 2)
    # The interval has both the posterior's and the one moved along.
    assert (value.low or 0) <= (mine.low or 0)
    assert (value.high or 0) >= (mine.high or 0)
    assert CurveForecast(pilot_of(successes, [4] * 99 + [5])).moves(Coverage(), [64]).tolist() == [0.0]
    assert forecast.moves(KeptPerProblem(4), [64]).tolist() == [0.0]


def test_coverage_at_a_fraction_lies_between_whole_draws() -> None:
    forecast = CurveForecast(pilot_of([0, 1, 2, 4] * 5), power_law=False)
    low, middle, high = (e.value or 0 for e in forecast.coverage([3, 3.25, 4]))
    assert middle == pytest.approx(0.75 * low + 0.25 * high)


def test_kept_solutions_lie_between_covered_problems_and_all_distinct_ones() -> None:
    forecast = CurveForecast(pilot_of([0, 1, 2, 4] * 5, distinct=True), power_law=False)
    (covered,), (kept,), (distinct,) = forecast.coverage([16]), forecast.kept([16], 4), forecast.kept([16], None)
    assert (covered.value or 0) < (kept.value or 0) < (distinct.value or 0)
    assert forecast.kept([16], 1)[0].value == pytest.approx(covered.value, abs=1e-4)
    assert forecast.of(KeptPerProblem(4), [16]) == [kept]


@pytest.mark.parametrize(
    ("successes", "why"), [([0] * 30, "none of its 120 draws is correct"), ([4] * 30, "all of its 120 draws are correct")]
)
def test_a_pilot_without_success_or_failure_says_nothing_and_is_the_posterior_alone(successes: list[int], why: str) -> None:
    pilot = pilot_of(successes)
    assert pilot.says_nothing == why
    forecast = CurveForecast(pilot)
    assert forecast.moves(Coverage(), [16]).tolist() == [0.0]
    (found,) = forecast.coverage([16])
    assert 0 < (found.value or 0) < 1
    assert (found.high or 0) > (found.low or 0)


def test_no_draw_at_all_is_the_prior() -> None:
    pilot = pilot_of([0] * 5, 0)
    assert pilot.says_nothing == "no graded draw"
    (found,) = CurveForecast(pilot).coverage([4])
    assert (found.high or 0) - (found.low or 0) >= 0.6


def test_the_same_pilot_gives_the_same_forecast() -> None:
    first, second = (CurveForecast(pilot_of([0, 1, 3, 4] * 10)).coverage([16, 64]) for _ in range(2))
    assert first == second


def test_more_piloted_problems_narrow_the_interval() -> None:
    rates = Law(marginals=((0.3, 0.8),), correlation=0.0).rates(400, np.random.default_rng(2))[:, 0]
    successes = np.random.default_rng(3).binomial(4, rates)
    widths = []
    for n in (40, 400):
        (found,) = CurveForecast(pilot_of(successes[:n].tolist())).coverage([16])
        widths.append((found.high or 0) - (found.low or 0))
    assert widths[1] < 0.5 * widths[0]


def test_ends_are_rounded_outward_to_whole_problems_and_stay_in_range() -> None:
    found = outward(1.02, 0.451, 1.3, 10, 1.0)
    assert (found.value, found.low, found.high, found.n) == (1.0, 0.4, 1.0, 10)
    assert outward(0.1, -0.2, 0.31, 10, 1.0).low == 0.0
