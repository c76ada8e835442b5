"""Tokens a second of the transformers engine beside transformers' own continuous batching, on the embedded weak model and one thread.

`generate_batch` needs no accelerator, but pages its cache, for which transformers has fast attention on GPUs only; what is measured here
speaks for CPUs alone. It gets as many sequences at once as the engine, a cache that holds them all, and shares the pages of equal prompts.
It takes no stop strings: its samples end with the end token, so that it generates more; compared are tokens a second. Prints the ratio.
"""

from __future__ import annotations

import itertools
import statistics
import time
from pathlib import Path

import torch
from benchmarks.decoding import BATCH, SAMPLES, engine_speed
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from isocost.lab import weights
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import TWO_SHOT

PROBLEMS, REPEATS, PAGE, PAGES = 8, 3, 32, 1200


def main() -> None:
    torch.set_num_threads(1)
    folder = weights("weak")
    prompts = [TWO_SHOT.render(p.question) for p in itertools.islice(generate("validation", 0), PROBLEMS)]
    ours, theirs = [], []
    for repeat in range(REPEATS):
        ours.append(engine_speed(folder, prompts, repeat))
        theirs.append(continuous_speed(folder, prompts, repeat))
    for name, speeds in (("isocost engine", ours), ("generate_batch", theirs)):
        print(f"{name:<16} {statistics.median(speeds):8,.0f} tokens/s ({min(speeds):,.0f} to {max(speeds):,.0f})")
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"ratio            {ratio:8.2f}   ({PROBLEMS} prompts x {SAMPLES} samples, {BATCH} at once, one thread, {REPEATS} repeats)")


def continuous_speed(folder: Path, prompts: list[str], seed: int) -> float:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = [tokenizer(prompt)["input_ids"] for prompt in prompts for _ in range(SAMPLES)]
    setting = GenerationConfig(
        do_sample=True,
        temperature=0.8,
        top_k=0,
        max_new_tokens=96,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    batching = ContinuousBatchingConfig(page_size=PAGE, num_blocks=PAGES, max_batch_tokens=512, max_requests_per_batch=BATCH, seed=seed)
    started = time.perf_counter()
    out = model.generate_batch(inputs, generation_config=setting, continuous_batching_config=batching, warmup=False)
    return sum(len(each.generated_tokens) for each in out.values()) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
