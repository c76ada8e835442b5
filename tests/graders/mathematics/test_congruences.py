import time

import pytest

from isocost.graders.mathematics.congruences import congruence
from tests.graders.mathematics.boxed import GRADER, is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x\\equiv5\\pmod7", "x\\equiv12\\pmod7"),
        ("x\\equiv5\\pmod{7}", "x\\equiv-2\\pmod{7}"),
        ("x\\equiv 5 \\mod 7", "x \\equiv 5 \\pmod 7"),
        ("x\\equiv5\\pmod7", "x\\equiv 5 (\\bmod 7)"),
        ("n\\equiv1\\pmod4", "n\\equiv 5\\pmod 4"),
        ("x \\equiv 1, 3 \\pmod 4", "x\\equiv 3,1\\pmod 4"),
    ],
)
def test_residues_are_compared_modulo_the_modulus(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x\\equiv5\\pmod7", "x\\equiv4\\pmod7"),
        ("x\\equiv5\\pmod7", "x\\equiv5\\pmod8"),
        ("x\\equiv5\\pmod7", "y\\equiv5\\pmod7"),
        ("x\\equiv 3 \\pmod 4", "x \\equiv 7\\pmod 8"),
    ],
)
def test_other_residues_moduli_or_names_differ(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x\\equiv5\\pmod7", "x\\equiv 5 \\text{ (mod 7)}"),
        ("x\\equiv 1 \\text{ or } 3 \\pmod 8", "x \\equiv 11, \\text{ or } 1 \\text{ modulo } 8"),
    ],
)
def test_the_modulus_may_be_in_words(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    "answer",
    [
        "x \\equiv " + ", ".join(["1", "7", "11"] * 12) + " \\pmod{60} \\text{ for } x > 0",
        "x \\equiv " + ", ".join(["1"] * 45),
        "x \\equiv " + " or ".join(["-  3"] * 45) + " modulo 60 and so on",
        "x \\equiv " + " \\text{ or } ".join(["5"] * 45) + " \\text{ mod } x",
        "x \\equiv " + ", and ".join(["5"] * 45) + " " * 400 + "y",
        "x \\equiv " + ", " * 400 + "5",
    ],
)
def test_many_residues_before_an_end_that_does_not_match_take_no_time(answer: str) -> None:
    started = time.process_time()
    congruence(answer)
    GRADER.settle("x=5", answer)
    GRADER.settle(answer, "x=5")
    assert time.process_time() - started < 1
