"""What engines said of their models, remembered in the run directory so that a finished study opens none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from isocost.engines.base import ModelSize
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.ids import digest
from isocost.store import RunDirectory

_FILE = "models.json"


def remembered(directory: RunDirectory, describe: Callable[[EngineSpec], EngineFacts]) -> Callable[[EngineSpec], EngineFacts]:
    """`describe`, asked once for each model; a folder or table whose files changed since is asked again."""
    known: dict[str, Any] = directory.read_json(_FILE) or {}

    def ask(spec: EngineSpec) -> EngineFacts:
        key = digest("facts", 2, spec.key, _files(spec))
        if key not in known or (known[key]["remote"] and "added_tokens" not in known[key]):  # an older version did not ask for them
            facts = describe(spec)
            known[key] = asdict(facts)
            directory.write_json(known, _FILE)
        entry = known[key]
        return EngineFacts(**{**entry, "size": ModelSize(**entry["size"]) if entry["size"] else None})

    return ask


def _files(spec: EngineSpec) -> list[tuple[str, int, int]]:
    """Name, size and time of every file that an option names."""
    found: list[tuple[str, int, int]] = []
    for _, value in spec.options:
        path = spec.base / str(value)
        if isinstance(value, str) and path.exists():
            files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
            found += [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return found
