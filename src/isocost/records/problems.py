"""Problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question with its reference answer.

    Attributes:
        id: The id, unique in its problem set.
        question: The question, as a model reads it.
        answer: The reference answer, as the grader reads it.
        metadata: Further properties, such as `level` or `subject`.
    """

    id: str
    question: str
    answer: str
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
