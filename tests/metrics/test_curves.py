import numpy as np
import pytest

from isocost.metrics.coverage import coverage_at_k, coverage_curve
from isocost.metrics.curves import Curve, coverage_at, crossover, curve_ks


def curve(values: list[list[float]], cost: float) -> Curve:
    return Curve(ks=np.arange(1, len(values[0]) + 1), values=np.array(values), cost=np.full(len(values), cost))


CHEAP = curve([[0.4, 0.5, 0.5, 0.5, 0.5, 0.5]] * 3, 1.0)
DEAR = curve([[0.3, 0.9]] * 3, 3.0)


def test_a_crossover_by_hand() -> None:
    """At 3 the dear one has 0.3, at 6 0.9; the cheap one 0.5 from 2 on: level at 4."""
    found = crossover(CHEAP, DEAR)
    assert (found.ahead, found.reach, found.absent, found.n) == ("right", 6.0, 0.0, 3)
    assert [found.value, found.low, found.high] == pytest.approx([4.0] * 3)


def test_the_sides_may_be_swapped() -> None:
    found = crossover(DEAR, CHEAP)
    assert (found.ahead, found.value) == ("left", pytest.approx(4.0))


def test_ahead_from_the_start_crosses_at_nothing() -> None:
    found = crossover(curve([[0.9, 0.95]] * 2, 1.0), curve([[0.1, 0.2]] * 2, 1.0))
    assert (found.ahead, found.value, found.low, found.high) == ("left", 0.0, 0.0, 0.0)


def test_level_curves_have_no_crossover() -> None:
    found = crossover(CHEAP, CHEAP)
    assert (found.ahead, found.value, found.absent) == (None, None, 1.0)


def test_the_last_of_several_crossings_counts() -> None:
    wavy = curve([[0.1, 0.6, 0.6, 0.9]] * 2, 1.0)
    plain = curve([[0.3, 0.4, 0.7, 0.7]] * 2, 1.0)
    assert crossover(wavy, plain).value == pytest.approx(3 + 1 / 3)


def test_what_is_beyond_the_reach_is_not_guessed() -> None:
    """One problem in four carries the dear model's lead: many resamples lack it."""
    cheap = curve([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.0, 0.0]], 1.0)
    dear = curve([[0.4, 0.45], [0.4, 0.45], [0.4, 0.45], [0.4, 0.9]], 1.0)
    found = crossover(cheap, dear)
    assert found.ahead == "right"
    assert found.value is not None
    assert 0.2 < found.absent < 0.45  # (3/4)^4 = 0.32
    assert found.high is None
    assert found.low is not None
    assert crossover(cheap, dear) == found


def test_costs_are_resampled_with_their_problems() -> None:
    cost = np.array([1.0, 1.0, 9.0])
    spread = Curve(ks=CHEAP.ks, values=CHEAP.values, cost=cost)
    found = crossover(spread, DEAR)
    assert found.low is not None
    assert found.low < crossover(Curve(ks=CHEAP.ks, values=CHEAP.values, cost=np.full(3, cost.mean())), DEAR).reach


@pytest.mark.slow
@pytest.mark.parametrize("n", [60])
def test_the_interval_holds_the_true_crossover(n: int) -> None:
    """Weak solves 45% of problems at 30% a draw for 1, strong 90% at 12% for 2; 300 repetitions tell 95% from 90%."""
    rng, ks = np.random.default_rng(0), np.arange(1, 61)
    truth = [0.45 * (1 - 0.7**ks), 0.9 * (1 - 0.88**ks)]
    exact = crossover(*(Curve(ks=ks, values=t[None], cost=np.ones(1) * c) for t, c in zip(truth, (1, 2), strict=True)), draws=1).value
    assert exact is not None
    held = 0
    for _ in range(300):
        rates = [rng.choice([0.3, 0.0], n, p=[0.45, 0.55]), rng.choice([0.12, 0.0], n, p=[0.9, 0.1])]
        correct = [rng.binomial(60, rate) for rate in rates]
        curves = [
            Curve(ks=ks, values=coverage_curve(np.full(n, 60), c, ks), cost=np.full(n, float(cost)))
            for c, cost in zip(correct, (1, 2), strict=True)
        ]
        found = crossover(*curves, draws=200)
        low, high = found.low or 0.0, float("inf") if found.high is None else found.high
        held += found.ahead == "right" and low <= exact <= high
    assert held / 300 >= 0.92


def test_a_fraction_of_a_draw_is_what_planning_buys() -> None:
    drawn, correct = [10, 10], [1, 5]
    ends = [coverage_at_k(drawn, correct, k) for k in (2, 3)]
    np.testing.assert_allclose(coverage_at(drawn, correct, 2.25), 0.75 * ends[0] + 0.25 * ends[1])
    np.testing.assert_allclose(coverage_at(drawn, correct, 0.5), [0.05, 0.25])
    np.testing.assert_array_equal(coverage_at(drawn, correct, 10), [1.0, 1.0])


def test_long_curves_are_worked_out_at_few_points() -> None:
    assert curve_ks(5).tolist() == [1, 2, 3, 4, 5]
    ks = curve_ks(50_000)
    assert ks[0] == 1
    assert ks[-1] == 50_000
    assert ks.size < 450
    assert np.all(np.diff(ks) <= 1 + 0.02 * ks[:-1])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (CHEAP, curve([[0.1]], 1.0)),
        (CHEAP, Curve(ks=DEAR.ks, values=DEAR.values, cost=np.zeros(3))),
        (Curve(ks=np.arange(0), values=np.empty((3, 0)), cost=np.ones(3)), DEAR),
    ],
)
def test_curves_that_cannot_be_compared_are_refused(left: Curve, right: Curve) -> None:
    with pytest.raises(ValueError, match=r"same problems|cost something|one draw"):
        crossover(left, right)
