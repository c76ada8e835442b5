"""The library's client, configured to send a request once, to one address and no other."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import Future
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2
import openai

from isocost.engines.openai.endpoint import Endpoint
from isocost.errors import ModelError, TryAgainError

T = TypeVar("T")
_CONNECT = 30.0  # seconds; a host that is there answers in one
# The most that a step of connecting takes of a request's time. There are up to three: TCP, TLS with a proxy, TLS with the endpoint. All of
# them end before the request does, because a request that is not known to be unsent is charged.
_CONNECT_SHARE = 0.3
_NO_LIMIT = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
_PROXIED = {"http", "https", "all"}  # the schemes whose proxies concern an endpoint
_A_POOL = 4  # connections per pool, see `SpreadTransport`
MOST_BYTES = 64 * 2**20  # of a reply: a hundred thousand tokens for each of a hundred choices
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # whichever of the two the header is of
_GZIP = b"\x1f"  # how a member begins
_PART = 2**16  # bytes that are unpacked at once


class ReplyTooLongError(Exception):
    """Raised for a reply that does not end, or is longer than any requested one."""


class CappedStream(httpx2.AsyncByteStream):
    """The body of a response, up to a number of bytes.

    Raises:
        ReplyTooLongError: There is more.
    """

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body in the parts in which it comes."""
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > self._most:
                raise ReplyTooLongError
            yield part

    async def aclose(self) -> None:
        """Close the connection, or give it back."""
        await self._stream.aclose()


class UnpackedStream(httpx2.AsyncByteStream):
    """A compressed body, unpacked a part at a time, so that a small one that unpacks to a huge one never fills the memory.

    Raises:
        httpx2.DecodingError: It is not what its header says.
    """

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it was before it was compressed."""
        unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            async for packed in self._stream:
                while packed:
                    if unpacking.eof and not packed.startswith(_GZIP):
                        break  # padding, as most others that unpack ignore it
                    if unpacking.eof:  # a body of gzip may have several members
                        unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
                    yield unpacking.decompress(packed, _PART)
                    packed = unpacking.unused_data or unpacking.unconsumed_tail
            yield unpacking.flush()
        except zlib.error as error:
            raise httpx2.DecodingError(str(error)) from error

    async def aclose(self) -> None:
        """Close the connection, or give it back."""
        await self._stream.aclose()


async def _cap(most: int, response: httpx2.Response) -> None:
    """Bound a response before any of it is read, error messages included.

    Nobody asked for a compressed one (Accept-Encoding). One that was compressed once is unpacked here, in bounds; any other is left as it
    is, and cannot be read. The library decodes errors by the charset that the header names, and some raise: JSON is UTF-8 whatever it says.
    """
    response.encoding = "utf-8"
    stream = response.stream
    if not isinstance(stream, httpx2.AsyncByteStream):
        return
    stream = CappedStream(stream, most)  # packed as well: members may be empty, without end
    named = (name.strip().lower() for name in response.headers.pop("content-encoding", "").split(","))
    encodings = [name for name in named if name not in ("", "identity")]
    is_packed_once = len(encodings) == 1 and encodings[0] in ("gzip", "x-gzip", "deflate")
    response.stream = CappedStream(UnpackedStream(stream), most) if is_packed_once else stream


class SpreadTransport(httpx2.AsyncBaseTransport):
    """Several small pools of connections, used in turn: a pool looks through all of its connections at every request and every reply."""

    def __init__(self, concurrency: int) -> None:
        context = httpx2.create_ssl_context()  # one for all pools: making it reads the certificates
        self._pools = [httpx2.AsyncHTTPTransport(verify=context, limits=_NO_LIMIT) for _ in range(-(-concurrency // _A_POOL))]
        self._turn = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request through the pool whose turn it is."""
        self._turn = (self._turn + 1) % len(self._pools)
        return await self._pools[self._turn].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.aclose()


def client_for(endpoint: Endpoint, timeout: float, concurrency: int, most: int | None = None) -> openai.AsyncOpenAI:
    """Make a client that follows no redirect and retries nothing. Proxies of the environment are for other machines than this one.

    Args:
        endpoint: The endpoint.
        timeout: Seconds that a request may take. Connecting takes less.
        concurrency: How many requests are under way at once.
        most: Bytes of a response, at most; by default `MOST_BYTES`.

    Raises:
        ModelError: A proxy of the environment cannot be used, or its certificate authorities cannot be read.
    """
    proxies = {} if endpoint.loopback else {scheme: proxy for scheme, proxy in getproxies().items() if scheme in _PROXIED}
    proxied = bool(proxies)
    try:
        _check_proxies(proxies)
        http = openai.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(None, connect=min(_CONNECT_SHARE * timeout, _CONNECT)),
            limits=_NO_LIMIT,
            follow_redirects=False,
            trust_env=proxied,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # keeps none: a request does not depend on others
            transport=None if proxied else SpreadTransport(concurrency),
            event_hooks={"response": [partial(_cap, most or MOST_BYTES)]},
        )
    # Of a proxy: its port is no number, its scheme is not known, or needs a package that is not installed.
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        message = f"{endpoint}: a proxy of the environment cannot be used: {endpoint.clean(str(error))}"
        raise ModelError(message, advice="unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or set no_proxy") from error
    except OSError as error:  # of the certificates, which are read here
        message = f"{endpoint}: the certificate authorities cannot be read: {endpoint.clean(str(error))}"
        raise ModelError(message, advice="unset SSL_CERT_FILE and SSL_CERT_DIR, or set them to a file or folder of certificates") from error
    client = openai.AsyncOpenAI(
        api_key=endpoint.key or "none",  # the library insists on one
        base_url=endpoint.base_url,
        max_retries=0,  # isocost retries by itself, because each attempt is reserved under the limit
        http_client=http,
        default_headers={"Accept-Encoding": "identity"},  # a compressed reply has no length before it is unpacked
    )
    if not endpoint.official:
        client.organization = client.project = None  # read from the environment, and nobody else's business
    return client


def _check_proxies(proxies: Mapping[str, str]) -> None:
    """Check what the library does not: it would look for a proxy with such an address for as long as the run waits.

    Raises:
        ValueError: a proxy has no host, or a port that does not exist.
    """
    for scheme, proxy in proxies.items():
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        try:
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:  # not a number, or above 65535
            usable = False
        if not usable:
            raise ValueError(f"{scheme.upper()}_PROXY has no host, or no port from 1 to 65535")


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
