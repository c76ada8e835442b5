"""Problems without a recorded sample: refused where there is no other, else counted."""

from isocost.events import Note
from isocost.preparing.unrecorded import note_unrecorded, unrecorded_mistakes
from isocost.records import Problem

PROBLEMS = [Problem(id=id_, question=id_, answer="1") for id_ in ("a", "b", "c")]


def test_a_table_of_other_problems_is_refused_with_an_id_of_each() -> None:
    (mistake,) = unrecorded_mistakes({"weak": {"p1": 3}, "strong": {"a": 1}, "other": None}, PROBLEMS)
    assert 'models.weak: has recorded samples of none of the problems: ids of its table are such as "p1", those of' in mistake
    assert 'problems.train such as "a"' in mistake


def test_problems_that_a_table_lacks_are_counted() -> None:
    said: list[object] = []
    note_unrecorded({"weak": {"a": 3, "b": 0}, "strong": {"a": 1, "b": 1, "c": 1}, "other": None}, PROBLEMS, said.append)
    assert said == [Note(text="models.weak: no sample is recorded of 2 of 3 problems (first: b)")]
