"""Tokens a second of the transformers engine beside plain `generate`, on the embedded weak model, whose solutions are of uneven length.

The peer is what one would write: fixed batches of the same size, prompts sorted by length, padded on the left, each batch until its last
row has ended. Both have the same prompts and as many draws of each, sampling setting, stop string and thread; a token counts until its row
ends. Both run in this process, in turn, so that a change in the machine's speed hits both. Prints the ratio of the medians.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from isocost.prompts.lab import TWO_SHOT
from speeds import BATCH, MAX_TOKENS, SAMPLES, TEMPERATURE, compare

PROBLEMS = 32


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
                temperature=TEMPERATURE,
                top_k=0,
                max_new_tokens=MAX_TOKENS,
                stop_strings=list(TWO_SHOT.stop),
                tokenizer=tokenizer,
            )
        new = out[:, batch["input_ids"].shape[1] :]
        tokens += int((new != tokenizer.pad_token_id).sum())
    return tokens / (time.perf_counter() - started)


if __name__ == "__main__":
    compare("plain generate", generate_speed, problems=PROBLEMS, batches=f"batches of {BATCH}")
