"""How evaluations are named and ordered, in the table and in the figure alike."""

from __future__ import annotations

from isocost.records import Evaluation


def trained_on(evaluation: Evaluation) -> str:
    """What stands in a row's header: the data, or which untrained model this is."""
    if evaluation.cell is not None:
        return evaluation.cell
    return "untrained, plain format" if evaluation.prompt == "plain" else f"untrained, {evaluation.prompt}"


def ordered(evaluations: tuple[Evaluation, ...]) -> list[Evaluation]:
    """By student and split in the order they came, the untrained model first."""
    students = list(dict.fromkeys(item.student for item in evaluations))
    splits = list(dict.fromkeys(item.split for item in evaluations))
    return sorted(evaluations, key=lambda item: (students.index(item.student), splits.index(item.split), item.cell is not None))
