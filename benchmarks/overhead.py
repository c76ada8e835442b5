"""What isocost costs in tokens a second: sampling with isocost beside the bare engine fed the same requests.

    python benchmarks/overhead.py transformers     the embedded weak model, a process a core
    python benchmarks/overhead.py openai           a local server that answers at once, beside an asyncio loop over the openai client
    python benchmarks/overhead.py rounds           the policy adaptive, in rounds, beside a fixed plan with the same number of draws

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
from typing import Any

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
PARAMETERS = {"weak": 430_752, "strong": 1_435_040}
POLICIES = """\
name: rounds
problems: {{train: {{source: lab, split: train, limit: {problems}}}}}
models:
  weak: {{engine: transformers, model: "lab:weak", device: cpu, batch_size: {batch_size}, tokens_per_sample: 34}}
  strong: {{engine: transformers, model: "lab:strong", device: cpu, batch_size: {batch_size}, tokens_per_sample: 34}}
prompt: {{template: lab-2shot}}
sampling: {{temperature: 0.8, max_tokens: 96}}
grader: {{name: number}}
budgets: {{all: {{unit: flops, match: {{model: weak, samples_per_problem: {samples}}}}}}}
arms: {{all: {arm}}}
"""
RUN = "from pathlib import Path; from isocost import run; run(Path('study.yaml'), Path('out'), until='sample')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=[*MODELS, "rounds"])
    parser.add_argument("--problems", type=int, default=400)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--models", default="weak", help="rounds: weak, or weak,strong")
    parser.add_argument("--objective", default="coverage", help="rounds: of the policy adaptive, as in a study file")
    parser.add_argument("--batch-size", type=int, default=128, help="rounds: sequences decoded at once")
    given = parser.parse_args()
    if given.engine == "rounds":
        compare_rounds(given)
        return
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
    model = MODELS[given.engine].replace("URL", url)
    done, seconds = sampled(STUDY.format(problems=given.problems, samples=given.samples, model=model))
    return sum(line["tokens"] if given.engine == "transformers" else line["count"] for line in done), seconds


def sampled(study: str) -> tuple[list[dict[str, Any]], float]:
    """Return the answered batches of a study, as in the ledger, and the seconds to the end of sampling."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "study.yaml").write_text(study)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", RUN], cwd=folder, check=True)
        seconds = time.perf_counter() - started
        lines = [json.loads(line) for line in (Path(folder) / "out" / "ledger.jsonl").read_text().splitlines()]
    models = {line["request"]: line["model"] for line in lines if line["event"] == "reserve"}
    return [{**line, "model": models[line["request"]]} for line in lines if line["event"] == "done"], seconds


def compare_rounds(given: argparse.Namespace) -> None:
    """Print samples and tokens per second of the policy adaptive and of a fixed plan with as many draws of each model.

    The policy draws more from hard problems, whose answers are longer, so its samples per second fall even if no engine waits.
    """
    models = given.models.split(",")
    few = argparse.Namespace(**{**vars(given), "problems": CORES, "samples": 1})
    rates: dict[str, list[tuple[float, float]]] = {}
    for _ in range(given.repeats):
        start = sampled(policy_study(few, "{models: [weak]}"))[1]
        done, seconds = sampled(policy_study(given, f"{{policy: adaptive, models: [{given.models}], objective: {given.objective}}}"))
        counts = {model: sum(line["count"] for line in done if line["model"] == model) for model in models}
        rates.setdefault("adaptive", []).append(rate_of(done, seconds - start))
        fixed, seconds = sampled(policy_study(given, fixed_arm(counts)))
        rates.setdefault("fixed plan", []).append(rate_of(fixed, seconds - start))
        drawn = sum(line["count"] for line in fixed)
        print(f"{counts} draws in {len(done)} batches; the fixed plan has {drawn} in {len(fixed)}", file=sys.stderr)
    for place, unit in enumerate(("samples/s", "tokens/s")):
        of = {name: [each[place] for each in found] for name, found in rates.items()}
        for name, found in of.items():
            print(f"{name:<16} {statistics.median(found):9,.1f} {unit} ({min(found):,.1f} to {max(found):,.1f})")
        ratios = [ours / fixed for ours, fixed in zip(*of.values(), strict=True)]
        print(f"ratio            {statistics.median(ratios):9.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def policy_study(given: argparse.Namespace, arm: str) -> str:
    return POLICIES.format(problems=given.problems, samples=given.samples, batch_size=given.batch_size, arm=arm)


def fixed_arm(counts: dict[str, int]) -> str:
    """Return an arm without rounds that spends the same on each model."""
    if len(counts) == 1:
        return f"{{models: [{next(iter(counts))}]}}"
    shares = {model: count * PARAMETERS[model] for model, count in counts.items()}  # planned costs are in this proportion
    return f"{{policy: mixed, models: [{', '.join(counts)}], shares: {json.dumps(shares)}}}"


def rate_of(done: list[dict[str, Any]], seconds: float) -> tuple[float, float]:
    return sum(line["count"] for line in done) / seconds, sum(line["tokens"] for line in done) / seconds


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
