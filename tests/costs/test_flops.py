from fractions import Fraction

import pytest

from isocost.costs.flops import flops_per_token, matched_samples
from isocost.errors import BudgetError


def test_two_operations_a_weight() -> None:
    assert flops_per_token(9_000_000_000) == 1.8e10


def test_published_counts_of_gemma() -> None:
    """arXiv 2408.16737: Gemma2 9B against 27B, low budget 3 to 1, high budget 30 to 10."""
    strong, weak = flops_per_token(27_000_000_000), flops_per_token(9_000_000_000)
    assert matched_samples(strong, weak) == 3
    assert matched_samples(strong, weak, 10) == 30


def test_published_counts_of_gemini() -> None:
    """arXiv 2408.16737: Gemini 1.5 Pro at $10.5 against Flash at $0.3, 35 to 1, exactly."""
    assert matched_samples(10.5, 0.3) == 35


def test_counts_are_exact_and_may_be_fractional() -> None:
    assert matched_samples(3, 7, Fraction(1, 2)) == Fraction(3, 14)


def test_costs_on_both_sides_agree() -> None:
    assert matched_samples(4.9e9, 1.3e9, 10) * Fraction(1.3e9) == Fraction(4.9e9) * 10


@pytest.mark.parametrize(("strong", "weak"), [(1, 0), (0, 1), (-1, 1)])
def test_a_free_model_cannot_be_matched(strong: float, weak: float) -> None:
    with pytest.raises(BudgetError, match="above 0"):
        matched_samples(strong, weak)
