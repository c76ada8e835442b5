"""Clients of endpoints: how they connect, and what keeps them from it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from isocost.engines.base import Request
from isocost.engines.openai.client import UnpackedStream, client_for
from isocost.engines.openai.endpoint import Endpoint
from isocost.errors import ModelError, TryAgainError
from isocost.records import SamplingParams
from tests.engines.openai.conftest import Asks

PARAMS = SamplingParams(max_tokens=64)
ONE = Request(problem_id="p1", prompt="Q: how many are there?\nA:", first_index=0, count=1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connecting_that_hangs_has_charged_nothing_however_short_the_timeout_is(asks: Asks, scheme: str) -> None:
    with socket.socket() as silent, contextlib.ExitStack() as queued:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0 if scheme == "http" else 5)
        if scheme == "http":  # the queue of connections that nobody accepts is full, so that TCP hangs; else TLS does
            for _ in range(3):
                other = queued.enter_context(socket.socket())
                other.setblocking(False)
                other.connect_ex(silent.getsockname())
        with pytest.raises(TryAgainError, match="no connection") as error:
            asks(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/v1", timeout=0.5).generate([ONE], PARAMS, 0)
    assert not error.value.charged


@pytest.mark.parametrize(("timeout", "connect"), [(1.0, 0.3), (10.0, 3.0), (100.0, 30.0), (600.0, 30.0)])
def test_all_steps_of_connecting_end_before_the_timeout_of_a_request(timeout: float, connect: float) -> None:
    client = client_for(Endpoint(base_url="http://127.0.0.1:1/v1", model="m", key_variable="KEY", key=None), timeout, 1)
    limits = client._client.timeout
    assert limits.connect == pytest.approx(connect)
    assert 3 * connect < timeout


@pytest.mark.parametrize(
    "proxy",
    ["garbage://here", "socks5://127.0.0.1:1080", "http://here:99999", "http://here:abc", "http://here:0", "http://", "http://[::1"],
)
def test_a_proxy_that_cannot_be_used_is_told(asks: Asks, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ModelError, match=r"a proxy of the environment cannot be used: .*\n  unset HTTP_PROXY"):
        asks("http://example.invalid/v1").generate([ONE], PARAMS, 0)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_told(
    asks: Asks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(ModelError, match=r"the certificate authorities cannot be read: .*\n  unset SSL_CERT_FILE"):
        asks("http://127.0.0.1:1/v1").generate([ONE], PARAMS, 0)


def unpacked(sent: bytes, part: int) -> list[bytes]:
    """The parts of a body that comes in parts of so many bytes."""

    class Sent(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for at in range(0, len(sent), part):
                yield sent[at : at + part]

    async def read() -> list[bytes]:
        return [each async for each in UnpackedStream(Sent())]

    return asyncio.run(read())


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress, lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])])
@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
@pytest.mark.parametrize("part", [1, 1000])
def test_a_body_is_unpacked_in_small_parts(packed: Callable[[bytes], bytes], size: int, part: int) -> None:
    body = bytes(i * i % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    sent = packed(body)

    parts = unpacked(sent, part)
    assert b"".join(parts) == body
    assert max(map(len, parts)) <= 2**16
    assert b"".join(unpacked(sent + bytes(8), part)) == body  # padding
    if size:
        assert b"".join(unpacked(sent[:-4], part)) == body  # some proxies leave out the checksum; JSON that is cut off cannot be read
