"""Progress of sampling: the progress line, and the file that `isocost status` reads."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from isocost.amounts import duration
from isocost.amounts import format_amount as format_budget
from isocost.arrays import Floats
from isocost.dispatch.draws import DrawKey
from isocost.events import Note, StageWatch
from isocost.executors.jobs import StoredDraw
from isocost.ledger import Account, Ledger
from isocost.ledger.bill import format_request_failures, price_difference
from isocost.ledger.identity import PROGRESS, RUN, read_progress
from isocost.ledger.submissions import Submissions
from isocost.ledger.summary import summarise_ledger
from isocost.metrics.intervals import proportion
from isocost.records import Allocation, Cell, FinishReason, Outcome, Truncation, Unit, Verdict
from isocost.sampling.pools import Pool
from isocost.store import RunDirectory

EVERY = 2.0  # seconds between two writes of the file
_SILENT = 30.0  # seconds without an answer that are told
_WRITING = 20  # the pause between two writes in times of a write's length: the requests of a large batch are all in the file


@dataclass(slots=True)
class Spent:
    """The draws that a cell has so far, and their cost; an amount is None if it is unknown for any draw."""

    draws: int = 0
    flops: float | None = 0.0
    usd: float | None = 0.0

    def add(self, flops: float | None, usd: float | None) -> None:
        """Count one draw."""
        self.draws += 1
        self.flops = None if self.flops is None or flops is None else self.flops + flops
        self.usd = None if self.usd is None or usd is None else self.usd + usd

    def amount(self, unit: Unit) -> float | None:
        """Return the cost in a unit."""
        return self.flops if unit == "flops" else self.usd

    def add_all(self, flops: Floats, usd: Floats) -> None:
        """Count several draws; amounts are nan where unknown."""
        self.draws += flops.size
        self.flops, self.usd = _added(self.flops, flops), _added(self.usd, usd)


def _added(total: float | None, amounts: Floats) -> float | None:
    if total is None or np.isnan(amounts).any():
        return None
    # One after the other, as `add` does: np.sum changes the last digits.
    return float(np.cumsum(np.append(total, amounts))[-1])


def last_total(directory: RunDirectory) -> int:
    """Return the number of samples that the last start was to end with; 0 where it is not known."""
    found = (read_progress(directory) or {}).get("total")
    return found if type(found) is int else 0


@dataclass(slots=True, kw_only=True)
class Progress:
    """The progress of sampling: draws bought, verdicts stored, and troubles of endpoints.

    Attributes:
        watch: The progress line.
        ledger: The ledger, for the amount spent.
        pools: The pools, by model.
        directory: The run directory, for the file.
        workers: Number of engines that this machine runs at once.
        cells: Draws and cost of each cell so far.
        budgets: Unit and amount of each cell's budget; cells that are matched by number have none.
        failed: Number of draws that failed at this start.
        doubt: Why the reference answers are probably wrong; "" if nothing suggests it.
        batches: Describes the batches that are under way.
        submissions: The submissions of batches, once they are known.
    """

    watch: StageWatch
    ledger: Ledger
    pools: Mapping[str, Pool]
    directory: RunDirectory
    workers: int
    cells: dict[Cell, Spent] = field(default_factory=dict)
    budgets: Mapping[Cell, tuple[Unit, float]] = field(default_factory=dict)
    failed: int = 0
    doubt: str = ""
    batches: Callable[[], str] = lambda: ""
    submissions: Submissions | None = None
    _cells_before: dict[str, Any] = field(default_factory=dict)  # as an earlier start has written them
    _others: dict[tuple[str, str], Account] = field(default_factory=dict)  # accounts other than data, as they were at the start
    _wanted: dict[tuple[str, str], list[tuple[int, Spent]]] = field(default_factory=dict)
    _short: set[str] = field(default_factory=set)
    _priced: set[str] = field(default_factory=set)
    _ordered: dict[tuple[str, str], int] = field(default_factory=dict)
    _ordered_in_all: int = 0
    _answered: Counter[str] = field(default_factory=Counter)
    _cut: Counter[str] = field(default_factory=Counter)
    _longest_cut: dict[str, int] = field(default_factory=dict)
    _last_answer: dict[str, tuple[int, int]] = field(default_factory=dict)  # by model: answers, and failed requests until the last of them
    _judged: int = 0
    _correct: int = 0
    _busy: float = 0.0
    _heard: float = 0.0  # when an answer or a verdict came last, or the start
    _begun: float | None = None
    _last: float = 0.0
    _written: float = 0.0
    _writing: float = 0.0

    def __post_init__(self) -> None:
        self._heard = time.monotonic()
        for model, pool in self.pools.items():
            self._answered[model] = pool.stored.count() - sum(1 for _ in pool.stored.ended("error"))
            for _, draw in pool.stored.ended("length"):
                self._count_cut(model, draw.num_generated_tokens)
        self._cells_before = (read_progress(self.directory) or {}).get("cells") or {}
        self._others = {key: replace(each) for key, each in self.ledger.accounts.items() if key[0] != "data"}

    def wants(self, cell: Cell, allocations: Iterable[Allocation]) -> None:
        """Register the draws that a cell asks for; those that are stored already are counted at once."""
        spent = self.cells.setdefault(cell, Spent())
        for a in allocations:
            end = a.first_index + a.count
            key = a.model, a.problem_id
            # Draws shared with another cell are bought once, so only those beyond the largest order add to the total.
            self._ordered_in_all += max(0, end - self._ordered.get(key, 0))
            self._ordered[key] = max(end, self._ordered.get(key, 0))
            self._wanted.setdefault((a.model, a.problem_id), []).append((end, spent))
            spent.add_all(*self.pools[a.model].stored.of(a.problem_id).costs(a.first_index, end))
        self.watch.total = max(self.watch.total, self._ordered_in_all)

    def bought(self, model: str, draws: Sequence[tuple[DrawKey, StoredDraw]], seconds: float) -> None:
        """Count draws that were stored, for the progress line and for every cell that asked for them."""
        if not self.pools[model].facts.remote:
            self._last = time.monotonic()
            self._begun = self._begun or self._last - seconds  # starting workers and loading models before is not idle time
            self._busy += seconds
        tokens = 0
        for (problem_id, index), draw in draws:
            tokens += draw.num_generated_tokens
            self.failed += draw.finish_reason == "error"
            self._count_answer(model, draw.finish_reason, draw.num_generated_tokens)
            for end, spent in self._wanted.get((model, problem_id), ()):
                if index < end:  # cells share draws: each counts those below its own end
                    spent.add(draw.flops, draw.usd)
        self.watch.count(len(draws), tokens=tokens)  # `tick` tells of them: a batch brings thousands of answers at once

    def _count_answer(self, model: str, finish_reason: FinishReason, tokens: int) -> None:
        self._heard = time.monotonic()
        self._answered[model] += finish_reason != "error"
        if finish_reason == "length":
            self._count_cut(model, tokens)

    def _count_cut(self, model: str, tokens: int) -> None:
        self._cut[model] += 1
        self._longest_cut[model] = max(tokens, self._longest_cut.get(model, 0))

    def truncations(self) -> dict[str, Truncation]:
        """Return the samples that reached max_tokens, over all starts, of each model that has any."""
        return {
            model: Truncation(
                cut=cut, n=self._answered[model], max_tokens=self.pools[model].params.max_tokens, longest=self._longest_cut[model]
            )
            for model, cut in self._cut.items()
            if cut
        }

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        """Count verdicts that were stored."""
        self._heard = time.monotonic()
        self._judged += len(verdicts)
        self._correct += sum(v.outcome is Outcome.CORRECT for v in verdicts)

    def tick(self) -> None:
        """Update the progress line, and write the file if the last write is `EVERY` seconds ago."""
        # Told without an answer too, which may not come for minutes: a line that stands still looks like a program that hangs.
        self.watch.uncertain = self._awaits_retry()
        self.watch.advance(0, detail=self._detail())
        self._compare_prices()
        if time.monotonic() - self._written > max(EVERY, _WRITING * self._writing):
            self.write()

    def _awaits_retry(self) -> bool:
        """Return True if requests to a model were refused or lost since its last answer: nobody knows when it answers again."""
        with self.ledger.locked() as (accounts, _):
            now = {model: (each.count, each.retries + each.lost) for (account, model), each in accounts.items() if account == "data"}
        for model, (count, failures) in now.items():
            if count > self._last_answer.get(model, (-1, 0))[0]:
                self._last_answer[model] = count, failures
        return any(failures > self._last_answer[model][1] for model, (_, failures) in now.items())

    def _compare_prices(self) -> None:
        """Note, once per model, that an endpoint's own costs differ from those by the study's prices."""
        with self.ledger.locked() as (accounts, _):
            found = [(model, text) for (_, model), each in accounts.items() if (text := price_difference(model, each))]
        for model, text in found:
            if model not in self._priced:
                self._priced.add(model)
                self.watch.listener(Note(text=text))

    def short(self, model: str, requested: int, returned: int) -> None:
        """Note, once per model, that an endpoint returned fewer solutions than requested."""
        if model not in self._short:
            self._short.add(model)
            counts = f"the endpoint returned {returned} of {requested} solutions"
            self.watch.listener(Note(text=f"model {model}: {counts}; the rest is requested again, and its prompt paid again"))

    def trouble(self, what: str) -> None:
        """Note that an endpoint cannot be reached, or does not answer."""
        self.watch.listener(Note(text=what))

    def idle(self) -> float | None:
        """Return the share of time, from the first request to the last answer, in which engines of this machine waited for work.

        It is None if no engine of this machine has answered.
        """
        if self._begun is None or not self._busy or self._last <= self._begun:
            return None
        return max(0.0, 1.0 - self._busy / (self.workers * (self._last - self._begun)))

    def write(self) -> None:
        """Write the progress file."""
        begun = time.monotonic()
        # In one line, which is ten times faster: a batch may have 50,000 open requests, and all are in the file.
        self.directory.write_text(json.dumps(self._to_json(), ensure_ascii=False) + "\n", PROGRESS)
        self._written = time.monotonic()
        self._writing = self._written - begun

    def _to_json(self) -> dict[str, Any]:
        seconds = time.monotonic() - self.watch.started
        new, rate = self.watch.done - self.watch.done_before, self.watch.rate()  # draws of earlier starts took no time now
        with self.ledger.locked() as (accounts, waiting):
            ledger = summarise_ledger(accounts, waiting, self.ledger.log.path)
        cells = {cell.name: {"draws": spent.draws, "flops": spent.flops, "usd": spent.usd} for cell, spent in self.cells.items()}
        return {
            **({RUN: self.ledger.run} if self.ledger.run else {}),
            "stage": self.watch.stage,
            "done": self.watch.done,
            "total": self.watch.total,
            "seconds": seconds,
            "samples_per_second": new / seconds if seconds else None,
            "tokens_per_second": self.watch.tokens / seconds if seconds else None,
            "seconds_left": (self.watch.total - self.watch.done) / rate if rate else None,
            "engine_idle": self.idle(),
            "failed": self.failed,
            "doubt": self.doubt,
            "truncated": {model: asdict(each) for model, each in self.truncations().items()},
            "cells": cells or self._cells_before,  # a start that buys the pilot alone, or stops before, asks for no cell's draws
            "ledger": ledger,
            "batches": self.submissions.summary() if self.submissions else None,
        }

    def _detail(self) -> str:
        spending, parts = self.ledger.spending, []
        if spending.limit:
            parts.append(f"{format_budget(spending.unit, spending.spent)}/{format_budget(spending.unit, spending.limit)}")
        elif spending.spent or not self.watch.done:  # of models without a price and a size no cost is known
            parts.append(format_budget(spending.unit, spending.spent))
        parts.append(self._share_of_budgets())
        share = proportion(self._correct, self._judged)
        if share.value is not None and share.low is not None and share.high is not None:
            parts.append(f"correct {100 * share.value:.0f}% [{100 * share.low:.0f}, {100 * share.high:.0f}]")
        parts.append(f"{self.failed} err")
        # Half a percent: a share that would be shown as 0% is no news.
        if cut := {model: each for model, each in self.truncations().items() if each.share >= 0.005}:
            parts.append("cut off " + ", ".join(f"{model} {100 * each.share:.0f}%" for model, each in cut.items()))
        return "  ".join(filter(None, [*parts, *self._trouble(), self.batches() or self._silence()]))

    def _share_of_budgets(self) -> str:
        """Return the mean share of their budgets that the cells have spent, draws that they share included in each; "" if unknown."""
        spent = [(self.cells[cell].amount(unit) if cell in self.cells else 0.0, whole) for cell, (unit, whole) in self.budgets.items()]
        shares = [amount / whole for amount, whole in spent if amount is not None and whole > 0]
        return f"budgets {100 * sum(shares) / len(shares):.0f}%" if len(shares) == len(spent) > 0 else ""

    def _silence(self) -> str:
        """Return for how long nothing has been answered, if that is long. A batch of an endpoint has counts of its own."""
        seconds = time.monotonic() - self._heard
        return f"no answer for {duration(seconds)}" if seconds >= _SILENT else ""

    def _trouble(self) -> list[str]:
        """Return the failures of requests for data over all starts, and of requests to the judge of answers at this start.

        Earlier failures of the judge are left out, as they may belong to an audit, which has a line of its own.
        """
        with self.ledger.locked() as (accounts, _):
            data = [each for (account, _), each in accounts.items() if account == "data"]
            whole = Account(lost=sum(each.lost for each in data), retries=sum(each.retries for each in data))
            own = [format_request_failures(whole)]
            for (account, model), each in accounts.items():
                if account != "data" and (failures := format_request_failures(each, self._others.get((account, model)))):
                    own.append(f"{account} {model}: {failures}")
        return [text for text in own if text]
