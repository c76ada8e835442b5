"""One thread with one event loop, which sends the requests of all callers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import openai

from isocost.errors import TryAgainError

T = TypeVar("T")


class Connection:
    """A running event loop for a client; `name` is the endpoint at the other end.

    The loop is woken once for all work submitted since it last looked. `run_coroutine_threadsafe` wakes it for each, which made the
    engine slower than a bare loop (benchmarks/openai_engine.py).
    """

    def __init__(self, client: openai.AsyncOpenAI, name: str) -> None:
        self._client, self._name = client, name
        self._loop = asyncio.new_event_loop()
        self._submitted: deque[tuple[Coroutine[Any, Any, Any], Future[Any]]] = deque()
        self._woken = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="isocost-openai", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop; from any thread, and not after `close`. Return a future of its result or exception."""
        future: Future[T] = Future()
        self._submitted.append((work, future))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._start)
        return future

    def close(self) -> None:
        """Cancel the calls in flight, close the client, end the thread."""
        self.submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start(self) -> None:
        self._woken = False  # before looking: what is submitted from here on wakes the loop again
        while self._submitted:
            work, future = self._submitted.popleft()
            self._loop.create_task(work).add_done_callback(partial(self._hand_over, future))

    async def _end(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._client.close()

    def _hand_over(self, future: Future[Any], task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            future.set_exception(TryAgainError(f"{self._name}: the engine was closed while a request was under way", charged=True))
        elif error := task.exception():
            future.set_exception(error)
        else:
            future.set_result(task.result())
