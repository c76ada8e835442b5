"""What isocost costs in tokens a second: sampling with isocost beside the bare engine fed the same requests.

    python benchmarks/overhead.py transformers     the embedded weak model, a process a core
    python benchmarks/overhead.py openai           a local server that answers at once, beside an asyncio loop over the openai client

Both are whole processes, and both are also run with one request a core, which takes as long as they need to start and load: the rate is
that of the tokens and seconds in between. The two run in turn, so that a change in the machine's speed hits both; the ratio is that of the
medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import TWO_SHOT
from isocost.records import SamplingParams

CORES = len(os.sched_getaffinity(0))
PARAMS = SamplingParams(temperature=0.8, max_tokens=96, stop=TWO_SHOT.stop)
MODELS = {
    "transformers": '{engine: transformers, model: "lab:weak", device: cpu}',
    "openai": '{engine: openai, model: instant, base_url: "URL", concurrency: 64, params: 1000000}',
}
STUDY = """\
name: overhead
problems: {{train: {{source: lab, split: train, limit: {problems}}}}}
models: {{model: {model}}}
prompt: {{template: lab-2shot}}
sampling: {{temperature: 0.8, max_tokens: 96}}
grader: {{name: number}}
arms: {{all: {{models: [model], samples_per_problem: {samples}}}}}
"""
RUN = "from pathlib import Path; from isocost import run; run(Path('study.yaml'), Path('out'), until='sample')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=MODELS)
    parser.add_argument("--problems", type=int, default=400)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with endpoint(given.engine) as url:
        rates: dict[str, list[float]] = {"isocost": [], "bare engine": []}
        few = argparse.Namespace(**{**vars(given), "problems": CORES, "samples": 1})
        for _ in range(given.repeats):
            for name, run in (("isocost", by_isocost), ("bare engine", bare)):
                (units, seconds), (start_units, start) = run(given, url), run(few, url)
                rates[name].append((units - start_units) / (seconds - start))
    unit = "tokens/s" if given.engine == "transformers" else "requests/s"
    for name, found in rates.items():
        print(f"{name:<16} {statistics.median(found):9,.0f} {unit} ({min(found):,.0f} to {max(found):,.0f})")
    ratio = statistics.median(rates["isocost"]) / statistics.median(rates["bare engine"])
    print(f"ratio            {ratio:9.3f}   ({given.problems} problems x {given.samples} samples, {given.repeats} repeats, {CORES} cores)")


@contextmanager
def endpoint(engine: str) -> Iterator[str]:
    """A server that answers at once, in a process of its own; nothing where none is needed."""
    if engine != "openai":
        yield ""
        return
    root = Path(__file__).parents[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.engines.openai.server", "--port", "0", "--model", "instant"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield (server.stdout.readline() if server.stdout else "").strip()
    finally:
        server.kill()
        server.wait()


def by_isocost(given: argparse.Namespace, url: str) -> tuple[int, float]:
    """Tokens or requests, and seconds, of a run up to the end of sampling."""
    with tempfile.TemporaryDirectory() as folder:
        model = MODELS[given.engine].replace("URL", url)
        (Path(folder) / "study.yaml").write_text(STUDY.format(problems=given.problems, samples=given.samples, model=model))
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", RUN], cwd=folder, check=True)
        seconds = time.perf_counter() - started
        lines = [json.loads(line) for line in (Path(folder) / "out" / "ledger.jsonl").read_text().splitlines()]
    done = [line for line in lines if line["event"] == "done"]
    return sum(line["tokens"] if given.engine == "transformers" else line["count"] for line in done), seconds


def bare(given: argparse.Namespace, url: str) -> tuple[int, float]:
    """The same of the bare engine in processes of its own."""
    started = time.perf_counter()
    if given.engine == "openai":
        program = [sys.executable, __file__, "openai", f"--problems={given.problems}", f"--samples={given.samples}"]
        out = subprocess.run(program, env={**os.environ, "BARE": url}, check=True, stdout=subprocess.PIPE, text=True)
        units = int(out.stdout)
    else:
        with multiprocessing.get_context("spawn").Pool(CORES, initializer=one_thread) as pool:
            units = sum(pool.imap_unordered(answer, batches(given), chunksize=1))
    return units, time.perf_counter() - started


def one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(max(1, os.cpu_count() or 1) // CORES)


def requests(given: argparse.Namespace) -> list[Request]:
    problems = generate("train", 0)
    return [
        Request(problem_id=str(i), prompt=TWO_SHOT.render(next(problems).question), first_index=0, count=given.samples)
        for i in range(given.problems)
    ]


def batches(given: argparse.Namespace) -> list[tuple[Request, ...]]:
    return engine().batches(requests(given))


def answer(batch: tuple[Request, ...]) -> int:
    return sum(g.num_generated_tokens for draws in engine().generate(batch, PARAMS, 0) for g in draws)


_engines: list[object] = []


def engine():  # type: ignore[no-untyped-def]
    if not _engines:
        _engines.append(load_engine("transformers", {"model": str(weak()), "device": "cpu"}, base=Path()))
    return _engines[0]


def weak() -> Path:
    from isocost.lab import weights

    return weights("weak")


async def ask_all(given: argparse.Namespace, url: str) -> int:
    """The bare loop: as many requests in flight as isocost has, over one client."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    queue = iter([(request.prompt, index) for request in requests(given) for index in range(request.count)])

    async def ask() -> int:
        answered = 0
        for prompt, index in queue:
            reply = await client.completions.create(
                model="instant", prompt=prompt, temperature=0.8, max_tokens=96, stop=list(TWO_SHOT.stop), seed=index
            )
            answered += len(reply.choices)
        return answered

    return sum(await asyncio.gather(*(ask() for _ in range(64))))


if __name__ == "__main__":
    if url := os.environ.get("BARE"):
        arguments = dict(argument.removeprefix("--").split("=") for argument in sys.argv[2:])
        print(asyncio.run(ask_all(argparse.Namespace(**{k: int(v) for k, v in arguments.items()}), url)))
    else:
        main()
