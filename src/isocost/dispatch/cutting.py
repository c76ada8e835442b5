"""Requests cut into the batches that an engine answers at once, without a visit to a worker where its rule is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import wait

from isocost.dispatch.asking import LISTENING
from isocost.engines.base import Request
from isocost.executors import engineworker
from isocost.executors.base import Executor
from isocost.executors.jobs import EngineFacts, EngineSpec


def cut(
    spec: EngineSpec,
    facts: EngineFacts,
    requests: Sequence[Request],
    executor: Executor,
    check: Callable[[], None] = lambda: None,
) -> list[tuple[Request, ...]]:
    """Cut requests into batches: a pure function of the requests and the engine's options.

    Args:
        spec: The engine.
        facts: Its facts, with its rule if it has one. An engine without one is opened in a worker and asked.
        requests: What is to be answered.
        executor: Where it is asked.
        check: Asked often while a worker is waited for; stops it by raising.
    """
    if facts.batching is not None:
        return facts.batching.cut(requests)
    cutting = executor.submit(engineworker.cut, spec, requests)
    while not wait([cutting], timeout=LISTENING).done:  # it waits its turn among calls that take minutes
        check()
    return cutting.result()
