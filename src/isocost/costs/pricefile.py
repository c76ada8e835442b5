"""A price file: the prices of a provider's models, in one place for many studies.

dated: 2026-11-01            # the day they were read
models:
  gpt-4o-mini: {input: 0.15, output: 0.6, input_cache_read: 0.075, batch_discount: 0.5}     # US dollars a million tokens
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isocost.coercion import coerce_texts
from isocost.config import BatchPrice, Discount, ListPrice, Price, Section
from isocost.errors import StudyError
from isocost.nearest import did_you_mean
from isocost.yamlfile import Keys, read_yaml

_NEEDED = "needed: input, output (USD per million tokens)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices by the provider's name of the model. `shown` is the file's name in messages."""

    shown: str
    models: Mapping[str, Price]

    def of(self, *names: str) -> Price | None:
        """Return the price of the first of these names that the list has."""
        return next((self.models[name] for name in names if name in self.models), None)

    def advice(self, name: str) -> str:
        """Return the advice for a model that the list lacks."""
        near = did_you_mean(name, self.models)
        return f'add "{name}" to {self.shown}, with its input and output{f"; {near}" if near else ""}'


class _Listed(ListPrice):
    batch: BatchPrice | None = None
    batch_discount: Discount | None = None


class _File(Section):
    dated: dt.date
    models: dict[str, _Listed]


def read_prices(path: Path, shown: str) -> PriceList:
    """Read a price file.

    Args:
        path: The file.
        shown: The file's name in messages.

    Raises:
        StudyError: the file is missing, is not YAML, or has mistakes: all of them, each with its line.
    """
    file = read_yaml(path, shown, "file of prices")
    twice = {keys: f"{_key(keys)} occurs twice, first in line {first}\n  keep one" for keys, first, _ in file.repeated}
    mistakes = [(line, twice[keys]) for keys, _, line in file.repeated]
    if isinstance(file.data, dict):
        mistakes += [(file.plain[keys].line, f"{_key(keys)}: {why}") for keys, why in coerce_texts(file.data, file.plain, _File)]
    try:
        read = _File.model_validate(file.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A misspelt key gives two errors, an unknown and a missing one. The second is dropped.
        unknown = {e["loc"][:-1]: str(e["loc"][-1]) for e in found if e["type"] == "extra_forbidden"}
        mistakes += [(file.line_of(tuple(e["loc"])), _mistake(e)) for e in found if not _is_that_typo(e, unknown)]
    if mistakes:
        raise StudyError([f"{shown}:{line}: {text}" if line else f"{shown}: {text}" for line, text in sorted(mistakes, key=lambda m: m[0])])
    prices = {name: Price(**dict(listed), dated=read.dated) for name, listed in read.models.items()}
    return PriceList(shown=shown, models=prices)


def _mistake(error: Mapping[str, Any]) -> str:
    """Return the message for a mistake. Its second line says what to do."""
    keys: Keys = tuple(error["loc"])
    if len(keys) > 3:
        needed = "input and output of batch" if keys[2] == "batch" else "above, input, output of each tier"
        return f'{".".join(map(str, keys[2:]))} of model "{keys[1]}": {error["msg"]}\n  needed: {needed}'
    if error["type"] == "extra_forbidden":
        return _unknown(keys)
    if error["type"] == "missing":
        return _missing(keys)
    if keys == ("dated",):
        return f"dated must be a day, such as 2026-11-01, not {error['input']!r}\n  give the day the prices were read"
    # A path of three keys leads to a price; a shorter one to a section with another type than a mapping.
    if len(keys) < 3:
        return f"{_key(keys) if keys else 'a file of prices'} must be a mapping\n  {_NEEDED} of each model, under models"
    bound = "at least 0 and below 1" if keys[2] == "batch_discount" else "0 or more"
    return f'{keys[2]} of model "{keys[1]}" must be a number, {bound}, not {error["input"]!r}\n  {_NEEDED}'


def _unknown(keys: Keys) -> str:
    of_model = len(keys) == 3
    valid = _Listed.model_fields if of_model else _File.model_fields
    hint = did_you_mean(str(keys[-1]), valid) or f"known: {', '.join(valid)};"
    where = f' for model "{keys[1]}"' if of_model else ""
    return f'unknown key "{keys[-1]}"{where}\n  {hint} {_NEEDED if of_model else "needed: dated, models"}'


def _missing(keys: Keys) -> str:
    if keys == ("dated",):
        return '"dated" is missing\n  give the day the prices were read, such as dated: 2026-11-01'
    if keys == ("models",):
        return f'"models" is missing\n  {_NEEDED} of each model, under models'
    return f'"{keys[-1]}" is missing for model "{keys[1]}"\n  {_NEEDED}'


def _is_that_typo(error: Mapping[str, Any], unknown: Mapping[Keys, str]) -> bool:
    """Return True for a missing key whose misspelling is reported already."""
    misspelt = unknown.get(tuple(error["loc"])[:-1])
    return error["type"] == "missing" and misspelt is not None and bool(did_you_mean(misspelt, [str(error["loc"][-1])]))


def _key(keys: Keys) -> str:
    return f'"{keys[-1]}"' if len(keys) < 3 else f'"{keys[-1]}" of model "{keys[1]}"'
