"""The wording of the embedded word problems: thirty scenes in three shapes, read from `scenes.toml`.

A scene is text only; `wordproblems.py` chooses the numbers and the order of events. Three shapes cover one to six steps:

- `RunningScene`: one quantity that events change (add, take away, multiply, divide).
- `PartsScene`: several groups of equal size that are added up, with something left over, lost or shared at the end.
- `ChainScene`: people who have some more, some fewer or some times as many as the one before; the last one or the total is asked.

Scenes with `transfer = true` are never shown in pretraining or finetuning: they are the perturbed copy of the test set.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningScene:
    """One quantity and the events that change it. Fields: {name}, {thing}, {n} for the start, {k} for an event's number."""

    key: str
    opening: str
    gain: tuple[str, ...]
    lose: tuple[str, ...]
    multiply: str
    divide: str
    ask: str
    transfer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsScene:
    """Groups of equal size. Fields: {name}, {thing}, {k} groups of {n} in `part`; {m} in `gain` and `lose`; {k} shares in `divide`."""

    key: str
    part: tuple[str, ...]
    gain: str
    lose: str
    divide: str
    ask: str
    ask_each: str
    transfer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainScene:
    """People compared one with the next. Fields: {name}, {thing}, {n} at the start; {next}, {last}, {k} in a link."""

    key: str
    opening: str
    more: str
    fewer: str
    times: str
    ask_last: str
    ask_total: str
    transfer: bool = False


Scene = RunningScene | PartsScene | ChainScene


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """All texts. `common_gain` and `common_lose` are events of any {thing}; `distractors` state a number {d} that nothing asks for."""

    names: tuple[str, ...]
    things: tuple[str, ...]
    common_gain: tuple[str, ...]
    common_lose: tuple[str, ...]
    distractors: tuple[str, ...]
    running: tuple[RunningScene, ...]
    parts: tuple[PartsScene, ...]
    chains: tuple[ChainScene, ...]

    def scenes(self, *, transfer: bool) -> list[Scene]:
        """Return the scenes of the transfer set, or all others."""
        every: tuple[Scene, ...] = (*self.running, *self.parts, *self.chains)
        return [scene for scene in every if scene.transfer == transfer]


WORDING = TypeAdapter(Wording).validate_python(tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))
