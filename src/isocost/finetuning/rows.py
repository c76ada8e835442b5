"""Encode training rows as a model sees them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IGNORED = -100  # the label that the loss leaves out


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A row as the model sees it: token ids and as many labels, IGNORED on the prompt."""

    input_ids: list[int]
    labels: list[int]


def encode(tokenizer: Any, rows: Sequence[Mapping[str, str]]) -> list[Encoded]:
    """Turn prompt-completion rows into token ids and labels; the end token is the last label.

    The prompt is encoded exactly as when the model is asked. Where prompt and completion together begin with those tokens the rest is the
    completion; where a token would reach across the boundary, which the model can never generate, the completion is encoded alone.
    """
    if not rows:
        return []
    end = tokenizer.eos_token_id
    prompts = tokenizer([row["prompt"] for row in rows])["input_ids"]
    wholes = tokenizer([row["prompt"] + row["completion"] for row in rows])["input_ids"]
    encoded: list[Encoded] = []
    for row, prompt, whole in zip(rows, prompts, wholes, strict=True):
        prompt, whole = _without_end(prompt, end), _without_end(whole, end)
        if whole[: len(prompt)] == prompt:
            completion = whole[len(prompt) :]
        else:
            completion = tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        encoded.append(Encoded(input_ids=[*prompt, *completion, end], labels=[IGNORED] * len(prompt) + [*completion, end]))
    return encoded


def cycled(rows: Sequence[Encoded], seed: int) -> Iterator[Encoded]:
    """Yield the rows repeatedly, each pass in a new order drawn from `seed`: counts of any two rows differ by at most one."""
    rng = random.Random(f"finetuning/{seed}")
    while rows:
        yield from rng.sample(rows, len(rows))


def _without_end(ids: list[int], end: int) -> list[int]:
    # Some tokenizers close every text with the end token; after a prompt it would be read as the end of the solution.
    return ids[:-1] if ids and ids[-1] == end else ids
