"""Names of what a forecast counts."""

from __future__ import annotations

import pytest

from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.predicting.quantities import column, counted, describe_discount, noun


@pytest.mark.parametrize(
    ("objective", "correct", "sound"),
    [
        (Coverage(), "covered", "covered by a sound solution"),
        (KeptPerProblem(4), "kept per problem, at most 4", "kept and sound per problem, at most 4"),
        (MixedGroups(8), "with a mixed group of 8", "with a mixed group of 8 that has a sound solution"),
    ],
)
def test_only_the_names_of_sound_solutions_say_so(objective: Objective, correct: str, sound: str) -> None:
    assert column(objective, sound=False) == correct
    assert column(objective, sound=True) == sound
    assert "sound" not in noun(objective, sound=False)
    assert "sound" in noun(objective, sound=True)
    assert (counted(sound=False), counted(sound=True)) == ("correct", "sound")


def test_a_discount_is_described_with_its_rates_and_none_without_one() -> None:
    assert describe_discount({}) == describe_discount({"weak": 0.0}) == ""
    found = describe_discount({"we|ak": 0.072, "strong": 0.0, "other": 0.3})
    assert found == (
        "Predicted are sound solutions: of the correct ones, 7.2% of those of we\\|ak and 30% of those of other are taken as unsound."
    )
