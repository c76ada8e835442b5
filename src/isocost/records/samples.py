"""Problems, the samples drawn for them, and verdicts on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from isocost.records.digests import ADDED_LATER, NOT_DIGESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question with its reference answer.

    Attributes:
        id: The id, unique in its problem set.
        question: The question, as a model reads it.
        answer: The reference answer, as the grader reads it.
        metadata: Further properties, such as `level` or `subject`.
        where: Its file and line, where it has one.
        flaw: Why it cannot be used, such as `no_reference: null`; "" if it can. Such a problem is left out and listed.
        choices: `answer` or `question` -> the fields of its row that could hold it, with different values, and that the study chose none
            of: first the one that was read.
    """

    id: str
    question: str
    answer: str
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
    where: str = field(default="", compare=False, metadata=NOT_DIGESTED)
    flaw: str = field(default="", metadata=ADDED_LATER)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, metadata=NOT_DIGESTED)


FinishReason = Literal["stop", "length", "error"]
TRUNCATION_MATTERS = 0.05  # share of samples cut off from which a warning is given
FAILURE_MATTERS, FAILURE_PREVENTS = 0.05, 0.5  # shares of problems without an answer: a warning is given; no comparison is made
_LONGEST_REASON = 120  # characters of an endpoint's words


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """Sampling parameters, under vLLM's names. `top_k=0` and `top_p=1.0` cut nothing off. `temperature=0` is greedy.

    None is left to an endpoint's own default; engines on this machine take 1, as vLLM does.
    """

    temperature: float | None = 0.7
    top_p: float | None = 1.0
    top_k: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Draws of one problem from one model: indices first_index .. first_index + count - 1 of the model's pool."""

    problem_id: str
    model: str
    first_index: int
    count: int


class Outcome(StrEnum):
    """The outcome of grading. A solution that could not be graded is `ungraded`, never `incorrect`."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grader's judgement of one solution.

    Attributes:
        outcome: The outcome.
        predicted_answer: The answer read from the solution, or None.
        reason: Machine-readable reason for the outcome (`equal`, `different`, `timeout`, ...).
    """

    outcome: Outcome
    predicted_answer: str | None
    reason: str

    @property
    def correct(self) -> bool | None:
        """True, False, or None if ungraded."""
        return None if self.outcome is Outcome.UNGRADED else self.outcome is Outcome.CORRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A solution to grade.

    Attributes:
        key: The caller's.
        reference: The reference answer.
        generation: The solution's text.
        question: For graders that read it.
        truncated: True if the text was cut off at max_tokens: then only an answer that it states counts.
    """

    key: str
    reference: str
    generation: str
    question: str = ""
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """The samples of a model that reached `max_tokens` and were cut off there.

    Attributes:
        cut: Number of these samples.
        n: Number of all samples that the model gave.
        max_tokens: The largest number of generated tokens.
        longest: The most tokens that one of them has; below max_tokens something else has cut them off. None where it is not known.
    """

    cut: int
    n: int
    max_tokens: int
    longest: int | None = None

    @property
    def share(self) -> float:
        """The share of samples that were cut off; 0 without samples."""
        return self.cut / self.n if self.n else 0.0

    @property
    def matters(self) -> bool:
        """True if so many samples were cut off that the model looks worse than it is."""
        return self.share >= TRUNCATION_MATTERS

    def warning(self, model: str) -> str:
        """Return a sentence that tells how many of a model's samples were cut off, and what to do."""
        return f"{self.share_of(model)} samples {self.remedy}"

    def share_of(self, model: str) -> str:
        """Return the subject of the sentence, such as `7% of weak's`."""
        return f"{100 * self.share:.0f}% of {model}'s"

    @property
    def remedy(self) -> str:
        """What became of these samples, and what to do; the same for models with the same limit."""
        if self.longest is not None and self.longest < self.max_tokens:
            below = f"below max_tokens {self.max_tokens:,}: the endpoint or the context ends them"
            return f"were cut off after at most {self.longest:,} tokens, {below}"
        return f"hit max_tokens {self.max_tokens:,}: raise it before you believe this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The draws of a model that failed: refused by its endpoint, or never answered. They are not graded.

    Attributes:
        draws: Number of these draws.
        n: Number of all draws of the model.
        problems: Problems all of whose draws failed.
        n_problems: Problems that the model was asked.
        reason: The most frequent reason, in the endpoint's words; "" where none is known.
    """

    draws: int
    n: int
    problems: int
    n_problems: int
    reason: str = ""

    @property
    def share(self) -> float:
        """The share of problems without an answer; 0 without problems."""
        return self.problems / self.n_problems if self.n_problems else 0.0

    @property
    def matters(self) -> bool:
        """True if so many problems are without an answer that the model looks worse than it is."""
        return self.share >= FAILURE_MATTERS

    @property
    def prevents(self) -> bool:
        """True if so many problems are without an answer that the model cannot be compared with another."""
        return self.share >= FAILURE_PREVENTS

    def warning(self, model: str) -> str:
        """Return a sentence that tells of how many problems there is no answer, and why, without a full stop."""
        why = f" ({self.reason[:_LONGEST_REASON].rstrip('.')})" if self.reason else ""
        return f"{model} refused {self.problems:,} of {self.n_problems:,} problems or failed on them{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """The marks around a model's reasoning.

    Attributes:
        open: The mark before it; None if the prompt has it, so that a text without `close` is reasoning only.
        close: The mark after it.
    """

    open: str | None
    close: str
