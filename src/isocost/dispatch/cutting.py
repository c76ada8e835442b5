"""Cut requests into the batches that an engine answers at once, in the driver where the engine's rule is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import wait

from isocost.dispatch.inflight import POLL_INTERVAL
from isocost.engines.base import Request
from isocost.executors import engineworker
from isocost.executors.base import Executor
from isocost.executors.jobs import EngineFacts, EngineSpec


def cut_batches(
    spec: EngineSpec,
    facts: EngineFacts,
    requests: Sequence[Request],
    executor: Executor,
    check: Callable[[], None] = lambda: None,
) -> list[tuple[Request, ...]]:
    """Cut requests into batches, as a pure function of the requests and the engine's options.

    Args:
        spec: The engine.
        facts: Its facts, with its batching rule if it has one. An engine without one is opened in a worker to cut them.
        requests: The requests to be answered.
        executor: Executor whose worker opens an engine without a rule.
        check: Called every `POLL_INTERVAL` seconds while a worker is waited for. It stops the wait by raising.
    """
    if facts.batching is not None:
        return facts.batching.cut(requests)
    cutting = executor.submit(engineworker.cut, spec, requests)
    # The task queues behind calls that take minutes, so a plain `result()` would delay a stop by as long.
    while not wait([cutting], timeout=POLL_INTERVAL).done:
        check()
    return cutting.result()
