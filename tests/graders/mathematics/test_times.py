import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1:10", "1/10"),
        ("\\frac5{12}", "5:12"),
        ("5:8", "10:16"),
        ("2:15", "\\frac{2}{15}"),
        ("1:2", "1/2"),
        ("10:15", "2:3"),
        ("3:20", "3 : 20"),
        ("12:30", "12:30:00"),
        ("8:34 \\text{ pm}", "20:34"),
        ("5:12", "0.41666666"),
    ],
)
def test_a_ratio_may_look_like_a_time(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("3:20", "6:40"),
        ("5:12", "10:24"),
        ("1:12", "2:24"),
    ],
)
def test_a_ratio_in_lowest_terms_is_answered_by_its_multiples(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3:20", "6:41"),
        ("12:30", "1:00"),
        ("12:00", "1:00"),
        ("3:30 \\text{ pm}", "7:00"),
        ("08:15", "16:30"),
        ("3:20 pm", "6:40 pm"),
        ("06:40", "03:20"),
        ("5:12", "12:5"),
        ("3:00", "6:00"),
        ("2:30", "5:00"),
        ("12:00", "24:00"),
        ("09:30", "19:00"),
        ("10:30 am", "1/3"),
        ("4:00", "2:00"),
        ("1:15", "2:30"),
        ("7:30", "15:00"),
        ("06:40", "3:20"),
    ],
)
def test_two_times_are_not_one_because_they_are_proportional(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)
