"""The calls of a pool's batches. The parts that calls have in common are one object: 50,000 calls may wait for one batch of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocost.costs.draws import max_cost_of
from isocost.dispatch.calls import Call
from isocost.dispatch.draws import total_cost
from isocost.engines.base import Request
from isocost.executors.jobs import Job, Storing
from isocost.records import Cost, ModelCard
from isocost.sampling.orders import Batch


class PoolCalls:
    """Makes the calls of a pool's batches.

    Args:
        job: A job of the model, without requests.
        stem: Path of the pool's batch log.
        pool: The pool's id.
        card: The model's prices.
        most_tokens: Returns an upper bound on the prompt tokens of a problem, by its id.
        asked: Returns the digest of a problem's prompt, by its id.
        with_reasoning: As in `Storing`.
    """

    def __init__(
        self,
        job: Job,
        stem: Path,
        pool: str,
        card: ModelCard,
        most_tokens: Callable[[str], int],
        asked: Callable[[str], str],
        *,
        with_reasoning: bool = False,
    ) -> None:
        self.job = job
        self._stem, self._pool, self._card = stem, pool, card
        self._most_tokens, self._asked, self._with_reasoning = most_tokens, asked, with_reasoning
        self._worst_of_one: dict[str, Cost] = {}  # of one draw, by problem
        self._facts: dict[int, dict[str, Any]] = {}  # by the number of draws
        self._storing: Storing | None = None

    def call(self, batch: Batch) -> Call:
        """Return the call of a batch."""
        size = batch.size
        if size not in self._facts:
            self._facts[size] = {"account": "data", "model": self._card.name, "pool": self._pool, "count": size}
        job = replace(self.job, key=batch.key, requests=batch.requests, seed=batch.seed, storing=self.storing(batch))
        return Call(job=job, worst=self.worst(batch.requests), facts=self._facts[size], card=self._card)

    def storing(self, batch: Batch) -> Storing:
        """Return the place and the price under which a worker commits a batch. Batches of the same problems in a row share it."""
        asked = tuple(self._asked(request.problem_id) for request in batch.requests)
        if self._storing is None or self._storing.asked != asked:
            self._storing = Storing(stem=self._stem, pool=self._pool, asked=asked, card=self._card, with_reasoning=self._with_reasoning)
        return self._storing

    def worst(self, requests: Iterable[Request]) -> Cost:
        """Return the largest cost of requests: every draw reaches max_tokens and pays for its own prompt, whose bytes bound its tokens."""
        costs = [self._worst_of(request) for request in requests]
        return costs[0] if len(costs) == 1 else total_cost(costs)

    def _worst_of(self, request: Request) -> Cost:
        if request.problem_id not in self._worst_of_one:
            bound, most = self._most_tokens(request.problem_id), self.job.params.max_tokens
            self._worst_of_one[request.problem_id] = replace(
                max_cost_of(self._card, prompt_tokens=bound, generated_tokens=most), seconds=0.0
            )
        one, n = self._worst_of_one[request.problem_id], request.count
        return (
            one
            if n == 1
            else Cost(flops=None if one.flops is None else one.flops * n, usd=None if one.usd is None else one.usd * n, seconds=0.0)
        )
