"""Draws as they are stored, and as a run holds them in memory: without their texts."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from isocost.ledger import Answered
from isocost.records import Cost, FinishReason, Verdict

_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)
_CODES = {reason: code for code, reason in enumerate(_REASONS, start=1)}
DrawKey = tuple[str, int]  # problem id, sample index
LIGHT = ("id", "problem_id", "sample_index", "num_prompt_tokens", "num_generated_tokens", "finish_reason", "cost_flops", "cost_usd")
PAID = ("num_prompt_tokens", "num_generated_tokens", "finish_reason", "cost_flops", "cost_usd", "cost_seconds")  # of a judge's replies too
STORED = (*LIGHT, "cost_seconds")


class Ungraded(NamedTuple):
    """A draw that waits for the grader, with its text."""

    problem_id: str
    sample_index: int
    sample_id: str
    generation: str


class Draw(NamedTuple):
    """A draw without its text; the verdict comes when it is graded. A tuple, because it is made a million times."""

    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    flops: float | None
    usd: float | None
    verdict: Verdict | None = None

    @property
    def cost(self) -> Cost:
        """What it cost."""
        return Cost(flops=self.flops, usd=self.usd)


class ProblemDraws:
    """The draws of one problem by index, in some 40 bytes each: a run may hold millions."""

    __slots__ = ("_flops", "_generated", "_prompt", "_reasons", "_usd", "_verdicts")

    def __init__(self) -> None:
        self._reasons = bytearray()  # 0: not there
        self._prompt, self._generated = array("q"), array("q")
        self._flops, self._usd = array("d"), array("d")  # nan: not known
        self._verdicts: list[Verdict | None] = []

    def __contains__(self, index: int) -> bool:
        return index < len(self._reasons) and self._reasons[index] > 0

    def __iter__(self) -> Iterator[tuple[int, Draw]]:
        for index in range(len(self._reasons)):
            if (draw := self.get(index)) is not None:
                yield index, draw

    def get(self, index: int) -> Draw | None:
        """One of them, if it is there."""
        if index not in self:
            return None
        flops, usd = self._flops[index], self._usd[index]
        return Draw(
            self._prompt[index],
            self._generated[index],
            _REASONS[self._reasons[index] - 1],
            None if flops != flops else flops,
            None if usd != usd else usd,
            self._verdicts[index],
        )

    def verdict(self, index: int) -> Verdict | None:
        """Return the verdict on one of them, None where it has none."""
        return self._verdicts[index] if index in self else None

    def put(self, index: int, draw: Draw) -> None:
        """Add or replace one."""
        if index >= len(self._reasons):
            self.reserve(index + 1)
        prompt, generated, reason, flops, usd, verdict = draw
        self._reasons[index] = _CODES[reason]
        self._prompt[index], self._generated[index] = prompt, generated
        self._flops[index] = math.nan if flops is None else flops
        self._usd[index] = math.nan if usd is None else usd
        self._verdicts[index] = verdict

    def reserve(self, size: int) -> None:
        """Make room for so many at once, which is quicker than one by one."""
        more = max(0, size - len(self._reasons))
        self._reasons.extend(bytes(more))
        for column in (self._prompt, self._generated):
            column.frombytes(bytes(8 * more))
        for amounts in (self._flops, self._usd):
            amounts.extend([math.nan] * more)
        self._verdicts.extend([None] * more)

    def judge(self, index: int, verdict: Verdict) -> None:
        """One was graded."""
        self._verdicts[index] = verdict

    def has_failed(self, index: int) -> bool:
        """Whether the engine gave no answer."""
        return self._reasons[index] == _CODES["error"]

    def all_judged(self) -> bool:
        """Whether each has a verdict."""
        return all(verdict is not None for verdict, reason in zip(self._verdicts, self._reasons, strict=True) if reason)


def to_draw(row: Mapping[str, Any]) -> Draw:
    """A stored draw, from its `LIGHT` columns."""
    return Draw(row["num_prompt_tokens"], row["num_generated_tokens"], row["finish_reason"], row["cost_flops"], row["cost_usd"])


def each_batch(rows: Iterable[Mapping[str, Any]], found: Callable[[Answered, bool], None]) -> Iterator[tuple[Mapping[str, Any], Draw]]:
    """Pass stored draws on, and tell what each of their batches brought and cost.

    Args:
        rows: `PAID` columns and `batch`; the rows of a batch follow each other.
        found: Called with each batch, and whether all its draws failed without a token.
    """
    batch, own, seconds = "", list[Draw](), 0.0
    for row in rows:
        if row["batch"] != batch:
            if own:
                found(brought(batch, own, seconds), not any(map(_has_text, own)))
            batch, own, seconds = row["batch"], [], 0.0
        draw = to_draw(row)
        own.append(draw)
        seconds += row["cost_seconds"]
        yield row, draw
    if own:
        found(brought(batch, own, seconds), not any(map(_has_text, own)))


def _has_text(draw: Draw) -> bool:
    return draw.finish_reason != "error" or draw.num_generated_tokens > 0


def brought(batch: str, draws: Sequence[Draw], seconds: float) -> Answered:
    """Return the answers, tokens and cost of a batch."""
    cost = cost_of_draws(draws)
    tokens = sum(draw.num_generated_tokens for draw in draws)
    return Answered(request=batch, cost=Cost(flops=cost.flops, usd=cost.usd, seconds=seconds), count=len(draws), tokens=tokens)


def cost_of_draws(draws: Sequence[Draw]) -> Cost:
    """The sum of their costs, each unit where all of them know it; for very many draws."""
    flops, usd = [draw.flops for draw in draws], [draw.usd for draw in draws]
    return Cost(flops=None if None in flops else sum(filter(None, flops)), usd=None if None in usd else sum(filter(None, usd)))


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of costs, each unit where all of them know it."""
    return sum(costs, start=Cost(flops=0.0, usd=0.0, seconds=0.0))


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """Return the sum of the amounts that are known, None where none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
