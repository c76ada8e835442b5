"""What isocost costs in tokens a second: sampling with isocost beside the bare engine fed the same requests.

    python benchmarks/overhead.py transformers     the embedded weak model, a process a core
    python benchmarks/overhead.py openai           a local server that answers at once, beside an asyncio loop over the openai client
    python benchmarks/overhead.py rounds           the policy adaptive, in rounds, beside the same draws at once and a fixed plan of as many

All are whole processes, and all are also run with one request a core, which takes as long as they need to start and load: the rate is
that of the tokens and seconds in between. They run in turn, so that a change in the machine's speed hits all; the ratio is that of the
medians. Of rounds, seconds of processor time are counted too, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
ONCE = """\
import json
from pathlib import Path

from isocost.records import Allocation


class Once:
    def __init__(self, terms):
        self.left = [Allocation(problem_id=p, model=m, first_index=0, count=c) for p, m, c in json.loads(Path("draws.json").read_text())]

    def propose(self):
        proposed, self.left = self.left, []
        return proposed

    def observe(self, observations):
        pass
"""
RUN = "from pathlib import Path; from isocost import run; run(Path('study.yaml'), Path('out'), until='sample')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The end of sampling: answered batches, as in the ledger; (problem, model, count) of all draws; seconds, also of processor time."""

    batches: list[dict[str, Any]]
    draws: list[tuple[str, str, int]]
    seconds: float
    processor: float

    def total(self, what: str) -> int:
        return sum(line[what] for line in self.batches)

    def rates(self, start: Sampled) -> dict[str, float]:
        """Return rates without the time to start, and the share of the time in which engines did not compute."""
        seconds, processor = self.seconds - start.seconds, self.processor - start.processor
        busy = sum(line["seconds"] for line in self.batches)
        return {
            "samples/s": self.total("count") / seconds,
            "tokens/s": self.total("tokens") / seconds,
            "samples/CPU-s": self.total("count") / processor,
            "tokens/CPU-s": self.total("tokens") / processor,
            "engines idle, %": 100 * (1 - busy / (CORES * seconds)),
        }


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
    done = sampled(STUDY.format(problems=given.problems, samples=given.samples, model=model))
    return done.total("tokens" if given.engine == "transformers" else "count"), done.seconds


def sampled(study: str, draws: list[tuple[str, str, int]] | None = None) -> Sampled:
    """Run a study to the end of sampling. `draws` are those that an arm with the policy `once:Once` buys."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "study.yaml").write_text(study)
        (Path(folder) / "once.py").write_text(ONCE)
        (Path(folder) / "draws.json").write_text(json.dumps(draws))
        started, used = time.perf_counter(), processor_time()
        subprocess.run([sys.executable, "-c", RUN], cwd=folder, check=True)
        seconds, processor = time.perf_counter() - started, processor_time() - used
        out = Path(folder) / "out"
        lines, rounds = (
            [json.loads(line) for path in paths for line in path.read_text().splitlines()]
            for paths in ([out / "ledger.jsonl"], out.glob("arms/*/rounds.jsonl"))
        )
    models = {line["request"]: line["model"] for line in lines if line["event"] == "reserve"}
    counts = Counter[tuple[str, str]]()
    for line in rounds:
        counts.update({(problem, model): count for problem, model, _, count in line["allocations"]})
    return Sampled(
        batches=[{**line, "model": models[line["request"]]} for line in lines if line["event"] == "done"],
        draws=[(*pair, count) for pair, count in counts.items()],
        seconds=seconds,
        processor=processor,
    )


def processor_time() -> float:
    """Return the seconds of processor time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare_rounds(given: argparse.Namespace) -> None:
    """Print what the policy adaptive makes of the engines, beside its draws bought at once and a fixed plan of as many draws.

    The policy draws more from hard problems, whose answers are longer, and fewer of each, whose prompts are read more often. So it has
    fewer samples per second than a fixed plan even if no engine waits. What rounds cost is seen beside the same draws at once.
    """
    models = given.models.split(",")
    few = argparse.Namespace(**{**vars(given), "problems": CORES, "samples": 1})
    found: dict[str, list[dict[str, float]]] = {"in rounds": [], "the same draws at once": [], "fixed plan": []}
    for _ in range(given.repeats):
        start = sampled(policy_study(few, "{models: [weak]}"))
        rounds = sampled(policy_study(given, f"{{policy: adaptive, models: [{given.models}], objective: {given.objective}}}"))
        once = sampled(policy_study(given, f"{{policy: once:Once, models: [{given.models}]}}"), rounds.draws)
        counts = {model: sum(line["count"] for line in rounds.batches if line["model"] == model) for model in models}
        fixed = sampled(policy_study(given, fixed_arm(counts)))
        for name, each in zip(found, (rounds, once, fixed), strict=True):
            print(f"{name}: {each.total('count')} draws in {len(each.batches)} batches, {each.seconds:.1f} s", file=sys.stderr)
            found[name].append(each.rates(start))
    load = os.getloadavg()[0]
    print(f"{given.problems} problems, money of {given.samples} draws each, {given.repeats} repeats, {CORES} cores, load {load:.1f}")
    for unit in found["in rounds"][0]:
        print("; ".join(f"{name} {statistics.median(each[unit] for each in of):.1f}" for name, of in found.items()), unit)
    for unit in list(found["in rounds"][0])[:-1]:
        for other in list(found)[1:]:
            ratios = [ours[unit] / theirs[unit] for ours, theirs in zip(found["in rounds"], found[other], strict=True)]
            print(f"{unit} in rounds over {other}: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def policy_study(given: argparse.Namespace, arm: str) -> str:
    return POLICIES.format(problems=given.problems, samples=given.samples, batch_size=given.batch_size, arm=arm)


def fixed_arm(counts: dict[str, int]) -> str:
    """Return an arm without rounds that spends the same on each model."""
    if len(counts) == 1:
        return f"{{models: [{next(iter(counts))}]}}"
    shares = {model: count * PARAMETERS[model] for model, count in counts.items()}  # planned costs are in this proportion
    return f"{{policy: mixed, models: [{', '.join(counts)}], shares: {json.dumps(shares)}}}"


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
