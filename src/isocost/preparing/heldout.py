"""Load the sets that training problems are compared with for near-duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from isocost.config import Study
from isocost.errors import IsocostError
from isocost.problems import load_problems
from isocost.records import Problem


def held_out_questions(
    study: Study, base: Path, problems: Mapping[str, Sequence[Problem]], mistakes: list[str]
) -> dict[str, dict[str, str]]:
    """Return the questions of the sets of `curate.decontaminate`, by set and problem id.

    Args:
        study: The study.
        base: The study file's folder.
        problems: The study's own sets that could be loaded, by split.
        mistakes: Gets a line per set that cannot be loaded.
    """
    found: dict[str, dict[str, str]] = {}
    for name in study.curate.decontaminate:
        try:
            own = _load(name, base) if _is_elsewhere(name) else problems.get(name, ())
        except IsocostError as error:
            mistakes.append(f"curate.decontaminate: {name}: {error}")
            continue
        found[name] = {problem.id: problem.question for problem in own}
    return found


def _is_elsewhere(name: str) -> bool:
    """Return True if a set is no split of the study."""
    return ":" in name or name.endswith(".jsonl")


def _load(name: str, base: Path) -> list[Problem]:
    if name.endswith(".jsonl"):
        return load_problems("jsonl", {"path": name}, base=base)
    source, _, split = name.partition(":")
    return load_problems(source, {"split": split}, base=base)
