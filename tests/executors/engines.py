"""Engines for tests of executors: they answer with what they were asked, wait for files, fail as they are told, and note what happens."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, ModelSize, Request
from isocost.errors import EngineError, TryAgainError
from isocost.executors.jobs import EngineSpec, Job, Storing
from isocost.records import ModelCard, SamplingParams

NAME = "tests.executors.engines:open_engine"
CARD = ModelCard(name="weak", engine="scripted", source="weak", parameters=1, parameters_are="", flops_per_token=2.0, usd_per_million=None)


class UnpicklableError(Exception):
    """Goes through pickle in one direction only, as several clients' errors do."""

    def __init__(self, *, response: str) -> None:
        super().__init__(f"the server said {response}")


class Scripted:
    """`does` says what it does: `answer`, or a way to fail. `waits`: a file it waits for. `exclusive`: takes its device whole."""

    shares_prompts = False

    def __init__(
        self,
        base: Path,
        *,
        name: str = "engine",
        does: str = "answer",
        waits: str = "",
        concurrency: int = 1,
        remote: bool = False,
        exclusive: bool = False,
        model: str = "",
    ) -> None:
        if does == "refuse":
            raise EngineError("it does not open")
        self.identity, self.concurrency, self.remote, self.exclusive = name, concurrency, remote, exclusive
        self._base, self._does, self._waits = base, does, waits
        self.users, self.closed = 0, 0
        self._lock = threading.Lock()
        note(base, f"open {name}")

    def size(self) -> ModelSize | None:
        return None

    def render(self, request: Request) -> str:
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        return [(request,) for request in requests]

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        note(self._base, f"begin {self.identity} {batch[0].problem_id} {os.getpid()}")
        while self._waits and not (self._base / self._waits).exists():
            time.sleep(0.002)
        fail(self._does)
        found = [[generation(f"{r.prompt} {r.first_index + i}") for i in range(r.count)] for r in batch]
        if self._does == "fewer":
            found = [each[:-1] for each in found]
        elif self._does == "more":
            found[0].append(generation("surplus"))
        elif self._does == "shorter":
            found = found[1:]
        elif self._does == "nothing":
            found = [[] for _ in batch]
        note(self._base, f"end {self.identity} {batch[0].problem_id}")
        return found

    def close(self) -> None:
        self.closed += 1
        note(self._base, f"close {self.identity}")


class Starting(Scripted):
    """Does not need a thread to answer: what `start` returns is settled by one of the engine's own, once it need not wait."""

    def start(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> Future[list[list[Generation]]]:
        if self._does == "start error":
            raise EngineError("it does not start")
        future: Future[list[list[Generation]]] = Future()

        def settle() -> None:
            try:
                future.set_result(self.generate(batch, params, seed))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
                future.set_exception(error)

        if self._does == "at once":
            settle()
        else:
            threading.Thread(target=settle).start()
        return future


def fail(does: str) -> None:
    if does == "engine error":
        raise EngineError("no answer\n  try another")
    if does == "try again":
        raise TryAgainError("busy", wait=3.0, charged=True)
    if does == "value error":
        raise ValueError("surprise")
    if does == "unpicklable":
        raise UnpicklableError(response="500")
    if does == "die":
        os._exit(9)
    if does == "exit":
        raise SystemExit(3)


def generation(text: str) -> Generation:
    return Generation(text=text, num_prompt_tokens=3, num_generated_tokens=5, finish_reason="stop")


def open_engine(options: Mapping[str, Any], base: Path) -> Scripted:
    own = dict(options)
    return (Starting if own.pop("starts", False) else Scripted)(base, **own)


def note(base: Path, line: str) -> None:
    """Written in one go: processes and threads write to one file."""
    file = os.open(base / "noted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def noted(base: Path) -> list[str]:
    path = base / "noted"
    return path.read_text().splitlines() if path.exists() else []


def spec(base: Path, **options: object) -> EngineSpec:
    return EngineSpec(name=NAME, options=tuple(sorted(options.items())), base=base)


def job(base: Path, key: str, *, count: int = 2, stored: bool = False, requests: int = 1, **options: Any) -> Job:
    """A job of so many requests; `options` are the engine's."""
    asked = tuple(Request(problem_id=f"{key}-{i}", prompt=f"ask {key}-{i}", first_index=4, count=count) for i in range(requests))
    return Job(
        key=key,
        spec=spec(base, **options),
        queue=spec(base, **options).key if options.get("remote", False) else "",
        remote=options.get("remote", False),
        concurrency=options.get("concurrency", 1),
        requests=asked,
        params=SamplingParams(max_tokens=8),
        seed=1,
        storing=Storing(stem=base / "pool", pool="pool", asked=("asked",) * requests, card=CARD) if stored else None,
    )
