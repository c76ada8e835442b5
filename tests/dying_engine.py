"""Recorded answers from an engine that takes its process with it, for tests of what becomes of the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.replay import open_engine as open_replay
from isocost.records import SamplingParams


class Dying:
    """`before`: the file that has to be there for it to live; it is written by the process that dies, unless `always`."""

    def __init__(self, replay: Any, file: Path, *, always: bool) -> None:
        self._replay, self._file, self._always = replay, file, always

    def __getattr__(self, name: str) -> Any:
        return getattr(self._replay, name)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        if self._always or not self._file.exists():
            self._file.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        found: list[list[Generation]] = self._replay.generate(batch, params, seed)
        return found


def open_engine(options: Mapping[str, object], base: Path) -> Dying:
    own = {"dies", "always"}
    replay = open_replay({key: value for key, value in options.items() if key not in own}, base)
    return Dying(replay, base / str(options["dies"]), always=bool(options.get("always")))
