"""What engines said of their models, remembered in the run directory so that a finished study opens none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from isocost.engines.base import ModelSize
from isocost.engines.batching import Batching
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.ids import digest
from isocost.store import RunDirectory

_FILE = "models.json"


def remembered(directory: RunDirectory, describe: Callable[[EngineSpec], EngineFacts]) -> Callable[[EngineSpec], EngineFacts]:
    """`describe`, asked once for each model; a folder or table whose files changed since is asked again."""
    known: dict[str, Any] = directory.read_derived(_FILE) or {}  # damaged: asked again

    def ask(spec: EngineSpec) -> EngineFacts:
        key = digest("facts", 2, spec.key, _files(spec))
        facts = _facts(known.get(key))
        if facts is None:
            facts = describe(spec)
            known[key] = asdict(facts)
            directory.write_json(known, _FILE)
        return facts

    return ask


def _facts(entry: Any) -> EngineFacts | None:
    """Facts as they were written down; None where they were not, or an entry is damaged."""
    try:
        if entry["remote"] and "added_tokens" not in entry:  # written by a version that did not ask
            return None
        size, rule = entry["size"], entry.get("batching")  # of earlier versions without: the engine is asked
        facts = EngineFacts(**{**entry, "size": ModelSize(**size) if size else None, "batching": Batching(**rule) if rule else None})
    except (KeyError, TypeError):
        return None
    if facts.batching and not (type(facts.batching.size) is int and facts.batching.size > 0 and type(facts.batching.mixed) is bool):
        return None
    parameters = facts.size.parameters if facts.size else 0
    sound = isinstance(facts.identity, str) and isinstance(facts.concurrency, int) and isinstance(parameters, int | None)
    return facts if sound and all(isinstance(flag, bool) for flag in (facts.remote, facts.shares_prompts, facts.exclusive)) else None


def _files(spec: EngineSpec) -> list[tuple[str, int, int]]:
    """Name, size and time of every file that an option names."""
    found: list[tuple[str, int, int]] = []
    for _, value in spec.options:
        path = spec.base / str(value)
        if isinstance(value, str) and path.exists():
            files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
            found += [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return found
