"""The decoding loop: every prompt is prefilled once, its samples continue together, and finished ones leave the batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from isocost.engines.transformers.growing_cache import make_growing
from isocost.engines.transformers.next_token import draw
from isocost.engines.transformers.stopping import StopStrings
from isocost.records import FinishReason, SamplingParams

# Dropping finished rows copies the cache, which costs about one step; keeping them wastes their share of every step. 8 balances the two.
_STEPS_BETWEEN_CHECKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sequence to decode: the position of its prompt, and its maximum number of tokens (at least 1)."""

    prompt: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The tokens of a finished row, including the end token or those of the stop string."""

    tokens: list[int]
    finish_reason: FinishReason


@torch.inference_mode()
def decode(
    model: Any, prompts: Sequence[Sequence[int]], rows: Sequence[Row], params: SamplingParams, stops: StopStrings, ends: set[int], seed: int
) -> list[Decoded]:
    """Decode every row to its end.

    All random numbers are drawn before the first step, one for each row and step, so they do not depend on which rows have finished.

    Args:
        model: A causal language model of transformers in evaluation mode.
        prompts: Tokens of the distinct prompts.
        rows: The sequences; several may continue one prompt.
        params: Temperature, top_k, top_p.
        stops: The stop strings.
        ends: End tokens.
        seed: Of the random numbers.

    Returns:
        The decoded rows, in the order of `rows`.
    """
    steps = max(row.limit for row in rows)
    # torch's Mersenne Twister uses 32 bits of a seed. Two batches of the same prompts draw alike only if these bits are equal, which is
    # too rare to justify changing every stored draw.
    generator = torch.Generator().manual_seed(seed)
    uniforms = torch.rand(steps, len(rows), dtype=torch.float64, generator=generator).to(model.device)
    front = _Front.after(model, prompts, torch.tensor([row.prompt for row in rows], device=model.device))
    tokens = torch.zeros(len(rows), steps, dtype=torch.long, device=model.device)
    decoded: dict[int, Decoded] = {}
    active = list(range(len(rows)))  # rows still in the batch, by their place in it
    seen = 0
    for step in range(steps):
        chosen = draw(front.logits, params, uniforms[step, active])
        tokens[active, step] = chosen
        if (step + 1 - seen) == _STEPS_BETWEEN_CHECKS or step + 1 == steps:
            ended = _ended(tokens[active, : step + 1].tolist(), [rows[i].limit for i in active], seen, stops, ends)
            decoded |= {row: end for row, end in zip(active, ended, strict=True) if end}
            keep = [place for place, end in enumerate(ended) if not end]
            if not keep:
                break
            if len(keep) < len(active):
                active = [active[place] for place in keep]
                chosen = front.keep(chosen, torch.tensor(keep, device=model.device))
            seen = step + 1
        front.advance(chosen)
    return [decoded[row] for row in range(len(rows))]


def _ended(rows: list[list[int]], limits: list[int], seen: int, stops: StopStrings, ends: set[int]) -> list[Decoded | None]:
    """Return the result of each row that ended, else None. The first `seen` tokens of all rows contain no end."""
    ended: list[Decoded | None] = []
    for row, limit, stop in zip(rows, limits, stops.lengths(rows, seen), strict=True):
        end = next((place for place, token in enumerate(row[seen:], seen + 1) if token in ends), None)
        # The earlier of end token and stop string counts; both may be in the tokens decoded since the last check.
        first = min((length for length in (end, stop) if length is not None), default=None)
        if first is not None and first <= limit:
            ended.append(Decoded(tokens=row[:first], finish_reason="stop"))
        else:
            ended.append(Decoded(tokens=row[:limit], finish_reason="length") if len(row) >= limit else None)
    return ended


class _Front:
    """The state of decoding: the cache, and the logits of every active row's next token."""

    def __init__(self, model: Any, cache: Any, logits: torch.Tensor, mask: torch.Tensor | None, positions: torch.Tensor) -> None:
        self.logits = logits
        self._model, self._cache, self._mask, self._positions = model, cache, mask, positions
        self._takes = inspect.signature(model.forward).parameters.keys()

    @classmethod
    def after(cls, model: Any, prompts: Sequence[Sequence[int]], prompt_of_row: torch.Tensor) -> _Front:
        """Prefill each prompt once, padded on the left, and copy the result to the rows."""
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=model.device)
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
        # Positions count real tokens only, so that a prompt gives the same logits however much it is padded.
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        # Without padding no mask is needed, and attention uses its faster kernel.
        front = cls(model, None, torch.empty(0), None if bool(mask.all()) else mask, positions)
        front._forward(ids)
        front._select(prompt_of_row)
        make_growing(front._cache)
        return front

    def advance(self, chosen: torch.Tensor) -> None:
        """Run the model on one more token of every row."""
        self._positions = self._positions[:, -1:] + 1
        if self._mask is not None:
            self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        self._forward(chosen.unsqueeze(1))

    def keep(self, chosen: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Drop all rows but those at `places`, and return the chosen tokens of the rows kept."""
        self._select(places)
        return chosen[places]

    def _select(self, places: torch.Tensor) -> None:
        self._cache.reorder_cache(places)
        self.logits, self._positions = self.logits[places], self._positions[places]
        self._mask = None if self._mask is None else self._mask[places]

    def _forward(self, ids: torch.Tensor) -> None:
        # Not every architecture takes these; without logits_to_keep the logits of the whole prompt would be computed and stored.
        optional = {"position_ids": self._positions, "logits_to_keep": 1}
        given = {name: value for name, value in optional.items() if name in self._takes}
        out = self._model(input_ids=ids, attention_mask=self._mask, past_key_values=self._cache, use_cache=True, **given)
        self.logits, self._cache = out.logits[:, -1], out.past_key_values
