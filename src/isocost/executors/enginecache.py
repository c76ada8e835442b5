"""The engines that a worker keeps open, and which of them must make room for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from isocost.engines import load_engine
from isocost.engines.base import Engine
from isocost.executors.jobs import EngineSpec

MAX_OPEN = 4  # a study's few models stay, and a worker that serves a whole study does not fill up


@dataclass(slots=True)
class EngineCache:
    """Open engines, least recently used first; used by several threads.

    An engine that is `exclusive` takes the memory of its device whole: no other stays open beside it.
    """

    _engines: dict[str, Engine] = field(default_factory=dict)
    _users: dict[str, int] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def get(self, spec: EngineSpec) -> Engine:
        """The engine, to be asked what needs no weights."""
        with self._changed:
            if spec.key not in self._engines:
                self._engines[spec.key] = load_engine(spec.name, dict(spec.options), base=spec.base)
            return self._engines[spec.key]

    def acquire(self, spec: EngineSpec) -> Engine:
        """The engine, to generate with until it is given back; what has to make room for it is closed first, once nobody uses it."""
        with self._changed:
            # Looked for again after every wait: another thread may have put it away to make room for its own.
            while leaving := self._leaving(self.get(spec), spec.key):
                idle = [key for key in leaving if not self._users.get(key)]
                for key in idle:
                    self._engines.pop(key).close()
                if len(idle) < len(leaving):
                    self._changed.wait()
            engine = self._engines[spec.key] = self._engines.pop(spec.key)  # the last now
            self._users[spec.key] = self._users.get(spec.key, 0) + 1
            return engine

    def release(self, spec: EngineSpec) -> None:
        """One who has taken the engine is done with it."""
        with self._changed:
            self._users[spec.key] -= 1
            self._changed.notify_all()

    @contextmanager
    def borrow(self, spec: EngineSpec) -> Iterator[Engine]:
        """The engine, taken and given back."""
        engine = self.acquire(spec)
        try:
            yield engine
        finally:
            self.release(spec)

    def _leaving(self, engine: Engine, key: str) -> list[str]:
        """The engines that cannot stay open beside this one."""
        others = [other for other in self._engines if other != key]
        if is_exclusive(engine):
            return others
        return [other for other in others if is_exclusive(self._engines[other])] or others[: max(0, len(self._engines) - MAX_OPEN)]


def is_exclusive(engine: Engine) -> bool:
    """Whether an engine takes the memory of its device whole; those that do say so."""
    return bool(getattr(engine, "exclusive", False))
