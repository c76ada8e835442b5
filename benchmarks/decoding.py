"""Tokens a second of the transformers engine beside plain `generate`, on the embedded weak model, whose solutions are of uneven length.

The peer is what one would write: fixed batches of the same size, prompts sorted by length, padded on the left, each batch until its last
row has ended. Both have the same prompts and as many draws of each, sampling setting, stop string and thread; a token counts until its row
ends. Both run in this process, in turn, so that a change in the machine's speed hits both. Prints the ratio of the medians.
"""

from __future__ import annotations

import itertools
import statistics
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.lab import weights
from isocost.lab.wordproblems import generate
from isocost.prompts.lab import TWO_SHOT
from isocost.records import SamplingParams

BATCH, SAMPLES, PROBLEMS, REPEATS = 64, 8, 32, 3


def main() -> None:
    torch.set_num_threads(1)
    folder = weights("weak")
    prompts = [TWO_SHOT.render(p.question) for p in itertools.islice(generate("validation", 0), PROBLEMS)]
    ours, theirs = [], []
    for repeat in range(REPEATS):
        ours.append(engine_speed(folder, prompts, repeat))
        theirs.append(generate_speed(folder, prompts, repeat))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"isocost engine   {statistics.median(ours):8,.0f} tokens/s ({min(ours):,.0f} to {max(ours):,.0f})")
    print(f"plain generate   {statistics.median(theirs):8,.0f} tokens/s ({min(theirs):,.0f} to {max(theirs):,.0f})")
    print(f"ratio            {ratio:8.2f}   ({PROBLEMS} prompts x {SAMPLES} samples, batches of {BATCH}, one thread, {REPEATS} repeats)")


def engine_speed(folder: Path, prompts: list[str], seed: int) -> float:
    engine = load_engine("transformers", {"model": str(folder), "batch_size": BATCH, "device": "cpu"}, base=folder)
    params = SamplingParams(temperature=0.8, max_tokens=96, stop=TWO_SHOT.stop)
    requests = [Request(problem_id=str(i), prompt=p, first_index=0, count=SAMPLES) for i, p in enumerate(prompts)]
    engine.generate(requests[:1], params, seed)
    started, tokens = time.perf_counter(), 0
    for batch in engine.batches(requests):
        tokens += sum(g.num_generated_tokens for draws in engine.generate(batch, params, seed) for g in draws)
    return tokens / (time.perf_counter() - started)


def generate_speed(folder: Path, prompts: list[str], seed: int) -> float:
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = [p for p in sorted(prompts, key=len) for _ in range(SAMPLES)]
    torch.manual_seed(seed)
    model.generate(**tokenizer(rows[:1], return_tensors="pt", return_token_type_ids=False), max_new_tokens=2)
    started, tokens = time.perf_counter(), 0
    for start in range(0, len(rows), BATCH):
        batch = tokenizer(rows[start : start + BATCH], return_tensors="pt", padding=True)
        with torch.inference_mode():
            out = model.generate(
                **{key: batch[key] for key in ("input_ids", "attention_mask")},
                do_sample=True,
                temperature=0.8,
                top_k=0,
                max_new_tokens=96,
                stop_strings=list(TWO_SHOT.stop),
                tokenizer=tokenizer,
            )
        new = out[:, batch["input_ids"].shape[1] :]
        tokens += int((new != tokenizer.pad_token_id).sum())
    return tokens / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
