"""Whole numbers in English words."""

import pytest

from isocost.graders.spelled import leading_number, spelled_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zero", 0),
        ("seventeen", 17),
        ("twenty-five", 25),
        ("Twenty Five", 25),
        ("one hundred and five", 105),
        ("a hundred", 100),
        ("minus three", -3),
        ("two thousand three hundred", 2300),
        ("one million and one", 1_000_001),
        *(
            (text, None)
            for text in ("", "a", "and", "minus", "blue", "two one", "twenty and one", "one and two", "five hundred hundred", "a and")
        ),
    ],
)
def test_numbers_and_nothing_else(text: str, value: int | None) -> None:
    assert spelled_number(text) == value


def test_the_rest_of_a_text_follows() -> None:
    assert leading_number("twenty-five apples") == (25, " apples")
    assert leading_number("tenth") is None
    assert leading_number("apples") is None
