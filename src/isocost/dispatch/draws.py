"""Draws as they are stored, and as a run holds them in memory, without their texts."""

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
DRAW_COLUMNS = ("id", "problem_id", "sample_index", "num_prompt_tokens", "num_generated_tokens", "finish_reason", "cost_flops", "cost_usd")
# The columns that draws and judges' replies have in common: all that a bill needs.
PAID_COLUMNS = ("num_prompt_tokens", "num_generated_tokens", "finish_reason", "cost_flops", "cost_usd", "cost_seconds")
STORED_COLUMNS = (*DRAW_COLUMNS, "cost_seconds")


class Draw(NamedTuple):
    """A draw without its text; its verdict is None until it is graded. It is a tuple because a run makes millions."""

    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    flops: float | None
    usd: float | None
    verdict: Verdict | None = None

    @property
    def cost(self) -> Cost:
        """The cost in FLOPs and US dollars, each None if unknown."""
        return Cost(flops=self.flops, usd=self.usd)


class ProblemDraws:
    """The draws of one problem by index, in about 40 bytes per draw, because a run may hold millions."""

    __slots__ = ("_flops", "_generated", "_prompt", "_reasons", "_usd", "_verdicts")

    def __init__(self) -> None:
        self._reasons = bytearray()  # code of the finish reason; 0: no draw at this index
        self._prompt, self._generated = array("q"), array("q")
        self._flops, self._usd = array("d"), array("d")  # NaN: unknown, since an array of doubles holds no None
        self._verdicts: list[Verdict | None] = []

    def __contains__(self, index: int) -> bool:
        return index < len(self._reasons) and self._reasons[index] > 0

    def __iter__(self) -> Iterator[tuple[int, Draw]]:
        for index in range(len(self._reasons)):
            if (draw := self.get(index)) is not None:
                yield index, draw

    def get(self, index: int) -> Draw | None:
        """Return the draw at an index, or None if there is none."""
        if index not in self:
            return None
        flops, usd = self._flops[index], self._usd[index]
        return Draw(
            self._prompt[index],
            self._generated[index],
            _REASONS[self._reasons[index] - 1],
            None if flops != flops else flops,  # only NaN differs from itself; faster than math.isnan in this loop of millions
            None if usd != usd else usd,
            self._verdicts[index],
        )

    def verdict(self, index: int) -> Verdict | None:
        """Return the verdict on a draw, or None if it has none."""
        return self._verdicts[index] if index in self else None

    def put(self, index: int, draw: Draw) -> None:
        """Add or replace a draw."""
        if index >= len(self._reasons):
            self.reserve(index + 1)
        prompt, generated, reason, flops, usd, verdict = draw
        self._reasons[index] = _CODES[reason]
        self._prompt[index], self._generated[index] = prompt, generated
        self._flops[index] = math.nan if flops is None else flops
        self._usd[index] = math.nan if usd is None else usd
        self._verdicts[index] = verdict

    def reserve(self, size: int) -> None:
        """Extend the columns to `size` draws in one step, which is faster than draw by draw."""
        more = max(0, size - len(self._reasons))
        self._reasons.extend(bytes(more))
        for column in (self._prompt, self._generated):
            column.frombytes(bytes(8 * more))  # zeros, 8 bytes per item of "q"
        for amounts in (self._flops, self._usd):
            amounts.extend([math.nan] * more)
        self._verdicts.extend([None] * more)

    def judge(self, index: int, verdict: Verdict) -> None:
        """Set the verdict on a draw."""
        self._verdicts[index] = verdict

    def all_judged(self) -> bool:
        """Return True if every draw has a verdict."""
        return all(verdict is not None for verdict, reason in zip(self._verdicts, self._reasons, strict=True) if reason)


def to_draw(row: Mapping[str, Any]) -> Draw:
    """Make a draw from the `DRAW_COLUMNS` columns of a stored row."""
    return Draw(row["num_prompt_tokens"], row["num_generated_tokens"], row["finish_reason"], row["cost_flops"], row["cost_usd"])


def iter_batches(rows: Iterable[Mapping[str, Any]], found: Callable[[Answered, bool], None]) -> Iterator[tuple[Mapping[str, Any], Draw]]:
    """Yield stored draws with their rows, and report the answers and cost of each batch.

    Args:
        rows: Rows with the `PAID_COLUMNS` columns and `batch`. The rows of a batch are adjacent, so one batch is in memory at a time.
        found: Called after each batch, with its answers and cost, and True if all its draws failed without a token.
    """
    batch, own, seconds = "", list[Draw](), 0.0
    for row in rows:
        if row["batch"] != batch:
            if own:
                found(summarise_batch(batch, own, seconds), not any(map(_has_tokens, own)))
            batch, own, seconds = row["batch"], [], 0.0
        draw = to_draw(row)
        own.append(draw)
        seconds += row["cost_seconds"]
        yield row, draw
    if own:
        found(summarise_batch(batch, own, seconds), not any(map(_has_tokens, own)))


def _has_tokens(draw: Draw) -> bool:
    # A content filter ends a reply with "error" after tokens that are paid for.
    return draw.finish_reason != "error" or draw.num_generated_tokens > 0


def summarise_batch(batch: str, draws: Sequence[Draw], seconds: float) -> Answered:
    """Return the number of answers, the tokens and the cost of a batch; `seconds` is the engine's time.

    A unit is None if it is unknown for any draw. No `Cost` is made per draw, for speed.
    """
    if len(draws) == 1:  # most batches of an endpoint
        ((_, tokens, _, own_flops, own_usd, _),) = draws
        return Answered(request=batch, cost=Cost(flops=own_flops, usd=own_usd, seconds=seconds), count=1, tokens=tokens)
    flops, usd = [draw.flops for draw in draws], [draw.usd for draw in draws]
    cost = Cost(
        flops=None if None in flops else sum(filter(None, flops)), usd=None if None in usd else sum(filter(None, usd)), seconds=seconds
    )
    return Answered(request=batch, cost=cost, count=len(draws), tokens=sum(draw.num_generated_tokens for draw in draws))


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs; a unit is None if it is unknown for any of them."""
    return sum(costs, start=Cost(flops=0.0, usd=0.0, seconds=0.0))


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """Return the sum of the known amounts, or None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
