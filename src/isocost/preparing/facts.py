"""Cache the facts of engines in the run directory, so that a finished study opens no engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeGuard, cast

from isocost.engines.base import ModelSize
from isocost.engines.batching import Batching
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.ids import digest
from isocost.paths import from_home
from isocost.store import RunDirectory

_FILE = "models.json"


def cache_facts(directory: RunDirectory, describe: Callable[[EngineSpec], EngineFacts]) -> Callable[[EngineSpec], EngineFacts]:
    """Return `describe` with a cache in the run directory. An engine whose options name a changed file is described again."""

    def ask(spec: EngineSpec) -> EngineFacts:
        key = digest("facts", 2, _key(spec), _files(spec))  # 2 is the format of the entries; raise it to have engines asked again
        facts = _facts(_stored(directory).get(key))
        if facts is None:
            facts = describe(spec)
            _store(directory, key, asdict(facts))
        return facts

    return ask


def cache_available(
    directory: RunDirectory, count: Callable[[EngineSpec], Mapping[str, int] | None]
) -> Callable[[EngineSpec], Mapping[str, int] | None]:
    """Return `count`, which counts an engine's recorded samples by problem, with a cache as that of `cache_facts`."""

    def ask(spec: EngineSpec) -> Mapping[str, int] | None:
        key = digest("available", _key(spec), _files(spec))
        entry = _stored(directory).get(key)
        if _is_available(entry):
            return cast(Mapping[str, int] | None, entry["available"])
        available = count(spec)
        _store(directory, key, {"available": available})
        return available

    return ask


def _key(spec: EngineSpec) -> str:
    return replace(spec, chat_date=None).key  # facts do not depend on the date


def _is_available(entry: object) -> TypeGuard[dict[str, object]]:
    if not isinstance(entry, dict) or "available" not in entry:
        return False
    counts = entry["available"]
    return counts is None or (isinstance(counts, dict) and all(type(count) is int and count >= 0 for count in counts.values()))


def _stored(directory: RunDirectory) -> dict[str, Any]:
    return directory.read_derived(_FILE) or {}  # a damaged file counts as empty, since engines can be asked again


def _store(directory: RunDirectory, key: str, entry: object) -> None:
    directory.write_json({**_stored(directory), key: entry}, _FILE)


def _facts(entry: Any) -> EngineFacts | None:
    """Read the facts of a cache entry; return None if it is missing, damaged, or lacks facts that are needed now."""
    try:
        if entry["remote"] and "added_tokens" not in entry:  # written by an earlier version; without it a worst case is too low
            return None
        size, rule = entry["size"], entry.get("batching")  # earlier versions wrote no rule: a worker then cuts the batches
        facts = EngineFacts(**{**entry, "size": ModelSize(**size) if size else None, "batching": Batching(**rule) if rule else None})
    except (KeyError, TypeError):
        return None
    # The file may be edited by hand, and dataclasses do not check the types of their fields.
    batching = facts.batching
    has_valid_rule = batching is None or (type(batching.size) is int and batching.size > 0 and type(batching.mixed) is bool)
    parameters = facts.size.parameters if facts.size else 0
    has_valid_values = isinstance(facts.identity, str) and isinstance(facts.concurrency, int) and isinstance(parameters, int | None)
    has_valid_flags = all(isinstance(flag, bool) for flag in (facts.remote, facts.shares_prompts, facts.exclusive))
    return facts if has_valid_rule and has_valid_values and has_valid_flags else None


def _files(spec: EngineSpec) -> list[tuple[str, int, int]]:
    """Return name, size and modification time of every file that an option names, directly or by its folder."""
    # Sizes and times stand for the contents: reading a checkpoint of many gigabytes at each start would take minutes.
    found: list[tuple[str, int, int]] = []
    for _, value in spec.options:
        path = from_home(spec.base, str(value))
        if isinstance(value, str) and path.exists():
            files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
            found += [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return found
