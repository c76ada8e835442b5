"""How solutions are judged, and their reasoning audited."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section

JUDGE = "judge"  # the grader that is a model of the study


class GraderSpec(OpenSection):
    """How answers are judged, and options of the grader.

    `name: judge` has a model of the study judge the training solutions: `model` is its name there, `max_tokens` the most that it may write.
    """

    name: str = "math"
    time_limit: PositiveFloat = 5.0


class AuditSpec(Section):
    """How false positives are looked for, and in how many solutions a model; people look at them with `isocost view`, whatever stands here.

    Attributes:
        by: `steps` reads the arithmetic that solutions write out; `judge` has a model of the study read them too.
        model: The judge's name in the study; only with `by: judge`.
        max_tokens: The most that the judge may write; only with `by: judge`.
        per_model: Solutions of each model; one of every problem that it solved where it is left out.
    """

    by: Literal["steps", "judge"] = "steps"
    model: str | None = None
    max_tokens: PositiveInt | None = None
    per_model: PositiveInt | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.by == "judge" and self.model is None:
            raise ValueError("by: judge needs model, the name of a model of the study")
        own = [key for key in ("model", "max_tokens") if getattr(self, key) is not None]
        if self.by != "judge" and own:
            raise ValueError(f"{own[0]} goes with by: judge; add that, or set {own[0]}: null")
        return self
