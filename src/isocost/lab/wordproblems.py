"""The embedded word problems: arithmetic stories with an exact answer and, by construction, steps that can be checked.

A problem is a small graph of steps (`12 + 7`, then that result `* 3`, ...) told as a story. Its level is the number of steps, one to six.
Splits are disjoint by construction: a hash of a problem's scene, steps and numbers decides its split, never a seed. So no two splits can
share a problem, whatever their seeds. The transfer split uses scenes that no other split uses.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from isocost.lab.scenes import WORDING, ChainScene, PartsScene, RunningScene

Split = Literal["pretraining", "train", "validation", "test", "transfer"]
Operator = Literal["+", "-", "*", "/"]

LEVELS = (1, 2, 3, 4, 5, 6)
LARGEST = 299  # largest result of any step
_SCENES = {transfer: WORDING.scenes(transfer=transfer) for transfer in (False, True)}
_SHARES: dict[str, range] = {  # hash residues (of 100) of each split; transfer has scenes of its own, so it takes all residues
    "pretraining": range(76),
    "train": range(76, 86),
    "validation": range(86, 91),
    "test": range(91, 100),
    "transfer": range(100),
}


@dataclass(frozen=True, slots=True)
class Ref:
    """The result of an earlier step, by its index."""

    index: int


Operand = int | Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation on two operands, each a number from the story or an earlier result."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class WordProblem:
    """A story, the steps that solve it (the last one gives the answer), and their results."""

    question: str
    steps: tuple[Step, ...]
    values: tuple[int, ...]
    scene: str

    @property
    def answer(self) -> int:
        """The result of the last step."""
        return self.values[-1]

    @property
    def level(self) -> int:
        """The number of steps, 1 to 6."""
        return len(self.steps)


def generate(split: Split, seed: int) -> Iterator[WordProblem]:
    """Yield distinct problems of a split without end, with levels in equal shares. The same split and seed give the same problems.

    Raises:
        ValueError: if `split` is not one of the five.
    """
    if split not in _SHARES:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(_SHARES)}")
    rng = random.Random(f"wordproblems/{split}/{seed}")
    seen: set[str] = set()
    while True:
        level = rng.choice(LEVELS)
        # Rejection, because whether numbers come out whole and small is known only at the end.
        while (problem := _draw(rng, split == "transfer", level)) is None or not _wanted(problem, split, seen):
            pass
        seen.add(problem.question)
        yield problem


def split_residue(problem: WordProblem) -> int:
    """Return a stable number from 0 to 99 from scene, steps and numbers alone. Names, wording and distractors do not change it."""
    # Without the wording: the same sum told with another name must stay in the same split.
    key = f"{problem.scene}|{problem.steps}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 100


def _wanted(problem: WordProblem, split: Split, seen: set[str]) -> bool:
    return split_residue(problem) in _SHARES[split] and problem.question not in seen


class _UnsuitableError(Exception):
    """The drawn numbers do not give whole, positive and small results."""


@dataclass(slots=True)
class _Draft:
    """A story under construction."""

    rng: random.Random
    scene: str
    name: str
    thing: str
    sentences: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def say(self, wording: str, **numbers: int) -> None:
        """Add a sentence."""
        self.sentences.append(self.words(wording, **numbers))

    def words(self, wording: str, **fields: object) -> str:
        """Return a wording with its fields filled in."""
        return wording.format(name=self.name, thing=self.thing, **fields)

    def value(self, operand: Operand) -> int:
        """Return the value of a number or of an earlier step."""
        return operand if isinstance(operand, int) else self.values[operand.index]

    def add(self, left: Operand, operator: Operator, right: Operand) -> Ref:
        """Add a step and return a reference to its result.

        Raises:
            _UnsuitableError: the result is not a whole number from 1 to LARGEST.
        """
        value = apply(operator, self.value(left), self.value(right))
        if value is None or not 1 <= value <= LARGEST:
            raise _UnsuitableError
        self.steps.append(Step(left=left, operator=operator, right=right))
        self.values.append(value)
        return Ref(len(self.steps) - 1)


def apply(operator: Operator, left: int, right: int) -> int | None:
    """Return the exact result, or None if a division is not exact."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    return left // right if right and left % right == 0 else None


def _draw(rng: random.Random, transfer: bool, level: int) -> WordProblem | None:
    scene = rng.choice(_SCENES[transfer])
    draft = _Draft(rng, scene.key, name=rng.choice(WORDING.names), thing=rng.choice(WORDING.things))
    try:
        if isinstance(scene, RunningScene):
            ask = _running(draft, scene, level)
        elif isinstance(scene, PartsScene):
            ask = _parts(draft, scene, level)
        else:
            ask = _chain(draft, scene, level)
    except _UnsuitableError:
        return None
    if rng.random() < 0.25:
        # A number that must not be used, so that a model cannot simply use all numbers.
        distractor = draft.words(rng.choice(WORDING.distractors), d=rng.randint(2, 60))
        draft.sentences.insert(rng.randint(1, len(draft.sentences)), distractor)
    question = " ".join([*draft.sentences, ask])
    return WordProblem(question=question, steps=tuple(draft.steps), values=tuple(draft.values), scene=scene.key)


def _running(draft: _Draft, scene: RunningScene, level: int) -> str:
    rng = draft.rng
    current: Operand = rng.randint(3, 60)
    # The common events name {thing}, so they fit only scenes that do.
    of_things = "{thing}" in scene.opening and not scene.transfer
    gain, lose = (scene.gain + WORDING.common_gain, scene.lose + WORDING.common_lose) if of_things else (scene.gain, scene.lose)
    draft.say(scene.opening, n=draft.value(current))
    for _ in range(level):
        kind = rng.choices(("gain", "lose", "multiply", "divide"), (4, 4, 2, 2))[0]
        now = draft.value(current)
        if kind == "gain":
            k = rng.randint(2, 45)
            draft.say(rng.choice(gain), k=k)
            current = draft.add(current, "+", k)
        elif kind == "lose":
            k = rng.randint(2, max(2, min(45, now - 1)))
            draft.say(rng.choice(lose), k=k)
            current = draft.add(current, "-", k)
        elif kind == "multiply":
            k = rng.randint(2, 5)
            draft.say(scene.multiply, k=k)
            current = draft.add(current, "*", k)
        else:
            divisors = [d for d in range(2, 10) if now % d == 0 and now > d]
            k = rng.choice(divisors or [0])  # dividing by 0 is unsuitable, so the problem is drawn again
            draft.say(scene.divide, k=k)
            current = draft.add(current, "/", k)
    return draft.words(scene.ask)


def _parts(draft: _Draft, scene: PartsScene, level: int) -> str:
    # Three groups take five steps (three products, two sums), two take three, one takes one. An even level has one more event.
    rng = draft.rng
    products: list[Ref] = []
    for _ in range((level + 1) // 2):
        k, n = rng.randint(2, 9), rng.randint(2, 15)
        draft.say(rng.choice(scene.part), k=k, n=n)
        products.append(draft.add(k, "*", n))
    total = products[0]
    for product in products[1:]:
        total = draft.add(total, "+", product)
    ask = scene.ask
    if level % 2 == 0:
        kind = rng.choice(("gain", "lose", "divide"))
        if kind == "divide":
            k = rng.choice([d for d in range(2, 10) if draft.value(total) % d == 0] or [0])
            draft.say(scene.divide, k=k)
            draft.add(total, "/", k)
            ask = scene.ask_each
        else:
            m = rng.randint(2, 30)
            draft.say(scene.gain if kind == "gain" else scene.lose, m=m)
            draft.add(total, "+" if kind == "gain" else "-", m)
    return draft.words(ask)


def _chain(draft: _Draft, scene: ChainScene, level: int) -> str:
    # A total over k links takes 2k steps. An odd level asks for the last person.
    rng = draft.rng
    total_asked = level % 2 == 0 and rng.random() < 0.7
    links = level // 2 if total_asked else level
    people = [draft.name, *rng.sample([n for n in WORDING.names if n != draft.name], links)]
    amounts: list[Operand] = [rng.randint(3, 45)]
    draft.say(scene.opening, n=draft.value(amounts[0]))
    for last, following in itertools.pairwise(people):
        kind = rng.choices(("more", "fewer", "times"), (4, 4, 2))[0]
        k = rng.randint(2, 4) if kind == "times" else rng.randint(2, 35)
        draft.sentences.append(draft.words(getattr(scene, kind), next=following, last=last, k=k))
        operator: Operator = {"more": "+", "fewer": "-", "times": "*"}[kind]  # type: ignore[assignment]
        amounts.append(draft.add(amounts[-1], operator, k))
    if not total_asked:
        return draft.words(scene.ask_last, last=people[-1])
    total = amounts[0]
    for amount in amounts[1:]:
        total = draft.add(total, "+", amount)
    return draft.words(scene.ask_total)
