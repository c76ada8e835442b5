"""One thread with one event loop and one client: what sends the requests of all callers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx2
import openai

from isocost.engines.openai.endpoint import Endpoint

_CONNECT = 30.0  # seconds; a host that is there answers in one

T = TypeVar("T")


def client_for(endpoint: Endpoint, timeout: float) -> openai.AsyncOpenAI:
    """The library's client, told to send a request once, to this address and no other."""
    http = openai.DefaultAsyncHttpxClient(
        timeout=httpx2.Timeout(None, connect=min(timeout, _CONNECT)),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        follow_redirects=False,
        trust_env=not endpoint.loopback,
    )
    client = openai.AsyncOpenAI(api_key=endpoint.bearer, base_url=endpoint.base_url, max_retries=0, http_client=http)
    if not endpoint.official:
        client.organization = client.project = None  # read from the environment, and nobody else's business
    return client


class Connection:
    """A running event loop for a client; any thread may submit work."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="isocost-openai", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancel what is under way, close the client, end the thread."""
        self.submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._client.close()
