"""Problems in a JSONL file, one object per line: {"id": "a1", "question": "...", "answer": "12", "level": 3}.

Multiple choice has `choices` too, and an answer that is a letter, an option's text or an index that counts from 0:
{"question": "Which barks?", "choices": ["cat", "dog"], "answer": "B"}. It is for the grader `choice`.
With `unanswered: true` the answer may be missing, for a study whose grader is a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.errors import ProblemsError
from isocost.paths import from_home
from isocost.problems.rows import read_rows, to_problem
from isocost.records import Problem


def load(
    path: str,
    *,
    base: Path,
    id_field: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    unanswered: bool = False,
) -> Iterator[Problem]:
    """Yield the problems of a JSONL file.

    Fields without a given name are looked up under their usual names, in this order: question, problem, prompt; answer, expected_answer,
    target, reference_answer, reference, ground_truth, gold, correct_answer, final_answer, solution; id, problem_id, unique_id. Where a row
    has several, a run and a plan name the one that was read. A row without an id gets `<file name>-<line number>`. With `unanswered` a row
    may lack the answer, which is then "". Graders that compare answers reject that.

    Args:
        path: The file, relative to the study file's folder.
        base: What a relative path starts from.
        id_field: The field with the id; null means the usual names.
        question_field: The field with the question; null means the usual names.
        answer_field: The field with the reference answer; null means the usual names.
        unanswered: Accept problems without a reference answer, for `grader: {name: judge}`.

    Raises:
        ProblemsError: with file and line, a row that is not JSON, lacks question or answer, repeats an id, or has an answer outside its
            choices.
    """
    file = from_home(base, path)
    first: dict[str, str] = {}
    for where, row in read_rows(file):
        default = f"{file.stem}-{where.rpartition(':')[2]}"
        problem = to_problem(
            row,
            where,
            default_id=default,
            id_field=id_field,
            question_field=question_field,
            answer_field=answer_field,
            unanswered=unanswered,
        )
        # Reported here, with both lines, instead of by the caller, which no longer knows them.
        if problem.id in first:
            raise ProblemsError(f'{where}: id "{problem.id}" is already used in {first[problem.id]}')
        first[problem.id] = where
        yield problem
    if not first:
        raise ProblemsError(f"{file}: empty")
