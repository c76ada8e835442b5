"""The OpenAI engine: batches in, generations out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.batching import Batched, Batching, split
from isocost.engines.openai.batchclient import BatchClient
from isocost.engines.openai.batchlines import BatchLines, url_of
from isocost.engines.openai.bodies import hidden_tokens, messages, path_for
from isocost.engines.openai.calls import Caller
from isocost.engines.openai.client import Connection, client_for
from isocost.engines.openai.endpoint import read_endpoint
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.usage import TOKENS_PER_MESSAGE
from isocost.engines.options import read_options
from isocost.ids import digest
from isocost.records import SamplingParams


class OpenAIEngine(Batched):
    """Asks one model of one endpoint.

    Attributes:
        identity: `openai:`, the endpoint's address and the model's name there; a digest of `extra_body` where there is one. What runs
            behind a name may change; only the endpoint knows.
        concurrency: How many threads may call `generate` at once.
        timeout: Seconds after which a request without a whole reply is given up.
        shares_prompts: Whether a request may ask for several solutions.
        batching: One call a batch, of at most `n` solutions; calls with the same prompt side by side, for the endpoint's cache.
        most_choices: Solutions that a line of a batch may ask for.
        added_tokens: Prompt tokens of a request, beyond one for each byte of the prompt, that pass the check of its usage.
    """

    remote = True

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self.identity = f"openai:{options.base_url}/{options.model}" + (f"#{digest(options.extra_body)}" if options.extra_body else "")
        self.concurrency = options.concurrency
        self.timeout = options.timeout
        self.shares_prompts = options.n > 1
        self.most_choices = options.n
        self.batching = Batching(size=options.n, mixed=False)
        self.added_tokens = TOKENS_PER_MESSAGE + hidden_tokens(options)  # `Template.most_tokens` has those of a conversation
        self._lock = threading.Lock()
        self._open: tuple[Caller, Connection] | None = None
        self._batches: BatchClient | None = None
        self._lines: BatchLines | None = None

    def size(self) -> None:
        """Return None: an endpoint does not give the size."""

    def render(self, request: Request) -> str:
        """Return the prompt; for a conversation the messages, each after its role."""
        if path_for(request, self._options) == "/completions":
            return request.prompt
        return "\n".join(f"{message['role']}: {message['content']}" for message in messages(request))

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch, all its calls at once.

        Raises:
            EngineError: the key, the model or the request is refused.
            RefusedPromptError: its content filter refuses the prompt, or the prompt does not fit into the model's context.
            UsageError: the usage that it reports cannot be right.
            TryAgainError: the endpoint is busy, failing or out of reach, its reply cannot be read, or the engine was closed meanwhile.
                Nothing of the batch is kept.
            ModelError: the study asks what the endpoint cannot do.
        """
        return self.start(batch, params, seed).result()

    def start(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> Future[list[list[Generation]]]:
        """Begin to answer a batch. Return a future of the result or exception of `generate`."""
        parts = [list(split(request, self._options.n)) for request in batch]
        with self._lock:
            caller, connection = self._opened()
            return connection.submit(_answer(caller, parts, params, seed))

    def close(self) -> None:
        """End the thread and its connections; calls in flight fail. The next `generate` opens them again."""
        with self._lock:
            opened, self._open = self._open, None
            batches, self._batches = self._batches, None
        if opened is not None:
            opened[1].close()
        if batches is not None:
            batches.close()

    def batch_api(self) -> BatchClient:
        """Return the client of the endpoint's batch API.

        Raises:
            ModelError: the key or a proxy cannot be used.
        """
        with self._lock:
            if self._batches is None:
                self._batches = BatchClient(read_endpoint(self._options), self._options)
            return self._batches

    def batch_url(self, request: Request) -> str:
        """Return the `url` of requests like this one in a batch."""
        return url_of(request, self._options)

    def write_line(self, custom_id: str, request: Request, params: SamplingParams, seed: int) -> bytes:
        """Return the line of a request in a batch file."""
        return self._batch_lines().write(custom_id, request, params, seed)

    def read_line(self, line: Mapping[str, Any], request: Request, params: SamplingParams, seed: int) -> list[Generation]:
        """Return the solutions in a line of a batch's result file.

        Raises:
            NotRunError: the request was not run.
            EngineError: as `generate`.
        """
        return self._batch_lines().read(line, request, params, seed)

    def _batch_lines(self) -> BatchLines:
        if self._lines is None:
            self._lines = BatchLines(read_endpoint(self._options), self._options)
        return self._lines

    def _opened(self) -> tuple[Caller, Connection]:
        if self._open is None:
            endpoint = read_endpoint(self._options)
            client = client_for(endpoint, self._options.timeout, self._options.concurrency)
            self._open = Caller(endpoint, client, self._options), Connection(client, str(endpoint))
        return self._open


async def _answer(caller: Caller, parts: Sequence[Sequence[Request]], params: SamplingParams, seed: int) -> list[list[Generation]]:
    """Answer requests that are cut into calls."""
    calls = [part for of_request in parts for part in of_request]
    came = iter(await caller.answer(calls, params, seed))
    return [[generation for _ in of_request for generation in next(came)] for of_request in parts]


def open_engine(options: Mapping[str, object], base: Path) -> OpenAIEngine:
    """Open the engine of a study's model section. Nothing is sent before the first `generate`, so a plan needs no endpoint.

    Raises:
        StudyError: the options cannot be used.
    """
    return OpenAIEngine(read_options(OpenAIOptions, options))
