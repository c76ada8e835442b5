"""The keys that a section of the study file may have, by its path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from isocost.config.study import Study


def fields_at(keys: Sequence[str | int]) -> list[str]:
    """Return the valid keys of the section at a path of the study file."""
    section: Any = Study
    for key in (k for k in keys if not isinstance(k, int)):  # items of a list have the type of the list's section
        if isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[str(key)].annotation
        else:  # a mapping of names to sections
            section = get_args(section)[-1]
        options = [a for a in get_args(section) if isinstance(a, type) and issubclass(a, BaseModel)]
        if options and not str(section).startswith("dict"):
            section = options[0]
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
