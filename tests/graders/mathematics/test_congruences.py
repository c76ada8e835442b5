import pytest

from isocost.graders.math import MathGrader

GRADER = MathGrader()


def is_correct(reference: str, answer: str) -> bool:
    return GRADER.grade(reference, f"\\boxed{{{answer}}}").correct is True


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
