"""The sections on grading: the grader of answers, and the audit of reasoning."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from isocost.config.sections import OpenSection, PositiveFloat, PositiveInt, Section

JUDGE = "judge"  # name of the grader that asks a model of the study


class GraderSpec(OpenSection):
    """The grader of solutions, and its options. See [grading.md](grading.md).

    With `name: judge` a model of the study judges the training solutions: `model` names it, `max_tokens` limits its reply.

    Attributes:
        name: A grader by name, `judge`, or `package.module:attribute`.
        time_limit: Seconds for one comparison or program (`math`: of processor time). After it a sample is incorrect, with a grader of your
            own ungraded.
    """

    name: str = "math"
    time_limit: PositiveFloat = 5.0


class AuditSpec(Section):
    """The search for false positives. People can label solutions with `isocost view` under any setting. See [audits.md](audits.md).

    Attributes:
        by: `steps` checks the arithmetic that solutions write out; `judge` also asks a model of the study.
        model: The judge, a model of the study; only with `by: judge`.
        max_tokens: Largest number of tokens of a reply of the judge; only with `by: judge`.
        per_model: Number of solutions checked per model; null means one of each problem that the model solved.
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
