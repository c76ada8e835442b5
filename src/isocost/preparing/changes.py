"""The study that a run directory keeps, and the settings that a new start changes in it.

A setting given by `--set` applies to one start. The note of changed settings shows where a later start lacks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from isocost.errors import RunDirectoryError, StorageError
from isocost.events import Listener, Note
from isocost.store import RunDirectory
from isocost.yamlfile import describe, parse_yaml

_NAMED, _LONGEST = 5, 40  # settings that a note names, and characters of a value: the note stays within a few lines
_UNSET = "not set"


def read_last_study(directory: RunDirectory) -> dict[str, Any] | None:
    """Return the study of the last start as plain data, or None if there was none.

    Raises:
        RunDirectoryError: `study.yaml` is damaged.
    """
    path = directory.path / "study.yaml"
    try:
        text = directory.read_text("study.yaml")
    except StorageError as error:
        raise _damaged(error.happened) from error
    try:
        study = None if text is None else parse_yaml(text, text_keys=True).data
    except yaml.YAMLError as error:
        raise _damaged(describe(error, text or "", str(path))) from error
    if text is not None and not isinstance(study, dict):
        raise _damaged(f"{path}: holds no study")
    return study


def _damaged(what: str) -> RunDirectoryError:
    return RunDirectoryError(f"{what}\n  restore it from a copy, or put a copy of the run's study file in its place")


def note_changes(before: str | None, after: str, listener: Listener) -> None:
    """Note the settings that differ from those of the last start, if any do.

    Args:
        before: The resolved study of the last start as YAML, or None if there was none.
        after: The resolved study of this start.
        listener: Called with the note.
    """
    if before is None or before == after:
        return
    old, new = (dict(_leaves(parse_yaml(text, text_keys=True).data or {}, "")) for text in (before, after))
    # In the order of the old study, then of the new one, so that related settings stay together.
    changed = [key for key in dict.fromkeys((*old, *new)) if old.get(key, _UNSET) != new.get(key, _UNSET)]
    if changed:
        listed = ", ".join(f"{key} {_shorten(new, key)} (was {_shorten(old, key)})" for key in changed[:_NAMED])
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        listener(Note(text=f"settings changed since the last start: {listed}{more}"))


def _shorten(settings: Mapping[str, object], key: str) -> str:
    text = " ".join(str(settings.get(key, _UNSET)).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    """Yield every setting with its dotted path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
