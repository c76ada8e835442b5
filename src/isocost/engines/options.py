"""Parse the options that a study gives to an engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from isocost.errors import StudyError
from isocost.nearest import did_you_mean


class Options(BaseModel):
    """The base of every engine's options, which refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(kind: type[OptionsT], given: Mapping[str, object]) -> OptionsT:
    """Check options.

    Raises:
        StudyError: with every mistake found, each beginning with its key.
    """
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        raise StudyError([_say(kind, ".".join(map(str, e["loc"])), e["type"], e["msg"]) for e in error.errors()]) from error


def _say(kind: type[Options], key: str, mistake: str, message: str) -> str:
    if mistake == "missing":
        return f"{key}: is missing"
    if mistake != "extra_forbidden":
        return f"{key}: {message}"
    return f"{key}: unknown key; {did_you_mean(key, kind.model_fields) or 'known: ' + ', '.join(kind.model_fields)}"
