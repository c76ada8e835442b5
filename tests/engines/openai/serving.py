"""A server on this machine that serves from a thread of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self


class InThread:
    """A server in a thread; `_listen` opens it and `_disconnect` ends what clients have open.

    Attributes:
        url: Its base_url, with /v1.
    """

    def __init__(self, port: int) -> None:
        self.url = ""
        self._port = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _listen(self) -> asyncio.Server:
        raise NotImplementedError

    def _disconnect(self) -> None:
        raise NotImplementedError

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._listen()
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._stop.wait()
        server.close()
        self._disconnect()
