"""Values that the shell offers for options, with nothing imported that takes time: a person waits for them.

Names whose own module is slow to import are written out here; tests/cli/test_completing.py compares them with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import typer

STAGES = ("pilot", "sample", "grade", "audit", "measure", "curate", "finetune", "evaluate", "report")
FORMATS = ("messages", "prompt-completion", "text", "kto", "open-r1", "parquet")
TEMPLATES = ("endpoint", "gpu", "table", "code")
EXECUTORS = ("local", "ray")
LEVELS = ("string", "normalised", "equations", "none")

Completer = Callable[[str], list[str]]


def one_of(names: Iterable[str]) -> Completer:
    """Return a completer of one of some names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def graders(incomplete: str) -> list[str]:
    """Complete the name of a grader."""
    from isocost.graders import GRADERS

    return one_of(GRADERS)(incomplete)


def sample_formats(incomplete: str) -> list[str]:
    """Complete the name of a format that samples are imported from."""
    from isocost.tables.formats import FORMATS as KNOWN

    return one_of(KNOWN)(incomplete)


def policies(incomplete: str) -> list[str]:
    """Complete the last of several policies, joined by commas."""
    from isocost.policies import POLICIES

    before, comma, last = incomplete.rpartition(",")
    named = before.split(",")
    return [f"{before}{comma}{name}" for name in one_of(POLICIES)(last) if name not in named]


def cells(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a cell, `ARM@BUDGET`, of the run directory that is on the line."""
    # Words are not told apart as arguments while the last option lacks its value.
    directory = ctx.params.get("directory") or next(iter(ctx.args), None)
    if directory is None:
        return []
    folder = Path(directory) / "trainsets"
    # Runs of earlier versions have a file per cell.
    names = {path.name.removesuffix(".parquet") for path in folder.glob("*@*") if path.is_dir() or path.suffix == ".parquet"}
    return one_of(sorted(names))(incomplete)
