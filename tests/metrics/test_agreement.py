import numpy as np
import pytest

from isocost.metrics.agreement import agreement
from isocost.metrics.intervals import proportion
from isocost.records import Estimate
from tests.matrices import first_fast


def test_cohen_by_hand() -> None:
    """20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: 0.7 alike, 0.5 by chance, kappa 0.4 (a textbook's table)."""
    left, right = ["y"] * 25 + ["n"] * 25, ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    found = agreement(left, right)
    assert found.raw == proportion(35, 50)
    assert found.kappa.value == pytest.approx(0.4)
    assert found.kappa.n == 50
    assert found.kappa.low is not None
    assert found.kappa.high is not None
    assert (found.kappa.low, found.kappa.high) == pytest.approx((0.14, 0.63), abs=0.03)


def test_the_error_is_that_of_fleiss_cohen_and_everitt() -> None:
    """For large n: the delta method on kappa of a multinomial table, by numeric derivatives."""
    p = np.array([[0.30, 0.05, 0.02], [0.04, 0.25, 0.03], [0.01, 0.06, 0.24]])

    def kappa(q: np.ndarray) -> float:
        chance = q.sum(axis=1) @ q.sum(axis=0)
        return float((np.trace(q) - chance) / (1 - chance))

    gradient = np.zeros(p.shape)
    for i in np.ndindex(*p.shape):
        step = np.zeros(p.shape)
        step[i] = 1e-6
        gradient[i] = (kappa(p + step) - kappa(p - step)) / 2e-6
    error = np.sqrt(((p * gradient**2).sum() - (p * gradient).sum() ** 2) / 100_000)
    pairs = [pair for i in np.ndindex(*p.shape) for pair in [i] * round(100_000 * p[i])]
    found = agreement([a for a, _ in pairs], [b for _, b in pairs]).kappa
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=2e-3)


def test_perfect_agreement_is_no_certainty() -> None:
    found = agreement(["a"] * 15 + ["b"] * 5, ["a"] * 15 + ["b"] * 5)
    assert found.kappa.value == found.kappa.high == 1.0
    assert found.kappa.low is not None
    assert found.kappa.low < 0.8


def test_one_label_for_everything_has_no_kappa() -> None:
    found = agreement([True] * 9, [True] * 9)
    assert found.raw.value == 1.0
    assert found.kappa == Estimate(value=None, low=None, high=None, n=9)
    assert agreement([], []).raw.value is None


def test_one_labeller_without_a_mind_of_their_own_agrees_by_chance() -> None:
    found = agreement([True] * 10, [True] * 5 + [False] * 5)
    assert (found.raw.value, found.kappa.value) == (0.5, 0.0)


@pytest.mark.parametrize(("base", "slip"), first_fast([(0.5, 0.02), (0.24, 0.1), (0.1, 0.02)]))
@pytest.mark.parametrize("n", first_fast([20, 50]))
def test_the_interval_holds_the_truth(base: float, slip: float, n: int) -> None:
    """Both labellers slip independently on what is unsound with chance `base`."""
    rng = np.random.default_rng(n)
    alike = (1 - slip) ** 2 + slip**2
    share = base * (1 - slip) + (1 - base) * slip
    chance = share**2 + (1 - share) ** 2
    truth, held = (alike - chance) / (1 - chance), []
    for _ in range(600):
        item = rng.random(n) < base
        left, right = (item ^ (rng.random(n) < slip) for _ in range(2))
        kappa = agreement(left.tolist(), right.tolist()).kappa
        if kappa.low is not None and kappa.high is not None:
            held.append(kappa.low <= truth <= kappa.high)
    assert np.mean(held) >= 0.93 - 0.02


def test_labels_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match="pair up"):
        agreement([1], [1, 2])
