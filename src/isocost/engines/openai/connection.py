"""One thread with one event loop: what sends the requests of all callers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import openai

T = TypeVar("T")


class Pending(Generic[T]):
    """Work under way on the loop."""

    def __init__(self) -> None:
        self._done: SimpleQueue[asyncio.Task[T]] = SimpleQueue()
        self.finish: Callable[[asyncio.Task[T]], None] = self._done.put

    def result(self) -> T:
        """Wait for the end; to be called once.

        Raises:
            asyncio.CancelledError: the connection was closed before.
        """
        return self._done.get().result()


class Connection:
    """A running event loop for a client.

    The loop is woken once for all that was submitted since it last looked, and a caller waits on a bare queue: `run_coroutine_threadsafe`
    wakes it for each, and with its futures that made the engine slower than a bare loop (benchmarks/openai_engine.py).
    """

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client
        self._loop = asyncio.new_event_loop()
        self._submitted: deque[tuple[Coroutine[Any, Any, Any], Callable[[Any], None]]] = deque()
        self._woken = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="isocost-openai", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Pending[T]:
        """Start a coroutine on the loop; from any thread, and not after `close`."""
        pending: Pending[T] = Pending()
        self._submitted.append((work, pending.finish))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._start)
        return pending

    def close(self) -> None:
        """Cancel what is under way, close the client, end the thread."""
        self.submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start(self) -> None:
        self._woken = False  # before looking: what is submitted from here on wakes the loop again
        while self._submitted:
            work, finish = self._submitted.popleft()
            self._loop.create_task(work).add_done_callback(finish)

    async def _end(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._client.close()
