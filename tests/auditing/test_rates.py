"""Rates by steps, judge, people and all together; a judge that is biased must not bias what people say."""

from collections.abc import Sequence

import numpy as np
import pytest

from isocost.auditing import FEWEST_LABELS, Found, agreements, false_positive_rate, mixed_rate, model_rates
from isocost.metrics.intervals import proportion
from isocost.records import Chosen
from tests.matrices import first_fast

SETS = 600


def one(i: int, model: str = "m", weight: float = 1.0, **said: bool | None) -> Found:
    chosen = Chosen(sample_id=f"s{i}", model=model, problem_id=f"p{i}", sample_index=0, stratum="", weight=weight, place=i)
    return Found(chosen=chosen, **said)  # type: ignore[arg-type]


def test_each_way_has_a_rate_over_what_it_could_check() -> None:
    found = [one(i, steps=None if i < 4 else i > 5, judge=None if i == 0 else i > 9) for i in range(20)]
    (rates,) = model_rates(found)
    assert (rates.solved, rates.chosen, rates.best, rates.predictor) == (20, 20, "judge", None)
    by_steps, by_judge = rates.rates["steps"], rates.rates["judge"]
    assert (by_steps.value, by_steps.n, by_steps.n_ungraded) == (2 / 16, 16, 4)
    assert (by_judge.value, by_judge.n, by_judge.n_ungraded) == (9 / 19, 19, 1)
    assert by_steps.low == pytest.approx(proportion(2, 16).low)
    assert rates.rate == by_judge


def test_weights_bring_levels_back() -> None:
    found = [one(i, weight=9.0, steps=i > 0) for i in range(10)] + [one(10 + i, weight=1.0, steps=i > 4) for i in range(10)]
    (rates,) = model_rates(found)
    assert rates.solved == 100
    assert rates.rates["steps"].value == pytest.approx(0.9 * 0.1 + 0.1 * 0.5)


def test_nothing_to_check_is_said() -> None:
    (rates,) = model_rates([one(0, steps=None)])
    assert (rates.rate.value, rates.rate.n, rates.rate.n_ungraded) == (None, 0, 1)


@pytest.mark.parametrize(("labels", "best"), [(0, "steps"), (2, "steps"), (FEWEST_LABELS - 1, "steps"), (FEWEST_LABELS, "combined")])
def test_few_labels_do_not_replace_the_rate_of_the_checks(labels: int, best: str) -> None:
    found = [one(i, steps=i > 6, people=i > 0 if i < labels else None) for i in range(300)]
    (rates,) = model_rates(found)
    assert (rates.best, rates.predictor) == (best, "steps" if best == "combined" else None)
    assert ("people" in rates.rates, "combined" in rates.rates) == (labels > 0, best == "combined")
    assert rates.rate == rates.rates[best]
    assert rates.error_ratio == 1.0 or best == "combined"
    if labels:
        assert (rates.rates["people"].value, rates.rates["people"].n) == (pytest.approx(1 / labels), labels)


def test_labels_of_all_that_is_chosen_are_enough() -> None:
    found = [one(i, steps=True, people=i > 0 if i < 9 else None, undecided=i == 9) for i in range(10)]
    (rates,) = model_rates(found)
    assert (rates.best, rates.rate.value, rates.rate.n, rates.rate.n_ungraded) == ("combined", 1 / 9, 9, 1)
    assert model_rates([*found, one(10, steps=True)])[0].best == "steps"


def test_one_label_is_used_where_the_checks_found_nothing_to_read() -> None:
    (rates,) = model_rates([one(i, people=False if i == 3 else None) for i in range(40)])
    assert (rates.best, rates.rate.value, rates.rate.n) == ("combined", 1.0, 1)


def test_thirty_labels_leave_no_end_further_than_seventeen_points() -> None:
    """`FEWEST_LABELS`, its comment and docs/audits.md say so."""
    for unsound in range(FEWEST_LABELS + 1):
        rate = proportion(unsound, FEWEST_LABELS)
        assert rate.low is not None
        assert rate.high is not None
        assert (rate.high - rate.low) / 2 < 0.17
    assert proportion(0, FEWEST_LABELS).high == pytest.approx(0.12, abs=0.01)


def test_what_people_could_not_decide_is_counted_and_left_out() -> None:
    found = [one(i, steps=True, people=i > 11 if i < 40 else None, undecided=40 <= i < 42) for i in range(90)]
    (rates,) = model_rates(found)
    assert (rates.rates["people"].value, rates.rates["people"].n, rates.rates["people"].n_ungraded) == (0.3, 40, 2)
    assert rates.rate.n_ungraded == 2


def test_models_keep_their_order_and_their_own_rates() -> None:
    found = [one(i, model="weak" if i % 2 else "strong", steps=i % 4 != 1) for i in range(40)]
    rates = {each.model: each.rate.value for each in model_rates(found)}
    assert list(rates) == ["strong", "weak"]
    assert rates == {"strong": 0.0, "weak": 0.5}


def simulate(judge: Sequence[float], *, rate: float, labels: int, silent: float = 0.0, seed: int = 0) -> tuple[float, float, float]:
    """Mean error and share held of the combined rate, and the mean rate of the judge, over data sets of one model of 300 solutions.

    `judge`: chance to call a sound solution unsound, and an unsound one. `silent`: chance that it says nothing, of unsound ones twice that.
    """
    rng = np.random.default_rng(seed)
    errors, held, judged = [], [], []
    weights = np.where(np.arange(300) < 150, 1.5, 0.5)
    for _ in range(SETS):
        unsound = rng.random(300) < np.where(weights > 1, rate * 0.8, rate * 1.6)
        truth = float(np.average(np.where(weights > 1, rate * 0.8, rate * 1.6), weights=weights))
        flagged = rng.random(300) < np.where(unsound, judge[1], judge[0])
        quiet = rng.random(300) < np.where(unsound, 2 * silent, silent)
        labelled = set(rng.permutation(300)[:labels].tolist())
        found = [
            one(
                i,
                weight=float(weights[i]),
                steps=None if quiet[i] else not flagged[i],
                people=not unsound[i] if i in labelled else None,
            )
            for i in range(300)
        ]
        (rates,) = model_rates(found)
        estimate = rates.rate
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        errors.append(estimate.value - truth)
        held.append(estimate.low <= truth <= estimate.high)
        judged.append(rates.rates["steps"].value or 0.0)
    return float(np.mean(errors)), float(np.mean(held)), float(np.mean(judged))


@pytest.mark.parametrize(
    ("judge", "silent"),
    first_fast(
        [
            ((0.05, 0.9), 0.0),  # good
            ((0.6, 0.95), 0.0),  # finds fault with most
            ((0.0, 0.1), 0.0),  # finds next to nothing
            ((0.5, 0.1), 0.0),  # worse than chance
            ((0.05, 0.6), 0.3),  # silent on many, and more often on the unsound
        ]
    ),
)
def test_a_biased_judge_cannot_bias_the_combined_rate(judge: tuple[float, float], silent: float) -> None:
    rate = 0.2
    error, held, judged = simulate(judge, rate=rate, labels=60, silent=silent)
    noise = (rate * (1 - rate) / 60 / SETS) ** 0.5
    assert abs(error) < 5 * noise  # the judge's own rate is off by up to 40 points
    assert held > 0.92
    if judge in ((0.6, 0.95), (0.0, 0.1)):
        assert abs(judged - rate) > 0.15


def test_a_good_judge_narrows_the_rate() -> None:
    rng = np.random.default_rng(0)
    unsound = rng.random(500) < 0.25
    judge = np.where(rng.random(500) < 0.1, ~unsound, unsound)
    found = [one(i, steps=None, judge=not judge[i], people=not unsound[i] if i < 60 else None) for i in range(500)]
    (rates,) = model_rates(found)
    people, both = rates.rates["people"], rates.rate
    assert rates.predictor == "judge"
    assert rates.error_ratio < 0.85
    assert (both.high or 1) - (both.low or 0) < 0.85 * ((people.high or 1) - (people.low or 0))


def test_agreement_is_over_what_both_said() -> None:
    found = [one(i, steps=i % 2 == 0 if i < 8 else None, people=i % 4 == 0 if i < 6 else None) for i in range(12)]
    agreed = agreements(found)
    assert set(agreed) == {"steps"}
    assert (agreed["steps"].raw.value, agreed["steps"].raw.n) == (pytest.approx(5 / 6), 6)
    assert agreements([one(0, steps=True)]) == {}


def test_a_cell_of_one_model_has_the_plain_rate() -> None:
    audits = [True, True, False, None]
    found = mixed_rate({"m": audits}, {"m": 40})
    plain = false_positive_rate(audits)
    assert (found.value, found.n, found.n_ungraded) == (plain.value, plain.n, plain.n_ungraded) == (1 / 3, 3, 1)
    assert (found.low, found.high) == (pytest.approx(plain.low), pytest.approx(plain.high))


def test_models_of_a_cell_weigh_as_what_they_solved() -> None:
    found = mixed_rate({"a": [False] * 10, "b": [True] * 10, "c": [None]}, {"a": 90, "b": 10, "c": 50})
    assert found.value == pytest.approx(0.9)
    assert (found.n, found.n_ungraded) == (20, 1)
    assert mixed_rate({}, {}).value is None
