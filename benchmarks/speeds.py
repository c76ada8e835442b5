"""Tokens a second of the transformers engine beside a peer, for benchmarks/decoding.py and continuous.py.

Both sides have the embedded weak model, the same prompts, as many draws of each and one thread; they run in this process, in turn, so that
a change in the machine's speed hits both.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.lab import weights
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import TWO_SHOT
from isocost.records import SamplingParams

BATCH, SAMPLES, REPEATS, TEMPERATURE, MAX_TOKENS = 64, 8, 3, 0.8, 96


def compare(peer: str, peer_speed: Callable[[Path, list[str], int], float], *, problems: int, batches: str) -> None:
    """Print both speeds and the ratio of their medians; `peer_speed` gets the model's folder, the prompts and a seed."""
    torch.set_num_threads(1)
    folder = weights("weak")
    prompts = [TWO_SHOT.render(p.question) for p in itertools.islice(generate("validation", 0), problems)]
    ours, theirs = [], []
    for repeat in range(REPEATS):
        ours.append(engine_speed(folder, prompts, repeat))
        theirs.append(peer_speed(folder, prompts, repeat))
    for name, speeds in (("isocost engine", ours), (peer, theirs)):
        print(f"{name:<16} {statistics.median(speeds):8,.0f} tokens/s ({min(speeds):,.0f} to {max(speeds):,.0f})")
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"ratio            {ratio:8.2f}   ({problems} prompts x {SAMPLES} samples, {batches}, one thread, {REPEATS} repeats)")


def engine_speed(folder: Path, prompts: list[str], seed: int) -> float:
    engine = load_engine("transformers", {"model": str(folder), "batch_size": BATCH, "device": "cpu"}, base=folder)
    params = SamplingParams(temperature=TEMPERATURE, max_tokens=MAX_TOKENS, stop=TWO_SHOT.stop)
    requests = [Request(problem_id=str(i), prompt=p, first_index=0, count=SAMPLES) for i, p in enumerate(prompts)]
    engine.generate(requests[:1], params, seed)
    started, tokens = time.perf_counter(), 0
    for batch in engine.batches(requests):
        tokens += sum(g.num_generated_tokens for draws in engine.generate(batch, params, seed) for g in draws)
    return tokens / (time.perf_counter() - started)
