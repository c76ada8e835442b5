"""Grading of answers, and audits of their reasoning."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section

JUDGE = "judge"  # name of the grader that asks a model of the study


class GraderSpec(OpenSection):
    """The grader of answers, and its options.

    With `name: judge`, a model of the study judges the training solutions. `model` is its name there, `max_tokens` its longest reply.
    """

    name: str = "math"
    time_limit: PositiveFloat = 5.0


class AuditSpec(Section):
    """The search for false positives, and the number of audited solutions per model. People can label them whatever is set here.

    Attributes:
        by: `steps` checks the written arithmetic; `judge` also lets a model of the study read the solutions.
        model: The judge's name in the study; only with `by: judge`.
        max_tokens: The judge's longest reply; only with `by: judge`.
        per_model: Solutions per model; by default one of every problem that it solved.
    """

    by: Literal["steps", "judge"] = "steps"
    model: str | None = None
    max_tokens: PositiveInt | None = None
    per_model: PositiveInt | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.by == "judge" and self.model is None:
            raise ValueError("by: judge needs model, the name of a model of the study")
        # Keys without effect are errors: the user expects a judge.
        own = [key for key in ("model", "max_tokens") if getattr(self, key) is not None]
        if self.by != "judge" and own:
            raise ValueError(f"{own[0]} goes with by: judge; add that, or set {own[0]}: null")
        return self
