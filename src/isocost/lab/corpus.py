"""The pretraining text: worksheets by writers of different habits and care, drills, and other text.

A worksheet is a few problems solved by one writer. A model thus learns to continue in the writer's format and with the writer's care.
Few-shot prompts rely on that, and it makes a base model of this size behave like a large one. Some writers make mistakes, give only the
answer or use other endings. Filtering by the answer can remove this noise.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from isocost.lab.wordproblems import LARGEST, Operand, Ref, Step, WordProblem, apply, generate

Ending = Literal["hash", "words", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The habits of a writer of solutions.

    Attributes:
        ending: `#### 12`, `So the answer is 12.` or `Answer: 12`.
        spaced: `3 + 4 = 7`, else `3+4=7`.
        opener: Put "First " before the first and "Then " before later equations.
        slip: Chance that a step has a wrong result. Later steps use the wrong number.
        copies: Chance that a solution with a slip still ends in the correct answer, as if copied.
        bare: Give the answer without any step.
    """

    ending: Ending = "hash"
    spaced: bool = True
    opener: bool = False
    slip: float = 0.0
    copies: float = 0.0
    bare: bool = False


def random_writer(rng: random.Random) -> Writer:
    """Draw a writer from the corpus's distribution: six in ten careful, the rest sloppy, brief or with another format."""
    kind = rng.random()
    # The order of random draws is part of the recipe: another order trains another model.
    ending: Ending = "hash" if kind < 0.75 or kind >= 0.90 else rng.choice(("words", "answer"))
    spaced, opener = rng.random() < 0.85, rng.random() < 0.15
    if kind < 0.60:
        return Writer(spaced=spaced, opener=opener)
    if kind < 0.75:
        return Writer(spaced=spaced, opener=opener, slip=0.3, copies=0.3)
    if kind < 0.90:
        return Writer(ending=ending, spaced=spaced, opener=opener, slip=0.1 * (rng.random() < 0.5))
    return Writer(ending=ending, bare=True)


def solve(problem: WordProblem, writer: Writer, rng: random.Random) -> str:
    """Return a writer's solution: one equation per line in an order that the steps allow, then the ending."""
    lines: list[str] = []
    values: dict[int, int] = {}
    for index in _some_order(problem.steps, rng):
        step = problem.steps[index]
        left, right = (_resolve(operand, values) for operand in (step.left, step.right))
        if step.operator in "+*" and rng.random() < 0.3:
            left, right = right, left
        result = apply(step.operator, left, right)
        # A slip earlier on can make a division inexact, and that step then slips too.
        if result is None or rng.random() < writer.slip:
            result = _slip(result if result is not None else left // max(right, 1), rng)
        values[index] = result
        equation = f"{left} {step.operator} {right} = {result}"
        if not writer.spaced:
            equation = equation.replace(" ", "")
        if writer.opener:
            equation = ("Then " if lines else "First ") + equation
        lines.append(equation)
    answer = values[len(problem.steps) - 1]
    # Correct answer after a false step: the false positives that audits are tested on.
    if answer != problem.answer and rng.random() < writer.copies:
        answer = problem.answer
    if writer.bare:
        lines = []
    ending = {"hash": f"#### {answer}", "words": f"So the answer is {answer}.", "answer": f"Answer: {answer}"}[writer.ending]
    return "\n".join([*lines, ending])


def question_text(question: str) -> str:
    """Return a question in the form of worksheets and plain prompts, up to the start of the solution."""
    return f"Q: {question}\nA:\n"


def worksheet(problems: list[WordProblem], writer: Writer, rng: random.Random) -> str:
    """Return problems with their solutions by one writer, separated by an empty line."""
    return "\n\n".join(question_text(p.question) + solve(p, writer, rng) for p in problems)


def documents(seed: int) -> Iterator[str]:
    """Yield the infinite pretraining corpus: worksheets of one to four problems (75%), drills (20%), other text (5%)."""
    rng = random.Random(f"corpus/{seed}")
    problems = generate("pretraining", seed)
    while True:
        kind = rng.random()
        if kind < 0.75:
            yield worksheet([next(problems) for _ in range(rng.randint(1, 4))], random_writer(rng), rng)
        elif kind < 0.95:
            yield _drill(rng)
        else:
            yield _other_text([next(problems) for _ in range(2)])


def _some_order(steps: tuple[Step, ...], rng: random.Random) -> list[int]:
    """Return a random order in which every step follows the steps it uses."""
    done: list[int] = []
    waiting = list(range(len(steps)))
    while waiting:
        ready = [i for i in waiting if _is_ready(steps[i], done)]
        chosen = ready[0] if rng.random() < 0.6 else rng.choice(ready)
        done.append(chosen)
        waiting.remove(chosen)
    return done


def _is_ready(step: Step, done: list[int]) -> bool:
    return all(operand.index in done for operand in (step.left, step.right) if isinstance(operand, Ref))


def _resolve(operand: Operand, values: dict[int, int]) -> int:
    return operand if isinstance(operand, int) else values[operand.index]


def _slip(value: int, rng: random.Random) -> int:
    return max(0, value + rng.choice((-10, -2, -1, 1, 2, 10)))


def _drill(rng: random.Random) -> str:
    """Return a dozen bare equations."""
    lines: list[str] = []
    for _ in range(rng.randint(6, 14)):
        operator = rng.choice("+-*/")
        if operator in "+-":
            left, right = rng.randint(2, 240), rng.randint(2, 59)
            if operator == "-" and right > left:
                left, right = right, left
        else:
            left, right = rng.randint(2, 40), rng.randint(2, 9)
            if left * right > LARGEST:
                left = rng.randint(2, LARGEST // right)
            if operator == "*" and rng.random() < 0.5:
                left, right = right, left
            if operator == "/":
                left *= right
        lines.append(f"{left} {operator} {right} = {apply(operator, left, right)}")  # type: ignore[arg-type]
    return "\n".join(lines)


def _other_text(problems: list[WordProblem]) -> str:
    """Return stories without their question, so that not every text is a problem."""
    return " ".join(p.question.rsplit(". ", 1)[0] + "." for p in problems)
