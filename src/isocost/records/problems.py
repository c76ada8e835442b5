"""What is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question with its reference answer.

    Attributes:
        id: Unique in its problem set.
        question: What a model is asked.
        answer: The reference answer, as the grader reads it.
        metadata: Anything else about it, such as `level` or `subject`.
    """

    id: str
    question: str
    answer: str
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
