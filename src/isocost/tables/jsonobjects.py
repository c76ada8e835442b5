"""JSON objects out of text. A key that occurs twice is refused, because readers would keep the last value without an error."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from isocost.digits import json_int
from isocost.errors import TableError
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.tables.source import first_line


def read_value(text: str, where: str) -> tuple[Any, bool]:
    """Return the value of a JSON text, and True if the fast parser read it. It rejects rare cases, such as lone surrogates.

    Raises:
        TableError: The text is not JSON, or an object has a key twice.
    """
    by_fast_parser = True
    try:
        value = from_json(text)
    except ValueError:
        # The fast parser first: the standard library gets only the texts that it rejects.
        value, by_fast_parser = _by_json(text, where), False
    try:
        refuse_repeated_keys(text, value)
    except RepeatedKeyError as error:
        raise TableError(f"{where}: {error}") from error
    return value, by_fast_parser


def read_object(text: str, where: str) -> tuple[dict[str, Any], bool]:
    """Return the object of a JSON text, and True if the fast parser read it.

    Raises:
        TableError: As `read_value`, or the value is not an object.
    """
    value, by_fast_parser = read_value(text, where)
    if not isinstance(value, dict):
        raise TableError(f"{where}: not a JSON object")
    return value, by_fast_parser


def _by_json(text: str, where: str) -> object:
    """Parse a text that the fast parser rejects with the standard library. Texts that both accept give the same result."""
    try:
        return json.loads(text, parse_int=json_int)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{where}: not JSON: {first_line(error)}") from error
