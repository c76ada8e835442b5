"""Difficulty of problems, read from their fields."""

import pytest

from isocost.events import Note
from isocost.preparing.difficulty import difficulty_labels, difficulty_mistakes, note_unlabelled
from isocost.records import Problem
from tests.builders import study
from tests.running.adaptive import best


def problem(id_: str, **fields: str | float) -> Problem:
    return Problem(id=id_, question="?", answer="1", metadata=fields)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (-1.5, -1.5),
        (0, 0.0),
        ("Level 3", 3.0),
        ("Level-3", 3.0),
        ("-0.25", -0.25),
        ("+.5 nats", 0.5),
        ("1e-3", 0.001),
        ("hard", None),
        ("3 of 5", None),
        ("", None),
        (float("nan"), None),
        (float("inf"), None),
        ("9" * 400, None),
    ],
)
def test_a_label_is_a_number_or_the_only_number_in_a_text(value: str | float, number: float | None) -> None:
    assert difficulty_labels("level", [problem("p", level=value)]) == ({} if number is None else {"p": number})


def test_without_a_field_there_are_no_labels() -> None:
    assert difficulty_labels(None, [problem("p", level=3)]) == {}
    assert difficulty_labels("level", [problem("p", grade=3)]) == {}


def test_a_field_without_any_number_is_a_mistake_that_names_the_fields() -> None:
    made = study(arms=best(difficulty="subject"))
    (said,) = difficulty_mistakes(made, [problem("p", subject="algebra", level=3)])
    assert said == 'arms.best.difficulty: no training problem has a number in a field "subject"\n  their fields: subject, level'
    assert list(difficulty_mistakes(made, [problem("p", subject="algebra"), problem("q", subject="part 2")])) == []


def test_a_note_for_each_arm_with_unlabelled_problems() -> None:
    notes: list[object] = []
    made = study(arms=best(difficulty="level") | {"weak": {"models": ["weak"]}})
    note_unlabelled(made, [problem("p", level=1), problem("q"), problem("r", level="?")], notes.append)
    assert notes == [
        Note(text='arms.best.difficulty: 2 of 3 problems have no number in "level" (first: q); they count as of unknown difficulty')
    ]
    note_unlabelled(made, [problem("p", level=1)], notes.append)
    assert len(notes) == 1
