"""Verdicts of the grader `math` on answers in a box."""

from __future__ import annotations

from isocost.graders.math import MathGrader

GRADER = MathGrader()


def is_correct(reference: str, answer: str) -> bool:
    """Return True if the boxed answer is graded correct."""
    return GRADER.grade(reference, f"\\boxed{{{answer}}}").correct is True
