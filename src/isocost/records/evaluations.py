"""Evaluations of students, and paired comparisons of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isocost.records.estimates import Estimate

Setup = Literal["distillation", "self-improvement", "weak-to-strong improvement", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The score of one trained or untrained model on one problem set.

    Attributes:
        student: The model's name in the study.
        cell: The cell whose data it was trained on; None for untrained.
        prompt: `plain` (the prompt of trained models) or the few-shot template's name.
        split: `test`, `transfer` or `validation`.
        metric: `pass@1` (greedy) or `maj@4` and so on.
        estimate: Share of problems solved.
        setup: The paper's set-up; None for untrained.
    """

    student: str
    cell: str | None
    prompt: str
    split: str
    metric: str
    estimate: Estimate
    setup: Setup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two evaluations paired problem by problem.

    Attributes:
        student: The model's name in the study.
        split: The problem set.
        metric: The compared metric.
        left: A cell, or None for untrained.
        right: The other cell, or None for untrained.
        difference: left minus right, in shares of problems (0.05 is five points).
        detectable: The smallest true difference that this many problems detect with 80% power at the 5% level.
        setup: The paper's set-up of `left`.
    """

    student: str
    split: str
    metric: str
    left: str | None
    right: str | None
    difference: Estimate
    detectable: float
    setup: Setup | None
