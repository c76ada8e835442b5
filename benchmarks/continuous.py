"""Tokens a second of the transformers engine beside transformers' own continuous batching, on the embedded weak model and one thread.

`generate_batch` needs no accelerator, but pages its cache, for which transformers has fast attention on GPUs only; what is measured here
speaks for CPUs alone. It gets as many sequences at once as the engine, a cache that holds them all, and shares the pages of equal prompts.
It takes no stop strings: its samples end with the end token, so that it generates more; compared are tokens a second. Prints the ratio.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from speeds import BATCH, MAX_TOKENS, SAMPLES, TEMPERATURE, compare

PROBLEMS, PAGE, PAGES = 8, 32, 1200


def continuous_speed(folder: Path, prompts: list[str], seed: int) -> float:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = [tokenizer(prompt)["input_ids"] for prompt in prompts for _ in range(SAMPLES)]
    setting = GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=0,
        max_new_tokens=MAX_TOKENS,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    batching = ContinuousBatchingConfig(page_size=PAGE, num_blocks=PAGES, max_batch_tokens=512, max_requests_per_batch=BATCH, seed=seed)
    started = time.perf_counter()
    out = model.generate_batch(inputs, generation_config=setting, continuous_batching_config=batching, warmup=False)
    return sum(len(each.generated_tokens) for each in out.values()) / (time.perf_counter() - started)


if __name__ == "__main__":
    compare("generate_batch", continuous_speed, problems=PROBLEMS, batches=f"{BATCH} at once")
