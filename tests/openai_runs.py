"""Studies on endpoints, run as a person runs them: by the command line, in this process or in one of its own; and what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import polars as pl
import pytest
import yaml

from isocost import cli
from isocost.dispatch import calls
from isocost.dispatch.calls import Retrying
from isocost.executors.engineworker import EngineWorker
from isocost.executors.jobqueue import JobQueue
from isocost.executors.jobs import Answers, Job
from tests.builders import write_problems
from tests.engines.openai.server import Server

P = ParamSpec("P")
T = TypeVar("T")

MAX_TOKENS = 20
KEY = "sk-very-secret-0123456789"
VARIABLE = "ISOCOST_TEST_KEY"
PRICES = {"weak": {"input": 1.0, "output": 10.0, "input_cache_read": 0.1}, "strong": {"input": 3.0, "output": 40.0}}
SOON = Retrying(first=0.001, longest=0.002, patience=60.0)


def raw(url: str, **changes: Any) -> dict[str, Any]:
    """One endpoint's model, three draws a problem; `changes` replace whole sections, None removes one."""
    study: dict[str, Any] = {
        "name": "asked",
        "problems": {"train": {"source": "jsonl", "path": "problems.jsonl"}},
        "models": {"weak": model(url)},
        "prompt": {"form": "Q: {question}\nA:"},
        "sampling": {"max_tokens": MAX_TOKENS},
        "budgets": {"low": {"unit": "usd", "amount": 100.0}},
        "arms": {"weak": {"models": ["weak"], "samples_per_problem": 3}},
        "grader": {"name": "number"},
    }
    return {key: value for key, value in (study | changes).items() if value is not None}


def model(url: str, name: str = "weak", **options: Any) -> dict[str, Any]:
    """A model behind an endpoint, with its price."""
    return {
        "engine": "openai",
        "model": "tiny",
        "base_url": url,
        "api_key_env": VARIABLE,
        "concurrency": 4,
        "prompt_tokens": 6,
        "price": PRICES[name],
        **options,
    }


def write(folder: Path, study: Mapping[str, Any], *, n_problems: int = 8) -> Path:
    """The study file in a folder, with its problems."""
    write_problems(folder, n_problems)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(dict(study), sort_keys=False), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a command left: its exit status and what it printed."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines from the first `error:` on."""
        lines = self.err.splitlines()
        begin = next((i for i, line in enumerate(lines) if line.startswith("error:")), len(lines))
        return lines[begin:]

    @property
    def notes(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("note:")]


class Shell:
    """The command line in this process: workers are threads, everything else is as it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setattr("isocost.running.runs.LocalExecutor", ThreadExecutor)
        self.retry(SOON)

    def retry(self, retrying: Retrying) -> None:
        """How endpoints are asked again from now on."""
        self._monkeypatch.setattr(calls, "RETRYING", retrying)

    def __call__(self, *arguments: str | Path) -> Left:
        self._monkeypatch.setattr(sys, "argv", ["isocost", *map(str, arguments)])
        heeded = signal.getsignal(signal.SIGINT)
        self._capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        finally:
            signal.signal(signal.SIGINT, heeded)
        said = self._capsys.readouterr()
        return Left(code=code, out=said.out, err=said.err)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line in this process, without a key."""
    monkeypatch.delenv(VARIABLE, raising=False)
    return Shell(monkeypatch, capsys)


class _Handle:
    """A worker in this process."""

    def __init__(self, name: str) -> None:
        self.worker = EngineWorker(name)

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Any]:
        return self.worker.exchange(jobs, timeout, withdrawn)


class ThreadExecutor:
    """Stands in for worker processes: the queues and workers are the real ones, and work in threads."""

    cores = workers = threads = 1

    def __init__(self, largest: int | None) -> None:
        self.largest = largest
        self._queues: dict[str, JobQueue] = {}
        self._handles: list[_Handle] = []
        self._one = threading.Lock()  # a judge sends too

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a worker does: whoever asks for the result gets it
            future.set_exception(error)
        return future

    def submit_to(self, queue: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self.submit(function, *args, **kwargs)

    def send(self, job: Job) -> Future[Answers]:
        with self._one:
            if job.queue not in self._queues:
                self._handles.append(_Handle(f"w{len(self._handles)}"))
                self._queues[job.queue] = JobQueue([self._handles[-1]], lambda *dead: None)
        return self._queues[job.queue].put(job)

    def capacity(self, job: Job) -> int:
        return 2 * job.concurrency

    def withdraw(self, queue: str) -> None:
        self._queues[queue].withdraw()

    def close(self, *, wait: bool = True) -> None:
        for queue in self._queues.values():
            queue.close()
        for worker in self._handles:
            for engine in worker.worker.engines._engines.values():
                engine.close()


def command(*arguments: str | Path, first: str = "") -> list[str]:
    """The command line as a process of its own, which does `first` first."""
    return [sys.executable, "-c", f"{first}\nfrom isocost.cli import main; main()", *map(str, arguments)]


def run_process(*arguments: str | Path) -> Left:
    """Run the command line to its end."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    return Left(code=done.returncode, out=done.stdout, err=done.stderr)


@contextmanager
def started(*arguments: str | Path, first: str = "") -> Iterator[subprocess.Popen[str]]:
    """The command line as the head of a process group of its own, which does not outlive this."""
    process = subprocess.Popen(
        command(*arguments, first=first),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ledger(out: Path) -> list[dict[str, Any]]:
    """The ledger's whole lines."""
    text = (out / "ledger.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def events(out: Path) -> Counter[str]:
    """How many lines of each kind the ledger has."""
    return Counter(line["event"] for line in ledger(out))


def balances(out: Path, unit: str = "usd") -> Iterator[tuple[float, float]]:
    """(spent, reserved) after each line of the ledger."""
    spent, open_ = 0.0, {}
    for line in ledger(out):
        if line["event"] == "reserve":
            assert line["request"] not in open_
            open_[line["request"]] = line[unit]
        else:
            open_.pop(line["request"], None)
            spent += line[unit] if line["event"] in ("done", "lost") else 0.0
        yield spent, sum(open_.values())


def stored(out: Path, model: str = "*") -> list[dict[str, Any]]:
    """Every draw of a model as it is stored, whichever file it is in; one that is stored twice stands here twice."""
    rows: list[dict[str, Any]] = []
    for path in sorted((out / "pools").glob(f"{model}/*.jsonl")):
        if path.name != "rounds.jsonl":
            for line in path.read_text(encoding="utf-8", errors="surrogatepass").splitlines(keepends=True):
                rows += json.loads(line)["rows"] if line.endswith("\n") else []
    for path in sorted((out / "pools").glob(f"{model}/*/*.parquet")):
        rows += pl.read_parquet(path).to_dicts()
    return rows


def completions(server: Server) -> int:
    """Requests for solutions that came."""
    return server.requests["completions"] + server.requests["chat/completions"]


def holds(out: Path, text: str) -> list[Path]:
    """The files of a folder that hold a text."""
    return [path for path in sorted(out.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()]
