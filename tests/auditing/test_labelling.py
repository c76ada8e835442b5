"""How many labels are needed, before anybody labels."""

from isocost.auditing import ModelRates, needed
from isocost.metrics.intervals import proportion
from isocost.metrics.labels import labels_needed


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
