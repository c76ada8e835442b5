"""Draws as they are stored, and as a run holds them in memory, without their texts."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, cast, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.arrays import Floats, Ints
from isocost.ledger import Answered
from isocost.records import Cost, FinishReason, Unit, Verdict

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


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a frame of stored draws as `ProblemDraws` keeps them, each [rows]."""

    reasons: NDArray[np.uint8]
    prompt: Ints
    generated: Ints
    flops: Floats
    usd: Floats

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Columns:
        """Return the columns of a frame."""
        return cls(
            frame["finish_reason"].replace_strict(_CODES, return_dtype=pl.UInt8).to_numpy(),
            *(frame[name].cast(pl.Int64).to_numpy() for name in ("num_prompt_tokens", "num_generated_tokens")),
            *(frame[name].cast(pl.Float64).fill_null(math.nan).to_numpy() for name in ("cost_flops", "cost_usd")),
        )


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
        return self.first(len(self._reasons))

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

    def put_all(self, index: Ints, columns: Columns, rows: Ints) -> int | None:
        """Add draws that are not stored yet, without verdicts. If some are stored or occur twice, return the first of these and add none.

        Args:
            index: Index of each draw, int[draws].
            columns: Columns of a frame.
            rows: The row of each draw, int[draws].
        """
        self.reserve(int(index.max(initial=-1)) + 1)
        reasons = np.frombuffer(self._reasons, dtype=np.uint8)
        repeated = reasons[index] > 0
        if (np.diff(index) <= 0).any():  # never in draws that were bought in order
            is_first = np.zeros(index.size, dtype=np.bool_)
            is_first[np.unique(index, return_index=True)[1]] = True
            repeated |= ~is_first
        if repeated.any():
            return int(repeated.argmax())
        reasons[index] = columns.reasons[rows]
        np.frombuffer(self._prompt, dtype=np.int64)[index] = columns.prompt[rows]
        np.frombuffer(self._generated, dtype=np.int64)[index] = columns.generated[rows]
        np.frombuffer(self._flops)[index] = columns.flops[rows]
        np.frombuffer(self._usd)[index] = columns.usd[rows]
        return None

    def count(self) -> int:
        """Return the number of draws."""
        return len(self._reasons) - self._reasons.count(0)

    def first(self, most: int) -> Iterator[tuple[int, Draw]]:
        """Yield the draws below an index, with their index."""
        for index in range(min(most, len(self._reasons))):
            if (draw := self.get(index)) is not None:
                yield index, draw

    def ended(self, reason: FinishReason) -> Iterator[tuple[int, Draw]]:
        """Yield the draws that ended for a reason, with their index."""
        code, index = _CODES[reason], -1
        while (index := self._reasons.find(code, index + 1)) >= 0:
            yield index, cast(Draw, self.get(index))

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts."""
        return filter(None, self._verdicts)

    def first_missing(self, first: int, end: int) -> int:
        """Return the smallest index from `first` to before `end` without a draw, or else `end`."""
        found = self._reasons.find(0, first, end)
        return found if found >= 0 else max(first, min(len(self._reasons), end))

    def verdicts_at(self, index: Sequence[int]) -> list[Verdict | None]:
        """Return the verdicts on stored draws, in the order of their indices."""
        own = self._verdicts
        return [own[at] for at in index]

    def costs(self, first: int, end: int) -> tuple[Floats, Floats]:
        """Return FLOPs and US dollars of the draws from an index to before another, float[draws] each, nan where unknown."""
        is_stored = np.frombuffer(self._reasons, dtype=np.uint8)[first:end] > 0
        return np.frombuffer(self._flops)[first:end][is_stored], np.frombuffer(self._usd)[first:end][is_stored]

    def knows(self, unit: Unit) -> bool:
        """Return True if the cost of every draw is known in a unit."""
        amounts = np.frombuffer({"flops": self._flops, "usd": self._usd}[unit])
        return not np.isnan(amounts[np.frombuffer(self._reasons, dtype=np.uint8) > 0]).any()

    def judge_all(self, index: Sequence[int], verdicts: Sequence[Verdict]) -> None:
        """Set the verdicts on draws; the last one counts where several are on one draw."""
        own = self._verdicts
        for at, verdict in zip(index, verdicts, strict=True):
            own[at] = verdict

    def all_judged(self) -> bool:
        """Return True if every draw has a verdict."""
        return all(verdict is not None for verdict, reason in zip(self._verdicts, self._reasons, strict=True) if reason)


def iter_batches(frames: Iterable[pl.DataFrame], found: Callable[[Answered, bool], None]) -> Iterator[pl.DataFrame]:
    """Yield frames of stored draws, and report the answers and cost of each batch.

    Args:
        frames: Frames with the `PAID_COLUMNS` columns and `batch`. The rows of a batch are adjacent, if need be over several frames.
        found: Called once per batch, with its answers and cost, and True if all its draws failed, at no cost.
    """
    batch: str | None = None
    own: list[list[Any]] = []
    for frame in frames:
        columns = [frame[name].to_list() for name in PAID_COLUMNS]
        starts = np.flatnonzero(np.diff(frame["batch"].rle_id().to_numpy().astype(np.int64), prepend=-1))
        names = frame["batch"].gather(starts).to_list()
        for name, (start, end) in zip(names, pairwise([*starts.tolist(), frame.height]), strict=True):
            part = [column[start:end] for column in columns]
            if name == batch:
                own = [before + more for before, more in zip(own, part, strict=True)]
                continue
            if batch is not None:
                found(*_summarise_columns(batch, own))
            batch, own = name, part
        yield frame
    if batch is not None:
        found(*_summarise_columns(batch, own))


def _summarise_columns(batch: str, columns: Sequence[list[Any]]) -> tuple[Answered, bool]:
    """Return the answers and cost of a batch from its `PAID_COLUMNS`, and True if all its draws failed, at no cost."""
    _, tokens, reasons, flops, usd, seconds = columns
    # A content filter ends a reply with "error", after tokens that are paid for or for its prompt alone.
    is_paid = any(reason != "error" for reason in reasons) or any(map(any, (tokens, flops, usd)))
    return _summarise(batch, tokens, flops, usd, sum(seconds)), not is_paid


def summarise_batch(batch: str, draws: Sequence[Draw], seconds: float) -> Answered:
    """Return the number of answers, the tokens and the cost of a batch; `seconds` is the engine's time.

    A unit is None if it is unknown for any draw.
    """
    return _summarise(batch, [d.num_generated_tokens for d in draws], [d.flops for d in draws], [d.usd for d in draws], seconds)


def _summarise(batch: str, tokens: list[int], flops: list[float | None], usd: list[float | None], seconds: float) -> Answered:
    if len(tokens) == 1:  # most batches of an endpoint
        return Answered(request=batch, cost=Cost(flops=flops[0], usd=usd[0], seconds=seconds), count=1, tokens=tokens[0])
    cost = Cost(
        flops=None if None in flops else sum(filter(None, flops)), usd=None if None in usd else sum(filter(None, usd)), seconds=seconds
    )
    return Answered(request=batch, cost=cost, count=len(tokens), tokens=sum(tokens))


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs; a unit is None if it is unknown for any of them."""
    return sum(costs, start=Cost(flops=0.0, usd=0.0, seconds=0.0))


def known_sum(amounts: Iterable[float | None]) -> float | None:
    """Return the sum of the known amounts, or None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
