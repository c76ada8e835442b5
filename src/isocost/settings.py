"""`--set a.b=c`: values of a study file from the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from isocost.coercion import coerce_texts
from isocost.config import Study
from isocost.errors import StudyError
from isocost.yamlfile import Keys, Plain, TooMuchError, parse_value, trouble


def apply_settings(raw: dict[str, Any], settings: Sequence[str]) -> None:
    """Apply settings to a study, in their order.

    Raises:
        StudyError: a setting is not of the form key.key=value, its value is not YAML, or its key is inside a value that is no section.
    """
    plain: dict[Keys, Plain] = {}
    for setting in settings:
        keys, read = _apply(raw, setting)
        # A later setting of the same key replaces the earlier one's values.
        plain = {old: value for old, value in plain.items() if old[: len(keys)] != keys}
        plain |= {(*keys, *inner): value for inner, value in read.items()}
    if mistakes := coerce_texts(raw, plain, Study) if plain else []:
        raise StudyError([f"--set {'.'.join(map(str, keys))}: {why}" for keys, why in mistakes])


def set_by(settings: Sequence[str]) -> set[tuple[str, ...]]:
    """Return the keys that `--set` gives values to."""
    return {tuple(setting.partition("=")[0].split(".")) for setting in settings}


def _apply(raw: dict[str, Any], setting: str) -> tuple[Keys, Mapping[Keys, Plain]]:
    """Apply one setting. Returns its keys, and the values in it that were not read as text."""
    path, equals, value = setting.partition("=")
    if not equals or not path:
        raise StudyError([f"--set {setting}: write it as key.key=value"])
    *parents, last = path.split(".")
    target: Any = raw
    for key in parents:
        # Missing sections are created, so that `--set limit.amount=5` works without a limit section.
        target = target.setdefault(key, {}) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            raise StudyError([f'--set {setting}: "{key}" is not a section'])
    try:
        read = parse_value(value)
    # Before YAMLError, its base class: the value is not repeated in the message, because it can be very long.
    except TooMuchError as error:
        raise StudyError([f"--set {path}: {trouble(error, value)[1]}"]) from error
    except yaml.YAMLError as error:
        raise StudyError([f"--set {setting}: the value is not YAML"]) from error
    if read.repeated:
        raise StudyError([f"--set {setting}: {'.'.join(map(str, read.repeated[0][0]))} occurs twice; keep one"])
    target[last] = read.data
    return (*parents, last), read.plain
