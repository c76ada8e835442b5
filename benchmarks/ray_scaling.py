"""Tokens a second of two Ray workers beside two bare engine processes, on the embedded weak model.

Both have the same requests, cut into the same batches, sampling setting and one thread a process. The bare processes take every second
batch each and do nothing but generate; the Ray workers also commit every draw to the disk and hand it to the driver. Start-up is left out
of both: a process, or a worker, first answers one batch that is not counted. They run in turn, so that a change in the machine's speed
hits both. Prints the ratio of the medians.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from isocost.config import ExecutorSpec
from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.executors.jobs import EngineSpec, Job, Storing
from isocost.executors.local import LocalExecutor
from isocost.executors.ray.executor import RayExecutor
from isocost.lab import weights
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import TWO_SHOT
from isocost.records import ModelCard, SamplingParams

WORKERS, BATCH, SAMPLES = 2, 64, 16
PARAMS = SamplingParams(temperature=0.8, max_tokens=96, stop=TWO_SHOT.stop)
SPEC = EngineSpec(name="transformers", options=(("model", str(weights("weak"))), ("batch_size", BATCH), ("device", "cpu")), base=Path.cwd())
CARD = ModelCard(
    name="weak", engine="transformers", source="lab:weak", parameters=1, parameters_are="", flops_per_token=2.0, usd_per_million=None
)
Batch = tuple[Request, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=256, help="each is asked 16 times")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    prompts = [TWO_SHOT.render(p.question) for p in itertools.islice(generate("validation", 0), asked.problems)]
    requests = [Request(problem_id=str(i), prompt=p, first_index=0, count=SAMPLES) for i, p in enumerate(prompts)]
    engine = load_engine(SPEC.name, dict(SPEC.options), base=SPEC.base)
    batches = [tuple(batch) for batch in engine.batches(requests)]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(asked.repeats):
            ours.append(ray_speed(batches, Path(folder) / str(repeat)))
            theirs.append(bare_speed(batches))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"{WORKERS} Ray workers        {statistics.median(ours):8,.0f} tokens/s ({min(ours):,.0f} to {max(ours):,.0f})")
    print(f"{WORKERS} bare processes     {statistics.median(theirs):8,.0f} tokens/s ({min(theirs):,.0f} to {max(theirs):,.0f})")
    print(f"ratio                {ratio:8.2f}   ({len(batches)} batches of {BATCH}, one thread a process, {asked.repeats} repeats)")


def ray_speed(batches: Sequence[Batch], stem: Path) -> float:
    spec = ExecutorSpec(name="ray", workers=WORKERS, cpus_per_worker=1)
    executor = RayExecutor(spec, LocalExecutor(None), small=True, files=[])
    try:
        first = [executor.send(job(("first", i), batches[0], stem)) for i in range(2 * WORKERS)]
        for future in first:
            future.result()
        started = time.perf_counter()
        futures = [executor.send(job(("timed", i), batch, stem)) for i, batch in enumerate(batches)]
        tokens = sum(draw.num_generated_tokens for future in futures for draws in future.result().stored for draw in draws)
        return tokens / (time.perf_counter() - started)
    finally:
        executor.close()


def job(key: tuple[str, int], batch: Batch, stem: Path) -> Job:
    storing = Storing(stem=stem, pool="pool", asked=("",) * len(batch), card=CARD)
    return Job(
        key="-".join(map(str, key)),
        spec=SPEC,
        remote=False,
        queue="",
        concurrency=1,
        requests=batch,
        params=PARAMS,
        seed=key[1],
        storing=storing,
    )


def bare_speed(batches: Sequence[Batch]) -> float:
    shares = [[(i, batch) for i, batch in enumerate(batches) if i % WORKERS == worker] for worker in range(WORKERS)]
    context = multiprocessing.get_context("spawn")
    pools = [ProcessPoolExecutor(1, mp_context=context, initializer=_one_thread) for _ in shares]
    try:
        for future in [pool.submit(_generate, [(0, batches[0])]) for pool in pools]:
            future.result()
        started = time.perf_counter()
        tokens = sum(future.result() for future in [pool.submit(_generate, share) for pool, share in zip(pools, shares, strict=True)])
        return tokens / (time.perf_counter() - started)
    finally:
        for pool in pools:
            pool.shutdown()


_engines: list[object] = []


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _generate(share: Sequence[tuple[int, Batch]]) -> int:
    if not _engines:
        _engines.append(load_engine(SPEC.name, dict(SPEC.options), base=SPEC.base))
    engine = _engines[0]
    return sum(g.num_generated_tokens for seed, batch in share for draws in engine.generate(batch, PARAMS, seed) for g in draws)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
