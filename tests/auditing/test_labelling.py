"""How many labels are needed, and what those given have shown."""

from math import ceil

import pytest

from isocost.auditing import FEWEST_LABELS, SUPPOSED, ModelRates, differences, needed
from isocost.metrics.intervals import independent_difference, proportion
from isocost.metrics.labels import Judge, Known, labels_needed


def rates(model: str, unsound: int, of: int) -> ModelRates:
    return ModelRates(model=model, solved=of, chosen=of, rates={"steps": proportion(unsound, of)}, best="steps")


def test_the_answer_is_that_of_the_two_proportion_formula() -> None:
    (found,) = needed([rates("weak", 24, 100), rates("strong", 17, 100)])
    assert (found.models, found.guesses, found.labels) == (("weak", "strong"), (0.24, 0.17), labels_needed(0.24, 0.17))
    assert found.apart is not None
    assert labels_needed(0.17, 0.17 + found.apart) <= 101


def test_rates_that_are_alike_have_no_number() -> None:
    (found,) = needed([rates("weak", 5, 50), rates("strong", 5, 50)])
    assert found.labels is None
    assert found.apart is not None


def test_every_two_models_with_a_rate() -> None:
    found = needed([rates("a", 1, 50), rates("b", 9, 50), rates("c", 0, 0), rates("d", 50, 50)])
    assert [each.models for each in found] == [("a", "b"), ("a", "d"), ("b", "d")]
    assert needed([rates("a", 50, 50), rates("b", 50, 50)])[0].apart is None


def judged(model: str, unsound: int, of: int) -> ModelRates:
    return ModelRates(model=model, solved=of, chosen=of, rates={"judge": proportion(unsound, of)}, best="judge")


def labelled(model: str, unsound: int, of: int, error_ratio: float) -> ModelRates:
    rate = proportion(unsound, of)
    return ModelRates(
        model=model, solved=1000, chosen=1000, rates={"combined": rate}, best="combined", predictor="judge", error_ratio=error_ratio
    )


def test_a_judge_that_nobody_has_checked_is_supposed_to_be_good() -> None:
    (found,) = needed([judged("weak", 240, 1000), judged("strong", 170, 1000)])
    good = Judge(sensitivity=SUPPOSED, specificity=SUPPOSED, judged=1000)
    assert found.labels is not None
    assert found.with_judge == labels_needed(0.24, 0.17, judge=good) < found.labels


def test_of_a_judge_that_was_checked_that_much_is_counted_on_as_it_helped_the_model_that_it_helped_least() -> None:
    (found,) = needed([labelled("weak", 24, 100, 0.8), labelled("strong", 17, 100, 0.9)])
    least = Known.of(0.9, 100, 1000)
    assert least.share == pytest.approx((1 - 0.81) / 0.9)
    assert found.with_judge == labels_needed(0.24, 0.17, judge=least)
    (useless,) = needed([labelled("weak", 24, 100, 0.8), labelled("strong", 17, 100, 1.0)])
    assert useless.with_judge == useless.labels


def test_steps_alone_promise_nothing() -> None:
    assert needed([rates("weak", 24, 100), rates("strong", 17, 100)])[0].with_judge is None


def test_differences_are_those_of_rates_of_one_method() -> None:
    found = differences([labelled("weak", 24, 100, 0.8), judged("strong", 170, 1000), rates("none", 0, 0)])
    assert [(each.models, each.difference) for each in found] == [(("weak", "strong"), None)]
    same = differences([labelled("weak", 24, 100, 0.8), labelled("strong", 170, 1000, 0.9)])
    assert same[0].difference == independent_difference(proportion(24, 100), proportion(170, 1000))


def test_as_many_labels_are_named_as_a_combined_rate_needs() -> None:
    (far,) = needed([rates("weak", 7, 100), rates("strong", 50, 100)])
    assert labels_needed(0.07, 0.5) < FEWEST_LABELS == far.labels
    (few,) = needed([rates("weak", 0, 20), rates("strong", 18, 20)])
    assert (few.labels, few.in_order) == (20, 40)  # all that is chosen


def test_labels_of_each_are_more_in_the_order_of_the_page() -> None:
    """By the model with fewer chosen, and over all models: the page tells none."""
    (found,) = needed([labelled("tiny", 60, 100, 0.5), judged("strong", 10, 300)])
    assert found.labels is not None
    assert found.labels < 300
    assert found.in_order == ceil(found.labels * (1000 + 300) / 300)
    three = needed([rates("a", 45, 50), rates("b", 3, 50), rates("c", 0, 200)])
    few = next(each for each in three if each.models == ("a", "b"))
    assert few.labels is not None
    assert (few.in_order, few.with_judge_in_order) == (6 * few.labels, None)
    (many,) = needed([rates("a", 5, 50), rates("b", 7, 50)])
    assert many.labels is not None
    assert many.labels > 50
    assert many.in_order is None  # there are not so many
