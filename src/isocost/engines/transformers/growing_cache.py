"""A key-value cache with spare capacity."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

_ROOM = 64  # tokens of capacity added at a time: more wastes memory, less copies the cache more often


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
