"""What a study says otherwise than it did at the run's last start: `--set` holds for later starts only if it is given again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isocost.running.events import Listener, Note
from isocost.yamlfile import parse_yaml

_NAMED, _LONGEST = 5, 40
_UNSET = "not set"


def say_changes(before: str | None, after: str, listener: Listener) -> None:
    """Tell the listener which settings differ from those of the last start, if any do.

    Args:
        before: The resolved study of the last start, or None where there was none.
        after: That of this one.
        listener: Who is told.
    """
    if before is None or before == after:
        return
    old, new = (dict(_leaves(parse_yaml(text, text_keys=True).data or {}, "")) for text in (before, after))
    changed = [key for key in dict.fromkeys((*old, *new)) if old.get(key, _UNSET) != new.get(key, _UNSET)]
    if changed:
        said = ", ".join(f"{key} {_short(new, key)} (was {_short(old, key)})" for key in changed[:_NAMED])
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        listener(Note(text=f"settings changed since the last start: {said}{more}"))


def _short(settings: Mapping[str, object], key: str) -> str:
    text = " ".join(str(settings.get(key, _UNSET)).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    """Every setting with its dotted path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
