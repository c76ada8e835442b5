"""Cut requests into batches: the unit that is decoded together, seeded, and committed whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from isocost.engines.base import Request

SMALLEST = 16  # generations of a batch of a round that is spread over workers
_SEVERAL = 4  # batches of each worker, at which one more or less of them leaves few workers idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """A rule that cuts requests into batches by what the requests hold: whoever knows it need not ask the engine.

    Attributes:
        size: Generations in a batch, at most.
        mixed: Whether a batch holds several requests, prompts of similar length side by side; else each is one request or part of one.
    """

    size: int
    mixed: bool = True

    def cut(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Cut requests into batches; their order does not matter. One request a batch keeps those of a problem side by side."""
        if self.mixed:
            return cut(requests, self.size)
        ordered = sorted(requests, key=lambda request: (request.problem_id, request.first_index))
        return [(part,) for request in ordered for part in split(request, self.size)]

    def spread(self, requests: Sequence[Request], workers: int) -> Batching:
        """Return the rule with batches so small that as many workers get equal parts of a small round.

        Batches of fewer than `SMALLEST` generations are not made: they take nearly as many steps as large ones. Where every worker gets
        several batches in any case, the rule stays as it is.

        Args:
            requests: The requests of the round.
            workers: The number of workers that answer batches at the same time.
        """
        draws = sum(request.count for request in requests)
        batches = math.ceil(draws / self.size)
        if not self.mixed or workers == 1 or draws == 0 or batches >= _SEVERAL * workers:
            return self
        batches = max(batches, min(math.ceil(batches / workers) * workers, draws // SMALLEST))
        # The samples of a request stay together, so a batch may lack one less than the most samples of a request.
        most = max(request.count for request in requests)
        return replace(self, size=min(self.size, math.ceil(draws / batches) + most - 1))


class Batched:
    """The base of engines that cut by such a rule. One that inherits from it and has `batches` of its own is asked."""

    batching: Batching

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Cut requests by the rule."""
        return self.batching.cut(requests)


def rule_of(engine: object) -> Batching | None:
    """Return the rule that an engine cuts by, or None where it has to be asked."""
    return engine.batching if isinstance(engine, Batched) and type(engine).batches is Batched.batches else None


def cut(requests: Sequence[Request], batch_size: int) -> list[tuple[Request, ...]]:
    """Return batches of at most `batch_size` generations, with prompts of similar length side by side, so that little is padded.

    The samples of a request stay together, because they share one prefill. Only a request of more than `batch_size` is split, and its
    parts continue the numbering from `first_index`. The order of `requests` does not matter.
    """
    batches: list[tuple[Request, ...]] = []
    batch: list[Request] = []
    room = batch_size
    # Length in characters, not tokens: cutting must not need the tokenizer.
    for request in sorted(requests, key=lambda r: (len(r.prompt), r.problem_id, r.first_index)):
        for part in split(request, batch_size):
            if part.count > room:
                batches.append(tuple(batch))
                batch, room = [], batch_size
            batch.append(part)
            room -= part.count
    return [*batches, tuple(batch)] if batch else batches


def split(request: Request, size: int) -> Iterator[Request]:
    """Yield the parts of a request, each of at most `size` generations."""
    if 0 < request.count <= size:
        yield request
        return
    for start in range(0, request.count, size):
        yield replace(request, first_index=request.first_index + start, count=min(size, request.count - start))
