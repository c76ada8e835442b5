import pytest

from isocost.graders.mathematics.agreement import equal
from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.ranges import as_range
from isocost.graders.mathematics.shapes import UnreadableError, parse_answer
from isocost.graders.mathematics.tidy import tidy
from isocost.graders.mathematics.units import read_unit


def shape(text: str) -> Answer:
    return parse_answer(tidy(text))


def same_text(gold: Answer, answer: Answer) -> bool:
    return gold.text == answer.text


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("1, 2 and 3", "list", ["1", "2", "3"]),
        ("\\{1, 2\\}", "set", ["1", "2"]),
        ("(1, 2]", "ordered", ["1", "2"]),
        ("]1, 2[", "ordered", ["1", "2"]),
        ("x > 5", "ordered", ["5", "\\infty"]),
        ("\\{x \\mid x \\ge 5\\}", "ordered", ["5", "\\infty"]),
        ("3:4", "ordered", ["3", "4"]),
        ("x = 1, y = 2", "list", ["1", "2"]),
        ("1 \\pm x", "list", ["1 + x", "1 - x"]),
        ("12,345", "value", []),
        ("\\text{no solution}", "words", []),
        ("three", "value", []),
        ("20:34", "time", ["74040"]),
    ],
)
def test_shapes(text: str, kind: str, parts: list[str]) -> None:
    found = shape(text)
    assert found.kind == kind
    assert [" ".join(part.text.split()) for part in found.parts] == parts


def test_a_matrix_has_rows() -> None:
    found = shape("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}")
    assert [[cell.text for cell in row.parts] for row in found.parts] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("5 \\text{ cm}^2", "5", "cm^2"),
        ("\\frac{1}{3} meters", "\\frac{1}{3}", "meters"),
        ("125\\textnormal{ miles per hour}", "125", "miles per hour"),
        ("74^\\circ", "74", "degrees"),
    ],
)
def test_units_are_taken_off(text: str, number: str, unit: str) -> None:
    found = shape(text)
    assert (found.text, found.unit) == (number, read_unit(unit))


def test_lists_in_lists_end() -> None:
    with pytest.raises(UnreadableError):
        parse_answer("(1," * 50 + "2" + ")" * 50)


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("x < 3", [("-\\infty", "3", "()")]),
        ("3 \\ge x", [("-\\infty", "3", "(]")]),
        ("1 < x \\le 2", [("1", "2", "(]")]),
        ("2 \\ge x > 1", [("1", "2", "(]")]),
        ("|x| < 3", [("-3", "3", "()")]),
        ("1 \\le |z| < 2", [("-2", "-1", "(]"), ("1", "2", "[)")]),
    ],
)
def test_ranges(text: str, intervals: list[tuple[str, str, str]]) -> None:
    assert list(as_range(text) or ()) == intervals


@pytest.mark.parametrize("text", ["x", "1 < x > 2", "1 < x < x + 1", "x + y < 3", "x = 3", "-x > -1"])
def test_other_texts_are_no_range(text: str) -> None:
    assert as_range(text) is None


@pytest.mark.parametrize(
    ("gold", "answer", "any_order", "given_order"),
    [
        ("1, 2, 3", "3, 1, 2", True, False),
        ("1, 2", "1, 2", True, True),
        ("(1, 2)", "(2, 1)", False, False),
        ("1, 1, 2", "1, 2, 2", False, False),
        ("\\{1, 2\\}", "\\{2, 1\\}", True, False),
    ],
)
def test_order(gold: str, answer: str, any_order: bool, given_order: bool) -> None:
    assert equal(shape(gold), shape(answer), same_text) is any_order
    assert equal(shape(gold), shape(answer), same_text, any_order=False) is given_order
