import pytest

from isocost.errors import InputError
from isocost.graders import load_grader
from isocost.graders.base import AnswerGrader, Grader
from isocost.graders.conventions import Conventions


def judged(name: str, reference: str, answer: str, **options: object) -> bool | None:
    return load_grader(name, options).grade(reference, f"The answer is \\boxed{{{answer}}}.").correct


@pytest.mark.parametrize("grader", ["number", "math"])
@pytest.mark.parametrize(
    ("reference", "answer", "forgive", "ignore", "require"),
    [
        ("5", "5 cm", True, True, False),
        ("5 cm", "5", True, True, False),
        ("5 cm", "5\\text{ cm}", True, True, True),
        ("5 cm", "5 m", False, True, False),
        ("5 m", "500 cm", True, False, True),
        ("2 hours", "120 minutes", True, False, True),
        ("3 feet", "1 yard", True, False, True),
        ("5 cm", "5 kg", False, True, False),
    ],
)
def test_units(grader: str, reference: str, answer: str, forgive: bool, ignore: bool, require: bool) -> None:
    found = [judged(grader, reference, answer, units=units) for units in ("forgive", "ignore", "require")]
    assert found == [forgive, ignore, require]


@pytest.mark.parametrize("grader", ["number", "math"])
@pytest.mark.parametrize(
    ("reference", "answer", "forgive", "value"),
    [
        ("50", "50\\%", True, False),
        ("50\\%", "50", True, False),
        ("50\\%", "0.5", True, True),
        ("0.5", "50\\%", True, True),
        ("50\\%", "50\\%", True, True),
        ("50", "0.5", False, False),
        ("50\\%", "5", False, False),
    ],
)
def test_percent(grader: str, reference: str, answer: str, forgive: bool, value: bool) -> None:
    assert [judged(grader, reference, answer, percent=percent) for percent in ("forgive", "value")] == [forgive, value]


def test_order() -> None:
    assert judged("math", "1, 2", "2, 1") is True
    assert judged("math", "1, 2", "2, 1", order="given") is False
    assert judged("math", "(1, 2)", "(2, 1)") is False


def test_what_differs_from_the_defaults_is_part_of_the_version() -> None:
    assert Conventions().suffix == ""
    assert load_grader("math").version != load_grader("math", {"order": "given"}).version
    assert load_grader("math", {"order": "given", "units": "ignore"}).version.endswith("+order=given+units=ignore")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"order": "none"}, "order is one of any, given, not 'none'"), ({"ordr": "any"}, 'did you mean "order"'), ({"zzz": 1}, "known: ")],
)
def test_options_that_are_none_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_grader("math", options)


@pytest.mark.parametrize("name", ["number", "math", "exact", "choice"])
def test_every_grader_keeps_the_contract(name: str) -> None:
    grader = load_grader(name)
    assert isinstance(grader, Grader)
    assert isinstance(grader, AnswerGrader)
    assert grader.settle("B", None) is not None
    assert grader.gold("7") is not None


@pytest.mark.parametrize("grader", ["number", "math"])
@pytest.mark.parametrize(
    ("reference", "answer", "same"),
    [
        ("212^\\circ F", "100^\\circ C", True),
        ("-40^\\circ C", "-40^\\circ F", True),
        ("300\\text{ kelvin}", "26.85^\\circ C", True),
        ("100^\\circ C", "100^\\circ F", False),
        ("0^\\circ C", "0\\text{ kelvin}", False),
    ],
)
def test_temperatures_are_converted(grader: str, reference: str, answer: str, same: bool) -> None:
    if grader == "number":  # which reads no signs of degrees
        reference, answer = (text.replace("^\\circ F", " fahrenheit").replace("^\\circ C", " celsius") for text in (reference, answer))
    assert judged(grader, reference, answer) is same
