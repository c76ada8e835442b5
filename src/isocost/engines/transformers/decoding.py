"""The decoding loop: every prompt is prefilled once, its samples continue together, and finished ones leave the batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from isocost.engines.checkpoints.stopping import StopStrings
from isocost.records import FinishReason, SamplingParams

_ROOM = 64  # tokens of capacity added at a time: more wastes memory, less copies the cache more often
# Dropping finished rows copies the cache, which costs about one step; keeping them wastes their share of every step. 8 balances the two.
_STEPS_BETWEEN_CHECKS = 8
_WORTH_SHARING = 16  # tokens: a pass of a small model takes about as long as reading some such number more in each of a few prompts


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

    def __init__(self, model: Any) -> None:
        self._model, self._takes = model, inspect.signature(model.forward).parameters.keys()
        self._cache: Any = None
        self._mask: torch.Tensor | None = None
        self._positions: torch.Tensor
        self.logits: torch.Tensor

    @classmethod
    def after(cls, model: Any, prompts: Sequence[Sequence[int]], prompt_of_row: torch.Tensor) -> _Front:
        """Prefill each prompt once, and what all of them begin with only once; then copy the result to the rows."""
        front = cls(model)
        shared = shared_length(model, prompts)
        if shared:
            front._prefill([prompts[0][:shared]])
            front._cache.reorder_cache(torch.zeros(len(prompts), dtype=torch.long, device=model.device))
        front._prefill([prompt[shared:] for prompt in prompts], shared)
        if prompt_of_row.tolist() != list(range(len(prompts))):
            front._select(prompt_of_row)
        make_growing(front._cache)
        return front

    def _prefill(self, prompts: Sequence[Sequence[int]], cached: int = 0) -> None:
        """Run the model on prompts, padded on the left, after `cached` tokens of each that it has read before."""
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=self._model.device)
        mask = torch.tensor([[1] * cached + [0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self._model.device)
        # Positions count real tokens only, so that a prompt gives the same logits however much it is padded.
        self._positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, cached:]
        # Without padding no mask is needed, and attention uses its faster kernel.
        self._mask = None if bool(mask.all()) else mask
        self._forward(ids)

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


def draw(logits: torch.Tensor, params: SamplingParams, uniforms: torch.Tensor) -> torch.Tensor:
    """Return the next token of every row, int64[rows].

    Each row turns one uniform number into a token by inverting its cumulative distribution. So a draw depends only on the row's own logits
    and number, and rows that leave the batch do not affect the others.

    Args:
        logits: float[rows, vocabulary].
        params: Temperature, top_k and top_p; temperature 0 takes the most likely token.
        uniforms: float64[rows] in [0, 1).
    """
    if params.temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits.float() / (1.0 if params.temperature is None else params.temperature)
    # top_k before top_p, the order of transformers and vLLM.
    if 0 < params.top_k < logits.shape[-1]:
        least = logits.topk(params.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if params.top_p is not None and params.top_p < 1:
        logits = _nucleus(logits, params.top_p)
    # float64: summed in float32, the tail of a large vocabulary would round away.
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)
    # Scaled by the last sum, which rounding leaves beside 1.
    target = uniforms.unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def _nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest set of most likely tokens whose probabilities reach `top_p` (Holtzman et al. 2020, arXiv 1904.09751)."""
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    return torch.full_like(logits, -torch.inf).scatter(-1, order, ordered.masked_fill(before >= top_p, -torch.inf))


def shared_length(model: Any, prompts: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all prompts begin with, where reading them once for all pays and changes no draw; else 0.

    The shared tokens are then read in a batch of another shape, which rounds in another way. In float32 the logits differ by some 1e-5, as
    they do between batches of other prompts. In half precision draws would change, so prompts are read whole there. So they are by
    models without position ids or with layers that keep no plain cache: these cannot go on from a shared beginning.
    """
    if len(prompts) < 2 or model.dtype != torch.float32 or "position_ids" not in inspect.signature(model.forward).parameters:
        return 0
    ordered = sorted(map(tuple, prompts))
    low, high = ordered[0], ordered[-1]  # these two differ where any two do
    length = next((place for place, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    length = min(length, len(min(prompts, key=len)) - 1)  # the last token of each prompt gives its logits
    is_plain = all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
    return length if length >= _WORTH_SHARING and is_plain else 0


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """One layer's keys and values, `[rows, heads, tokens, size]`, in buffers with capacity for further tokens.

    transformers' own layer concatenates old and new tensors at every token, which copies the whole cache each time. For a small model on a
    CPU that took longer than the model itself.
    """

    def __init__(self, filled: DynamicLayer) -> None:
        super().__init__()
        self.lazy_initialization(filled.keys, filled.values)
        self._buffers = _with_room(filled.keys), _with_room(filled.values)
        self._show(filled.keys.shape[-2])

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the states of new tokens, and return the states of all."""
        start, end = self._length, self._length + key_states.shape[-2]
        while end > self._buffers[0].shape[-2]:
            self._buffers = _with_room(self._buffers[0]), _with_room(self._buffers[1])
        self._buffers[0][:, :, start:end] = key_states
        self._buffers[1][:, :, start:end] = value_states
        self._show(end)
        return self.keys, self.values

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Keep the given rows, in that order."""
        self._buffers = self._buffers[0].index_select(0, beam_idx), self._buffers[1].index_select(0, beam_idx)
        self._show(self._length)

    def _show(self, length: int) -> None:
        self._length = length
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)


def make_growing(cache: Cache) -> None:
    """Make the plain layers of a filled cache grow in place. Sliding-window and recurrent layers are unchanged."""
    cache.layers = [GrowingLayer(layer) if type(layer) is DynamicLayer else layer for layer in cache.layers]


def _with_room(states: torch.Tensor) -> torch.Tensor:
    return torch.cat([states, states.new_empty(*states.shape[:-2], _ROOM, states.shape[-1])], dim=-2)
