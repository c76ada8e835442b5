"""The formats of samples by name: what the fields of other tools' files mean. A format is imported when files are looked at.

A format is a module with a class as `base.Format` says, and a line here. The first that recognises a record reads its file, so formats
with telling fields come before those with common ones.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from isocost.tables.formats.base import Format

FORMATS: dict[str, str] = {
    "inspect": "isocost.tables.formats.inspect:InspectLog",
    "evalplus-results": "isocost.tables.formats.evalplus:EvaluatedSolutions",
    "lm-eval": "isocost.tables.formats.lmeval:HarnessSamples",
    "verifiers-trace": "isocost.tables.formats.verifiers:Traces",
    "verifiers": "isocost.tables.formats.verifiers:Rollouts",
    "open-r1": "isocost.tables.formats.openr1:Generations",
    "large-language-monkeys": "isocost.tables.formats.monkeys:Monkeys",
    "nemo-skills": "isocost.tables.formats.nemo:NemoOutputs",
    "plain": "isocost.tables.formats.plain:Rows",
    "evalplus": "isocost.tables.formats.evalplus:Solutions",
}
PLAIN = "plain"


@cache
def format_class(name: str) -> type[Format]:
    """Import a format by its name in `FORMATS`."""
    module, _, attribute = FORMATS[name].partition(":")
    return cast("type[Format]", getattr(importlib.import_module(module), attribute))


def format_name(fields: Mapping[str, Any]) -> str | None:
    """Return the name of the format that recognises an object; None if none does."""
    return next((name for name in FORMATS if format_class(name).recognises(fields)), None)
