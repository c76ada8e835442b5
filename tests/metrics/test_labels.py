import numpy as np
import pytest

from isocost.metrics.intervals import independent_difference, proportion
from isocost.metrics.labels import Judge, Known, labels_needed, smallest_difference
from isocost.metrics.ppi import power_tuned_rate
from tests.matrices import first_fast

EIGHTY = Judge(sensitivity=0.8, specificity=0.8, judged=2000)


def test_a_published_sample_size() -> None:
    """0.25 against 0.40 at 5% and 80%: 152 a group without continuity correction (the usual tables')."""
    assert labels_needed(0.25, 0.40) == pytest.approx(152, abs=1)
    assert labels_needed(0.40, 0.25) == labels_needed(0.25, 0.40)


def test_the_paper_s_50_labels_could_not_tell_24_from_17_percent() -> None:
    assert labels_needed(0.24, 0.17) > 500
    assert smallest_difference(0.17, 50) == pytest.approx(0.24, abs=0.02)


@pytest.mark.parametrize(("a", "b"), first_fast([(0.30, 0.10), (0.08, 0.01), (0.24, 0.10), (0.5, 0.35)], 2))
def test_so_many_labels_tell_the_rates_apart_four_times_in_five(a: float, b: float) -> None:
    n = labels_needed(a, b)
    rng = np.random.default_rng(n)
    pairs = zip(rng.binomial(n, a, 1500), rng.binomial(n, b, 1500), strict=True)
    lows = [independent_difference(proportion(int(x), n), proportion(int(y), n)).low for x, y in pairs]
    assert 0.75 <= np.mean([low is not None and low > 0 for low in lows]) <= 0.85


def test_equal_rates_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(0)
    found = [independent_difference(proportion(int(x), 60), proportion(int(y), 60)) for x, y in rng.binomial(60, 0.15, (2000, 2))]
    apart = [d.low is not None and d.high is not None and (d.low > 0 or d.high < 0) for d in found]
    assert 0.02 <= np.mean(apart) <= 0.07


def test_a_judge_saves_labels_and_as_many_as_promised() -> None:
    n, alone = labels_needed(0.3, 0.15, judge=EIGHTY), labels_needed(0.3, 0.15)
    assert 0.65 * alone < n < 0.85 * alone
    rng = np.random.default_rng(1)
    apart = []
    for _ in range(400):
        rates = []
        for rate in (0.3, 0.15):
            y = rng.random(2000) < rate
            f = rng.random(2000) < np.where(y, 0.8, 0.2)
            rates.append(power_tuned_rate(y[:n], f[:n], f[n:]).estimate)
        low = independent_difference(*rates).low
        apart.append(low is not None and low > 0)
    assert 0.73 <= np.mean(apart) <= 0.87


@pytest.mark.parametrize("judge", [(0.5, 0.5), (0.2, 0.2), (1.0, 0.0)])
def test_a_judge_no_better_than_chance_saves_nothing(judge: tuple[float, float]) -> None:
    useless = Judge(sensitivity=judge[0], specificity=judge[1], judged=10_000)
    assert labels_needed(0.3, 0.15, judge=useless) == labels_needed(0.3, 0.15)


def test_what_labels_have_shown_of_a_judge_promises_the_same() -> None:
    """error_ratio -> rho^2 -> labels: what `Judge` says where the judge is known."""
    rng = np.random.default_rng(2)
    y = rng.random(40_000) < 0.3
    f = rng.random(40_000) < np.where(y, 0.8, 0.2)
    found = power_tuned_rate(y[:10_000], f[:10_000], f[10_000:])
    known = Known.of(found.error_ratio, 10_000, 40_000)
    assert known.share == pytest.approx(EIGHTY.explained(0.3), abs=0.02)
    assert Known.of(0.9, 50, 50).share == 0.0
    assert Known.of(0.0, 49, 50).share == 1.0


def test_few_judged_items_help_little() -> None:
    few = Judge(sensitivity=1.0, specificity=1.0, judged=60)
    assert labels_needed(0.3, 0.15, judge=few) == labels_needed(0.3, 0.15)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.24, 0.6])
def test_the_smallest_difference_is_the_reverse(rate: float) -> None:
    for labels in (40, 300):
        gap = smallest_difference(rate, labels)
        assert gap is not None
        assert labels_needed(rate, rate + gap) == pytest.approx(labels, abs=1)


def test_too_few_labels_tell_nothing_apart() -> None:
    assert smallest_difference(0.5, 2) is None


@pytest.mark.parametrize("call", [
    lambda: labels_needed(0.2, 0.2),
    lambda: labels_needed(0.2, 1.2),
    lambda: labels_needed(0.2, 0.2 + 1e-7),
    lambda: labels_needed(0.2, 0.3, judge=Judge(sensitivity=1.5, specificity=1, judged=5)),
    lambda: labels_needed(0.2, 0.3, judge=Known(share=1.5, judged=5)),
    lambda: smallest_difference(1.0, 50),
    lambda: smallest_difference(0.5, 0),
])  # fmt: skip
def test_senseless_questions_are_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"rate|sensitivity"):
        call()
