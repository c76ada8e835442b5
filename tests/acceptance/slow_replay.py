"""The replay engine in small batches that take a moment, so that a kill meets a run in the middle of many."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.batching import cut
from isocost.engines.replay.engine import ReplayEngine
from isocost.records import SamplingParams


class SlowReplay(ReplayEngine):
    """`batch`: generations a batch; `seconds`: how long each takes."""

    def __init__(self, table: Path, model: str, batch: int, seconds: float) -> None:
        super().__init__(table, model)
        self._batch, self._seconds = batch, seconds

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        return cut(requests, self._batch)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        time.sleep(self._seconds)
        return super().generate(batch, params, seed)


def open_engine(options: Mapping[str, Any], base: Path) -> SlowReplay:
    return SlowReplay(base / options["table"], options["model"], options["batch"], options["seconds"])
