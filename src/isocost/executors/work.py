"""What workers run: functions of plain arguments, so that they can be sent to another process or machine.

Only workers open engines. The driver imports neither torch nor an engine, so a finished study is read back in a moment.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isocost.engines import load_engine
from isocost.engines.base import Engine, Generation, ModelSize, Request
from isocost.ids import digest
from isocost.records import SamplingParams

_KEPT = 4  # engines a worker keeps loaded: a study's few models stay, and a worker that serves a whole study does not fill up


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """How to open an engine: its name, its options from the study file, and the folder that relative paths start from."""

    name: str
    options: tuple[tuple[str, object], ...]
    base: Path

    @property
    def key(self) -> str:
        """The same for specs that open the same engine."""
        return digest(self.name, sorted((k, repr(v)) for k, v in self.options), str(self.base))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an engine says of its model without running it."""

    identity: str
    size: ModelSize | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a batch brought: for each request its generations, and how long the engine took."""

    generations: list[list[Generation]]
    seconds: float


_open: dict[str, Engine] = {}


def describe(spec: EngineSpec) -> EngineFacts:
    """Identity and size of an engine's model.

    Raises:
        InputError: the model cannot be used.
    """
    engine = _engine(spec)
    return EngineFacts(identity=engine.identity, size=engine.size())


def cut(spec: EngineSpec, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
    """Requests cut into batches as the engine wants them."""
    return _engine(spec).batches(requests)


def answer(spec: EngineSpec, batch: Sequence[Request], params: SamplingParams, seed: int) -> Answers:
    """Answer one batch; the engine stays loaded for the next one.

    Raises:
        EngineError: the engine could not answer.
    """
    engine = _engine(spec)
    started = time.monotonic()
    generations = engine.generate(batch, params, seed)
    return Answers(generations=generations, seconds=time.monotonic() - started)


def _engine(spec: EngineSpec) -> Engine:
    if spec.key not in _open:
        while len(_open) >= _KEPT:
            _open.pop(next(iter(_open))).close()
        _open[spec.key] = load_engine(spec.name, dict(spec.options), base=spec.base)
    return _open[spec.key]
