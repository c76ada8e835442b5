"""What the samples of a problem pay for its prompt: one reading, however many they are. The embedded weak model, long prompts, one thread.

Counts the tokens that the model is given, in one request of k samples and in k requests of one sample, each sent alone; and times both, in
turn, so that a change in the machine's speed hits both. Samples are short, as where a prompt of worked examples costs most.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.engines.transformers.engine import TransformersEngine
from isocost.lab import weights
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import PLAIN
from isocost.records import SamplingParams

SAMPLES, SHOTS, MAX_TOKENS, REPEATS = 8, 12, 16, 5
PARAMS = SamplingParams(temperature=0.8, max_tokens=MAX_TOKENS)


def main() -> None:
    torch.set_num_threads(1)
    engine = load_engine("transformers", {"model": str(weights("weak")), "device": "cpu"}, base=Path())
    assert isinstance(engine, TransformersEngine)
    together = Request(problem_id="p", prompt=long_prompt(), first_index=0, count=SAMPLES)
    apart = [Request(problem_id="p", prompt=together.prompt, first_index=i, count=1) for i in range(SAMPLES)]
    engine.generate([together], PARAMS, 0)
    with counted(engine) as read:
        answers = engine.generate([together], PARAMS, 0)
    once, length = sum(tokens for tokens in read if tokens > SAMPLES), answers[0][0].num_prompt_tokens
    with counted(engine) as read:
        for request in apart:
            engine.generate([request], PARAMS, 0)
    each = sum(tokens for tokens in read if tokens > SAMPLES)
    print(f"prompt of {length} tokens, {SAMPLES} samples of at most {MAX_TOKENS} tokens")
    print(f"tokens of it read, one request of {SAMPLES}    {once:8,} ({once / length:.0f} times the prompt)")
    print(f"tokens of it read, {SAMPLES} requests of one   {each:8,} ({each / length:.0f} times the prompt)")
    ratios, shared = [], []
    for seed in range(REPEATS):
        shared.append(seconds(engine, [[together]], seed))
        ratios.append(seconds(engine, [[request] for request in apart], seed) / shared[-1])
    print(f"seconds, one request of {SAMPLES}              {statistics.median(shared):8.3f} (median of {REPEATS})")
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{SAMPLES} requests take                        {statistics.median(ratios):8.2f} times as long ({spread})")


def long_prompt() -> str:
    """Questions without solutions, as many as fill most of the model's context."""
    questions = [PLAIN.plain(problem.question) for problem in itertools.islice(generate("validation", 0), SHOTS)]
    return PLAIN.separator.join(questions)


@contextmanager
def counted(engine: TransformersEngine) -> Iterator[list[int]]:
    """The tokens that each pass of the model is given: rows x positions."""
    model, _ = engine._load()
    read: list[int] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: read.append(inputs[0].numel()))
    try:
        yield read
    finally:
        hook.remove()


def seconds(engine: TransformersEngine, batches: list[list[Request]], seed: int) -> float:
    started = time.perf_counter()
    for batch in batches:
        engine.generate(batch, PARAMS, seed)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
