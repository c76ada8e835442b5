"""Cut requests into batches: the unit that is decoded together, seeded, and committed whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from isocost.engines.base import Request


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
        for part in _split(request, batch_size):
            if part.count > room:
                batches.append(tuple(batch))
                batch, room = [], batch_size
            batch.append(part)
            room -= part.count
    return [*batches, tuple(batch)] if batch else batches


def _split(request: Request, size: int) -> Iterator[Request]:
    for start in range(0, request.count, size):
        yield replace(request, first_index=request.first_index + start, count=min(size, request.count - start))
