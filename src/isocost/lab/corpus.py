"""The pretraining text: worksheets by writers of different habits and care, drills, and other text.

A worksheet is a few problems solved by one writer, so a model learns to go on in the writer's format and with the writer's care:
that is what a few-shot prompt picks up, and what makes a base model of these sizes behave like a large one. Part of the writers make
mistakes, give the bare answer or end in other words: this is the noise that filtering by the answer can remove.
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
    """How somebody writes a solution down.

    Attributes:
        ending: `#### 12`, `So the answer is 12.` or `Answer: 12`.
        spaced: `3 + 4 = 7`, else `3+4=7`.
        opener: put before the first and later equations ("First ", "Then "), or nothing.
        slip: chance that a step comes out wrong; what follows uses the wrong number.
        copies: chance that a solution with a slip still ends in the right answer, as if copied.
        bare: the answer without a step.
    """

    ending: Ending = "hash"
    spaced: bool = True
    opener: bool = False
    slip: float = 0.0
    copies: float = 0.0
    bare: bool = False


def random_writer(rng: random.Random) -> Writer:
    """A writer drawn with the shares of the corpus: about six in ten careful, the rest sloppy, brief or of another format."""
    kind = rng.random()
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
    """A solution in the writer's hand: one equation a line in an order that the steps allow, then the ending."""
    lines: list[str] = []
    values: dict[int, int] = {}
    for index in _some_order(problem.steps, rng):
        step = problem.steps[index]
        left, right = (_resolve(operand, values) for operand in (step.left, step.right))
        if step.operator in "+*" and rng.random() < 0.3:
            left, right = right, left
        result = apply(step.operator, left, right)
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
    if answer != problem.answer and rng.random() < writer.copies:
        answer = problem.answer
    if writer.bare:
        lines = []
    ending = {"hash": f"#### {answer}", "words": f"So the answer is {answer}.", "answer": f"Answer: {answer}"}[writer.ending]
    return "\n".join([*lines, ending])


def question_text(question: str) -> str:
    """How a question stands in a worksheet and in a plain prompt, up to where the solution begins."""
    return f"Q: {question}\nA:\n"


def worksheet(problems: list[WordProblem], writer: Writer, rng: random.Random) -> str:
    """Problems with their solutions by one writer, an empty line between them."""
    return "\n\n".join(question_text(p.question) + solve(p, writer, rng) for p in problems)


def documents(seed: int) -> Iterator[str]:
    """The endless pretraining corpus: worksheets of one to four problems (75%), drills (20%), other text (5%)."""
    rng = random.Random(f"corpus/{seed}")
    problems = generate("pretraining", seed)
    while True:
        kind = rng.random()
        if kind < 0.75:
            yield worksheet([next(problems) for _ in range(rng.randint(1, 4))], random_writer(rng), rng)
        elif kind < 0.95:
            yield _drill(rng)
        else:
            yield _other_text(rng, [next(problems) for _ in range(2)])


def _some_order(steps: tuple[Step, ...], rng: random.Random) -> list[int]:
    """A random order in which every step comes after the steps it uses."""
    done: list[int] = []
    waiting = list(range(len(steps)))
    while waiting:
        ready = [i for i in waiting if all(not isinstance(o, Ref) or o.index in done for o in (steps[i].left, steps[i].right))]
        chosen = ready[0] if rng.random() < 0.6 else rng.choice(ready)
        done.append(chosen)
        waiting.remove(chosen)
    return done


def _resolve(operand: Operand, values: dict[int, int]) -> int:
    return operand if isinstance(operand, int) else values[operand.index]


def _slip(value: int, rng: random.Random) -> int:
    return max(0, value + rng.choice((-10, -2, -1, 1, 2, 10)))


def _drill(rng: random.Random) -> str:
    """A dozen bare equations, or short sums of several numbers worked out step by step."""
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


def _other_text(rng: random.Random, problems: list[WordProblem]) -> str:
    """Stories without a question, so that not every text is a problem."""
    return " ".join(p.question.rsplit(". ", 1)[0] + "." for p in problems)
