"""What `isocost verify` prints at the end."""

from isocost.records import Outcome, Pair, Verdict
from isocost.verifying.lines import BAD_LINE, Line
from isocost.verifying.summary import Summary


def line(number: int, reference: str = "7", complaint: str = "") -> Line:
    pair = None if complaint else Pair(key=str(number), reference=reference, generation="")
    return Line(number=number, raw=b"", row={}, kept=b"", pair=pair, complaint=complaint)


def ungraded(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason=reason)


CORRECT = Verdict(outcome=Outcome.CORRECT, predicted_answer="7", reason="")


def test_reasons_of_one_kind_are_one_note_that_names_the_first_line() -> None:
    summary = Summary(grader="number")
    for number, message in enumerate(("ValueError: a", "ValueError: b"), start=3):
        summary.count(line(number), ungraded(f"error: {message}"))
    assert summary.notes("f.jsonl") == ["f.jsonl:3: is ungraded (error: ValueError: a); 2 lines like it"]


def test_bad_lines_are_counted_and_have_no_note() -> None:
    summary = Summary(grader="number")
    summary.count(line(1, complaint="not JSON"), BAD_LINE)
    assert summary.notes("f.jsonl") == []
    assert "bad_line 1" in str(summary)


def test_only_a_file_without_one_graded_line_is_a_failure() -> None:
    summary = Summary(grader="number")
    assert summary.failure() is None
    summary.count(line(1, reference="seven"), ungraded("bad_reference"))
    assert summary.failure() == "no line could be graded; choose another --grader or correct the references"
    summary.count(line(2), CORRECT)
    assert summary.failure() is None
