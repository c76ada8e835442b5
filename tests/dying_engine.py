"""Recorded answers from an engine that takes its process with it, for tests of what becomes of the others."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.replay.engine import open_engine as open_replay
from isocost.records import SamplingParams


class Dying:
    """`dies`: a file; the process that finds it missing writes its number there and is killed. `always`: so is every other one. `hangs`:
    it hangs instead.
    """

    def __init__(self, replay: Any, file: Path, *, always: bool, hangs: bool) -> None:
        self._replay, self._file, self._always, self._hangs = replay, file, always, hangs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._replay, name)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        if self._always or not self._file.exists():
            self._file.write_text(str(os.getpid()))
            if self._hangs:
                threading.Event().wait()
            os.kill(os.getpid(), signal.SIGKILL)
        found: list[list[Generation]] = self._replay.generate(batch, params, seed)
        return found


def open_engine(options: Mapping[str, object], base: Path) -> Dying:
    own = {"dies", "always", "hangs"}
    replay = open_replay({key: value for key, value in options.items() if key not in own}, base)
    return Dying(replay, base / str(options["dies"]), always=bool(options.get("always")), hangs=bool(options.get("hangs")))
