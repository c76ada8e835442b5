"""Interpretation of YAML values by the study's fields: text where a name is expected, and no number that YAML versions read differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from isocost.config import ModelSpec
from isocost.yamlfile import Keys, Plain


def coerce_texts(data: dict[str, Any], plain: Mapping[Keys, Plain], kind: type[BaseModel]) -> list[tuple[Keys, str]]:
    """Replace values by the written text where text is expected: a model named `no`, the id `1e5`.

    Args:
        data: The file's data, changed in place.
        plain: Its values that were not read as text.
        kind: The pydantic model of the file.

    Returns:
        Mistakes: numbers that two versions of YAML read differently.
    """
    texts = {keys for keys in plain if _is_option_text(data, keys, plain[keys])}
    for keys in texts:
        _put(data, keys, plain[keys].text)
    # Repeated, because pydantic can find further texts once the first are in place.
    while found := {keys for keys in _text_due(data, kind) if keys in plain and plain[keys].text and keys not in texts}:
        for keys in found:
            _put(data, keys, plain[keys].text)
        texts |= found
    return [(keys, why) for keys in plain if keys not in texts and (why := _mistake(plain[keys].text, plain[keys], _get(data, keys)))]


def _text_due(data: dict[str, Any], kind: type[BaseModel]) -> Iterator[Keys]:
    try:
        kind.model_validate(data)
    except ValidationError as error:
        yield from (tuple(e["loc"]) for e in error.errors(include_url=False, include_context=False) if e["type"] == "string_type")


def _is_option_text(data: Mapping[str, Any], keys: Keys, written: Plain) -> bool:
    """Return True if the value of a part's option, which no section checks, means text."""
    # A judge's name is text, although no section of the study checks this key.
    if keys == ("grader", "model"):
        return written.text != ""
    if keys[0] == "models" and len(keys) == 3 and keys[2] not in ModelSpec.model_fields and written.was_text:
        engine = _get(data, (*keys[:2], "engine"))
        return isinstance(engine, str) and ":" not in engine  # isocost's own engines parse numbers from text
    checked = keys[0] in ("costs", "dated") or (keys[0] == "models" and len(keys) > 2 and keys[2] in ModelSpec.model_fields)
    return isinstance(_get(data, keys), dt.date) and not checked


def _mistake(text: str, written: Plain, value: object) -> str | None:
    if written.is_octal and isinstance(value, int):
        return f"{text} is {value} in YAML 1.1 and {int(text.replace('_', ''))} in YAML 1.2; write the one you mean without the leading 0"
    return None


def _get(data: Any, keys: Keys) -> object:
    for key in keys:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _put(data: Any, keys: Keys, value: str) -> None:
    for key in keys[:-1]:
        data = data[key]
    data[keys[-1]] = value
