"""Names and order of evaluations, the same in the table and the figure."""

from __future__ import annotations

from isocost.records import Evaluation


def trained_on(evaluation: Evaluation) -> str:
    """Return a row's header: the data, or the prompt of an untrained model."""
    if evaluation.cell is not None:
        return evaluation.cell
    return "untrained, plain format" if evaluation.prompt == "plain" else f"untrained, {evaluation.prompt}"


def ordered(evaluations: tuple[Evaluation, ...]) -> list[Evaluation]:
    """Sort by student and split in order of appearance, the untrained model first."""
    students = list(dict.fromkeys(item.student for item in evaluations))
    splits = list(dict.fromkeys(item.split for item in evaluations))
    return sorted(evaluations, key=lambda item: (students.index(item.student), splits.index(item.split), item.cell is not None))
