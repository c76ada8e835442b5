"""kill -9 at every boundary of a batch's life: what is lost, what is bought twice by the endpoint's own bill, and whether the limit holds.

A study is bought through the fake batch API of the tests, as a process of its own, in batches of a few requests. A start is a fork of this
process with the client in it: a start from nothing takes seconds of imports, and hours for 200 kills on a busy machine. With `--processes`
it is one from nothing, with the worker processes of a usual run. Each start is killed at a boundary: before, during or after a step of
submitting (reserve, upload, create, note the id), finding, looking, downloading, committing, settling or deleting; some at a random moment
instead. The boundaries take turns. A run that completes is checked, and the next begins in a new folder, until there were enough kills.
From the repository's root: `PYTHONPATH=src:. python benchmarks/batch_kills.py`.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

PROBLEMS, SAMPLES, IN_A_BATCH = 30, 4, 30
STUDY = """\
name: kills
problems: {{train: {{source: lab, split: train, limit: {problems}}}}}
models:
  weak:
    {{engine: openai, model: tiny, base_url: "{url}", batch: true, tokens_per_sample: 9, prompt_tokens: 20,
      price: {{input: 2, output: 20, batch: {{input: 1, output: 10}}}}}}
prompt: {{form: "Q: {{question}}\\nA:"}}
sampling: {{max_tokens: 20}}
limit: {{unit: usd, amount: {limit}}}
budgets: {{low: {{unit: usd, amount: 100}}}}
grader: {{name: number}}
arms: {{weak: {{models: [weak], samples_per_problem: {samples}}}}}
"""
RUN = """\
import sys; sys.path.insert(0, {scripts!r})
import batch_kills; from isocost.executors.local import LocalExecutor
batch_kills.arm(LocalExecutor, {point!r}, {count}, {delay})
from pathlib import Path; from isocost import run; run(Path({study!r}), Path({out!r}), until='sample')
"""
EVENTS = ("reserved", "creating", "created", "state", "collected", "closed")
CALLS = ("write_requests", "submit_file", "create", "look", "find", "download", "collect", "delete", "remove")
POINTS = (
    *(f"record {event} {when}" for event in EVENTS for when in ("before", "after")),
    *(f"call {call} {when}" for call in CALLS for when in ("before", "during", "after")),
    *(f"{name} {when}" for name in ("reserve", "store", "release") for when in ("before", "after")),
)
IMPORTED = ("isocost.engines.openai.engine", "isocost.executors.batchworker", "isocost.sampling.data", "isocost.running.stages")
RANDOM = "at a random moment"
LIMIT = 0.025  # dollars: about two batches of 30 at their worst case fit at first, and all requests in the end


def arm(executor: Any, point: str, count: int, delay: float) -> None:
    """Let this process be killed at a boundary, when it is reached for the count-th time; make pauses and batches small.

    Args:
        executor: The class of the executor.
        point: One of `POINTS`, `RANDOM`, or "" for a start that is not killed.
        count: Which time.
        delay: Seconds after the point, or after the start for a random moment.
    """
    from isocost.dispatch.batches import waiting
    from isocost.dispatch.batches.terms import Timing
    from isocost.ledger import Ledger
    from isocost.ledger.submissions import Submissions
    from isocost.sampling import batches
    from isocost.sampling.pools import Pool

    batches.TIMING = Timing(poll=0.02, longest_poll=0.05, listing=0.4, retry=0.05, longest_retry=0.1)
    original = waiting.WaitingCalls.__init__
    waiting.WaitingCalls.__init__ = functools.partialmethod(original, most=IN_A_BATCH)  # type: ignore[method-assign]
    if point == RANDOM:
        threading.Timer(delay, die).start()
    reached = Counter[str]()

    def at(name: str, wait: float = 0.0) -> None:
        reached[name] += 1
        if name == point and reached[name] == count:
            if wait:
                threading.Timer(wait, die).start()
            else:
                die()

    def around(owner: type, method: str, name: Callable[..., str]) -> None:
        inner = getattr(owner, method)

        @functools.wraps(inner)
        def outer(self: Any, *arguments: Any, **named: Any) -> Any:
            at(f"{name(*arguments)} before")
            found = inner(self, *arguments, **named)
            at(f"{name(*arguments)} after")
            return found

        setattr(owner, method, outer)

    around(Submissions, "record", lambda event, *rest: f"record {event}")
    around(Ledger, "reserve", lambda *rest: "reserve")
    around(Ledger, "release", lambda *rest: "release")
    around(Pool, "add_answers", lambda *rest: "store")
    submit = executor.submit_to

    def submit_to(self: Any, queue: str, function: Any, /, *arguments: Any, **named: Any) -> Any:
        name = f"call {function.__name__}"
        at(f"{name} before")
        at(f"{name} during", delay)
        future = submit(self, queue, function, *arguments, **named)
        future.add_done_callback(lambda done: at(f"{name} after"))
        return future

    executor.submit_to = submit_to


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Run the fake endpoint as a process of its own; yield its address."""
    command = [sys.executable, "-m", "tests.engines.openai.batchserver", *options]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def bill(url: str) -> dict[str, Any]:
    """What the endpoint has charged."""
    with urllib.request.urlopen(f"{url}/bill") as reply:
        return dict(json.load(reply))


def start(study: Path, out: Path, point: str = "", count: int = 1, delay: float = 0.0, *, processes: bool = False) -> int:
    """Start or resume the run; return its exit status, negative if it was killed."""
    if not processes:
        return fork(study, out, point, count, delay)
    text = RUN.format(scripts=str(Path(__file__).parent), point=point, count=count, delay=delay, study=str(study), out=str(out))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], check=False, capture_output=True, text=True)
    if done.returncode > 0:
        raise SystemExit(f"a start at {point} failed:\n{done.stderr[-3000:]}")
    return done.returncode


def fork(study: Path, out: Path, point: str, count: int, delay: float) -> int:
    """Start the run in a fork of this process, which has imported everything and has no threads."""
    from tests.openai_runs import ThreadExecutor

    from isocost import run
    from isocost.running import runs

    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status > 0:
            raise SystemExit(f"a start at {point} failed, see above")
        return status
    try:
        runs.LocalExecutor = ThreadExecutor  # type: ignore[assignment, misc]
        arm(ThreadExecutor, point, count, delay)
        run(study, out, until="sample")
    except BaseException:  # noqa: BLE001 - the fork must not go on as a second parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def spent(out: Path) -> float:
    """What the ledger has spent and reserved."""
    total, waiting = 0.0, dict[str, float]()
    ledger = out / "ledger.jsonl"
    for line in ledger.read_bytes().split(b"\n")[:-1] if ledger.exists() else []:
        entry = json.loads(line)
        if entry["event"] == "reserve":
            waiting[entry["request"]] = entry["usd"]
        else:
            waiting.pop(entry["request"], None)
            total += entry.get("usd") or 0.0 if entry["event"] in ("done", "lost") else 0.0
    return total + sum(waiting.values())


def events(out: Path) -> Counter[str]:
    """How many lines of each kind the ledger has."""
    return Counter(json.loads(line)["event"] for line in (out / "ledger.jsonl").read_text().splitlines())


def write(base: Path, url: str) -> Path:
    """Write the study."""
    study = base / "study.yaml"
    study.write_text(STUDY.format(url=url, problems=PROBLEMS, samples=SAMPLES, limit=LIMIT))
    return study


def check(out: Path, whole: Path) -> Counter[str]:
    """Compare a completed run with one that was never killed (in a process of its own: forks of one with polars' threads hang)."""
    imported = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import batch_kills"
    text = f"{imported}; batch_kills.print_check({str(out)!r}, {str(whole)!r})"
    return Counter(json.loads(subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout))


def print_check(out: str, whole_run: str) -> None:
    """Print what differs between two runs, as JSON."""
    import polars as pl

    killed, whole = (pl.read_parquet(Path(folder) / "samples.parquet") for folder in (out, whole_run))
    keys = ["model", "problem_id", "sample_index"]
    found = json.dumps(
        {
            "lost": whole.join(killed, on=keys, how="anti").height,
            "stored twice": killed.height - killed.unique(keys).height,
            "charged as lost": events(Path(out))["lost"],
            "different": int(not whole.equals(killed)),
            "runs": 1,
        }
    )
    sys.stdout.write(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", action="store_true", help="start each time from nothing, with worker processes")
    given = parser.parse_args()
    begin = functools.partial(start, processes=given.processes)
    if not given.processes:
        for module in IMPORTED:  # what every start would import again
            import_module(module)
    rng = random.Random(given.seed)
    found, killed = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, serving("--delay", "0.2", "--listing-delay", "0.1", "--page", "3") as url:
        base = Path(folder)
        study = write(base, url)
        begun = time.perf_counter()
        begin(study, base / "whole")
        starting = time.perf_counter() - begun
        bought, number, over = bill(url), 0, 0
        while killed.total() < given.kills:
            number += 1
            out = base / f"killed{number}"
            while killed.total() < given.kills:
                point, *rest = next_points(rng, killed)
                delay = rng.uniform(0.3 * starting, starting) if point == RANDOM else rng.uniform(0, 0.02)
                if begin(study, out, point, rng.choice((1, 1, 2)), delay) == 0:
                    if point == RANDOM:
                        starting *= 0.8  # the machine is faster now than when this was measured
                    break
                killed[point] += 1
                over += spent(out) > LIMIT * (1 + 1e-9)
                for following in rest:
                    if begin(study, out, following, 1, delay) != 0:
                        killed[following] += 1
                print(f"kill {killed.total()} of {given.kills}: {point}", file=sys.stderr, flush=True)
            begin(study, out)
            over += spent(out) > LIMIT * (1 + 1e-9)
            found += check(out, base / "whole")
        after = bill(url)
    report(found, killed, after["lines"] - bought["lines"], over, after["files"])


def next_points(rng: random.Random, killed: Counter[str]) -> list[str]:
    """Return the next boundary, one of those with the fewest kills, behind the kill without which it is not reached."""
    points = (*POINTS, RANDOM)
    fewest = min(killed[each] for each in points)
    point = rng.choice([each for each in points if killed[each] <= fewest + (rng.random() < 0.3)])
    # What comes only after a certain kill comes after that.
    first = {"find": "record creating after", "remove": "call submit_file after"}.get(point.split()[1])
    return [first, point] if first else [point]


def report(found: Counter[str], killed: Counter[str], lines: int, over: int, files: int) -> None:
    """Print what was found."""
    requests = PROBLEMS * SAMPLES
    draws = found["runs"] * requests
    print(f"kills                          {killed.total()} at {len(killed)} boundaries; {found['runs']} runs of {requests} requests")
    print(f"lost                           {found['lost']} of {draws:,}")
    print(f"charged without an answer      {found['charged as lost']}")
    print(f"stored twice                   {found['stored twice']}")
    print(f"bought twice, by its bill       {lines - draws}")
    print(f"limit exceeded                 {over} times")
    print(f"files left at the endpoint     {files}")
    print(f"runs that differ               {found['different']}")


if __name__ == "__main__":
    main()
