"""`results.json` of a run directory: everything that its report is made from, to draw and compare without the run."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from isocost.errors import RunDirectoryError
from isocost.paths import read_bytes, shell_word
from isocost.records import Results
from isocost.store import RunDirectory
from isocost.store.unstudied import no_study

RESULTS = "results.json"


def results_json(results: Results) -> dict[str, object]:
    """Return the results as JSON."""
    found: dict[str, object] = _adapter().dump_python(results, mode="json", exclude={"reasoning"})
    # JSON has no keys of two parts.
    found["reasoning"] = [[*key, *counts] for key, counts in results.reasoning.items()]
    return found


def read_results(directory: Path) -> Results:
    """Read the results of a run.

    Raises:
        RunDirectoryError: the folder is no run directory, the run has no report yet, or the file is damaged or was changed.
    """
    path = directory / RESULTS
    again = f"make it: isocost report {shell_word(directory)}"
    if not (directory / "study.yaml").exists():
        raise no_study(directory, "name the folder that isocost run wrote")
    try:
        if flaw := RunDirectory(directory).flaw_of(RESULTS):
            raise RunDirectoryError(f"{directory}: {flaw}", advice=f"write it again: isocost report {shell_word(directory)}")
        raw: Any = json.loads(read_bytes(path))
        pairs = raw.pop("reasoning")
        reasoning = {(account, model): (tokens, total) for account, model, tokens, total in pairs}
        return _adapter().validate_python({**raw, "reasoning": reasoning})
    except FileNotFoundError:
        raise RunDirectoryError(f"{directory}: no {RESULTS}: the run has no report of this version", advice=again) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        raise RunDirectoryError(f"{path}: damaged: {_first_line(error)}", advice=again) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@cache
def _adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)
