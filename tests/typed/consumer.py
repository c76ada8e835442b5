"""A program that uses isocost's public names with full types: `tests/test_typed.py` has mypy read it against an installed copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import assert_type

import isocost
from isocost.engines.base import Engine, Generation, ModelSize, Request
from isocost.errors import BudgetError
from isocost.graders.base import Grader
from isocost.policies.base import Observation, Policy, Terms
from isocost.prompts.base import Template
from isocost.records import Allocation, Outcome, Problem, SamplingParams, Verdict


class Echo:
    """Answer every request with the last word of its prompt."""

    identity = "echo-1"
    remote = False
    concurrency = 1
    shares_prompts = False

    def size(self) -> ModelSize | None:
        """Return None: an echo has no parameters."""
        return None

    def render(self, request: Request) -> str:
        """Return the prompt as it is."""
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Put each request into a batch of its own."""
        return [(request,) for request in requests]

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer each request."""
        return [[self._answer(request)] * request.count for request in batch]

    def close(self) -> None:
        """Close nothing."""

    def _answer(self, request: Request) -> Generation:
        words = request.prompt.split()
        return Generation(text=words[-1], num_prompt_tokens=len(words), num_generated_tokens=1, finish_reason="stop")


class Lenient:
    """Accept every solution that holds the reference answer."""

    name = "lenient"
    version = "1"

    def grade(self, reference: str, generation: str) -> Verdict:
        """Search the solution for the reference answer."""
        outcome = Outcome.CORRECT if reference in generation else Outcome.INCORRECT
        return Verdict(outcome=outcome, predicted_answer=None, reason="searched")


class Once:
    """Draw one sample of each problem."""

    def __init__(self, terms: Terms) -> None:
        self.left = [Allocation(problem_id=p, model=m, first_index=0, count=1) for p in terms.problem_ids for m in terms.models]

    def propose(self) -> list[Allocation]:
        """Return everything at first, then nothing."""
        proposed, self.left = self.left, []
        return proposed

    def observe(self, observations: Iterable[Observation]) -> None:
        """Ignore what came."""


def sums(*, largest: int = 9) -> Iterator[Problem]:
    """Yield a problem for each number."""
    for number in range(largest + 1):
        yield Problem(id=str(number), question=f"What is {number} + 1?", answer=str(number + 1))


def open_engine(options: Mapping[str, object], base: Path) -> Engine:
    """Open the engine."""
    return Echo()


def build(terms: Terms) -> Policy:
    """Build the policy."""
    return Once(terms)


GRADER: Grader = Lenient()
TEMPLATE = Template(form="{question}\n", stop=("\n",), examples=(("What is 1 + 1?", "2"),))


def compare(study: Path) -> str:
    """Run a study and return its answer, or the error's message."""
    try:
        finished = isocost.run(study, settings=["seed=1"], until="report")
    except BudgetError as error:
        return f"budget: {error}"
    except isocost.IsocostError as error:
        return str(error)
    assert_type(finished, isocost.Run)
    assert_type(finished.report, Path)
    return finished.headline
