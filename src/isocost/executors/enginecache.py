"""The cache of open engines in a worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from isocost.engines import load_engine
from isocost.engines.base import Engine
from isocost.errors import ModelError
from isocost.executors.jobs import EngineSpec

MAX_OPEN = 4  # keeps the few models of one study open, and bounds the memory of a worker that serves many


@dataclass(slots=True)
class EngineCache:
    """Open engines, least recently used first. Safe for several threads.

    An `exclusive` engine takes the whole memory of its device, so no other engine stays open beside it.
    """

    _engines: dict[str, Engine] = field(default_factory=dict)
    _users: dict[str, int] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def get(self, spec: EngineSpec) -> Engine:
        """Return the engine for calls that need no weights. It may be closed again by another thread.

        Raises:
            ModelError: it has another identity than its draws are stored under.
        """
        with self._changed:
            if spec.key not in self._engines:
                self._engines[spec.key] = load_engine(spec.name, dict(spec.options), base=spec.base, chat_date=spec.chat_date)
            engine = self._engines[spec.key]
            if spec.identity is not None and engine.identity != spec.identity:
                model = dict(spec.options).get("model", spec.name)
                raise ModelError(
                    f"{model}: its files are not those that the run was started with",
                    advice="restore them, or run the same command again to sample the changed model",
                )
            return engine

    def acquire(self, spec: EngineSpec) -> Engine:
        """Return the engine for generation until `release`. Engines that must make room are closed first, once unused."""
        with self._changed:
            # Evaluated again after every wait: another thread may have closed this engine to make room for its own.
            while evicted := self._to_evict(self.get(spec), spec.key):
                idle = [key for key in evicted if not self._users.get(key)]
                for key in idle:
                    self._engines.pop(key).close()
                if len(idle) < len(evicted):
                    self._changed.wait()
            engine = self._engines[spec.key] = self._engines.pop(spec.key)  # moves it to the end, the most recently used
            self._users[spec.key] = self._users.get(spec.key, 0) + 1
            return engine

    def release(self, spec: EngineSpec) -> None:
        """Mark the engine as unused by this caller."""
        with self._changed:
            self._users[spec.key] -= 1
            self._changed.notify_all()

    @contextmanager
    def borrow(self, spec: EngineSpec) -> Iterator[Engine]:
        """Acquire the engine for the length of a `with` block."""
        engine = self.acquire(spec)
        try:
            yield engine
        finally:
            self.release(spec)

    def _to_evict(self, engine: Engine, key: str) -> list[str]:
        """Return the keys of the engines that must close before this one is used."""
        others = [other for other in self._engines if other != key]
        if is_exclusive(engine):
            return others
        exclusive = [other for other in others if is_exclusive(self._engines[other])]
        return exclusive or others[: max(0, len(self._engines) - MAX_OPEN)]


def is_exclusive(engine: Engine) -> bool:
    """Return True if the engine declares that it takes the whole memory of its device."""
    return bool(getattr(engine, "exclusive", False))
