"""An OpenAI-compatible endpoint on this machine, for tests, benchmarks and kill tests.

In a test: `with Server(faults=["429 seconds"]) as server: ... server.url`. As a process of its own, for as long as stdin is open:
`python -m tests.engines.openai.server --port 0 --every 500:7`; the first line of its output is the URL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tests.engines.openai.replies import FAULTS, Answer, Asked, Reply, any_answer, completion, refusal
from tests.engines.openai.serving import InThread


class Server(InThread):
    """Answers `/v1/completions`, `/v1/chat/completions` and `/v1/models` from a thread of its own.

    Args:
        models: The models that it knows.
        key: What it demands as bearer token; None takes anybody.
        context: The most words a prompt may have.
        faults: Misbehaviour by name (`replies.FAULTS`), one a request in the order they come; then it behaves.
        every: Misbehaviour by name -> each how many-th request has it; it counts all requests, asked again or not.
        hold: Requests that must wait here together before any of them is answered.
        delay: Seconds before each answer.
        answer: The text for a prompt, a seed and the number of the choice.
        paths: The paths under /v1 that exist.

    Attributes:
        url: Its base_url.
        requests: How many requests came, by path under /v1.
        asked: The completion requests, in the order they came; the first `remember` of them.
        peak: The most that waited at once.
        on_request: Called with each completion request as it comes, in the server's thread.
    """

    def __init__(
        self,
        *,
        models: Sequence[str] = ("tiny",),
        key: str | None = None,
        context: int = 10_000,
        faults: Sequence[str] = (),
        every: Mapping[str, int] | None = None,
        hold: int = 1,
        delay: float = 0.0,
        answer: Answer = any_answer,
        paths: Sequence[str] = ("completions", "chat/completions", "models"),
        port: int = 0,
        remember: int = 10_000,
    ) -> None:
        super().__init__(port)
        self.requests: Counter[str] = Counter()
        self.asked: list[Asked] = []
        self.peak = 0
        self.on_request: Callable[[Asked], object] = lambda asked: None
        self._models, self._key, self._context, self._answer = tuple(models), key, context, answer
        self._faults, self._every, self._paths = list(faults), dict(every or {}), paths
        self._hold, self._delay, self._remember = hold, delay, remember
        self._waiting: list[tuple[_Connection, Asked]] = []
        self._in_flight = 0
        self._connections: set[_Connection] = set()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port)

    def _disconnect(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    def take(self, connection: _Connection, asked: Asked) -> None:
        """Answer a request now, after the delay, or once enough others wait."""
        path = asked.path.removeprefix("/v1/")
        self.requests[path] += 1
        if path == "models" or path not in self._paths:
            connection.send(self._elsewhere(path))
            return
        self.on_request(asked)
        if len(self.asked) < self._remember:
            self.asked.append(asked)
        self._in_flight += 1
        self.peak = max(self.peak, self._in_flight)
        self._waiting.append((connection, asked))
        if len(self._waiting) >= self._hold:
            release, self._waiting = self._waiting, []
            for waiting in release:
                if self._delay:
                    self._loop.call_later(self._delay, self._finish, *waiting)
                else:
                    self._finish(*waiting)

    def _finish(self, connection: _Connection, asked: Asked) -> None:
        self._in_flight -= 1
        connection.send(self._reply(asked))

    def _elsewhere(self, path: str) -> Reply:
        if path in self._paths:
            return Reply(body=json.dumps({"object": "list", "data": [{"id": m, "object": "model"} for m in self._models]}).encode())
        return refusal(404, f"no such path {path}")

    def _reply(self, asked: Asked) -> Reply:
        if self._key is not None and asked.headers.get("authorization") != f"Bearer {self._key}":
            return refusal(401, f"Incorrect API key provided: {asked.headers.get('authorization')}", code="invalid_api_key")
        if asked.body["model"] not in self._models:
            return refusal(404, f"The model `{asked.body['model']}` does not exist.", code="model_not_found")
        words = len(asked.prompt.split())
        if words > self._context:
            return refusal(400, f"This model's maximum context length is {self._context} tokens, your prompt has {words}.", code=400)
        good = Reply(body=json.dumps(completion(asked, self._answer)).encode())
        fault = self._faults.pop(0) if self._faults else self._due()
        return FAULTS[fault](asked, good) if fault else good

    def _due(self) -> str | None:
        number = self.requests["completions"] + self.requests["chat/completions"]
        return next((fault for fault, each in self._every.items() if number % each == 0), None)


class _Connection(asyncio.Protocol):
    """One client's connection, kept alive; requests come one after the other."""

    def __init__(self, server: Server) -> None:
        self._server, self._buffer = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._connections.discard(self)

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer.startswith(b"\x16\x03"):  # a TLS handshake: as web servers do, refuse it in plain text
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
            self._transport.close()
            return
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if len(body) >= int(headers.get("content-length", "0")):
            self._buffer = b""
            self._server.take(self, Asked(path=first.split(" ")[1], headers=headers, body=json.loads(body) if body else {}))

    def send(self, reply: Reply) -> None:
        if not reply.silent:
            size = len(reply.body) + (100 if reply.cut else 0)
            lines = [
                f"HTTP/1.1 {reply.status} x",
                f"content-length: {size}",
                *(f"{name}: {value}" for name, value in reply.headers.items()),
            ]
            self._transport.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        if reply.cut:
            self._transport.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--model", action="append")
    parser.add_argument("--every", action="append", default=[], metavar="FAULT:N", help="each Nth request goes wrong in this way")
    parser.add_argument("--answer", help="the text of every solution")
    given = parser.parse_args()
    every = {name: int(each) for name, _, each in (text.rpartition(":") for text in given.every)}
    answer = any_answer if given.answer is None else lambda prompt, seed, choice: str(given.answer)
    models = given.model or ["tiny"]
    with Server(models=models, every=every, delay=given.delay, answer=answer, port=given.port, remember=0) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
