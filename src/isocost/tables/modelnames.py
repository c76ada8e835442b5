"""Names of models whose files do not name them: the parts of the files' paths that tell the models apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isocost.paths import real_path

_NAMELESS = "model"  # of a file in the root folder


def folder_names(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for the folder of each file, by file.

    It is the folder's own name. If two folders share one, it is the part of the path between what all paths have in common at their
    start and at their end: `weak` and `strong` of `weak/results/gsm8k` and `strong/results/gsm8k`.
    """
    folders = {file: real_path(file).parent for file in files}
    distinct = set(folders.values())
    if len({folder.name for folder in distinct}) == len(distinct):
        return {file: folder.name or _NAMELESS for file, folder in folders.items()}
    start, end = _common([folder.parts for folder in distinct])
    return {file: "/".join(folder.parts[start : len(folder.parts) - end]) for file, folder in folders.items()}


def _common(paths: list[tuple[str, ...]]) -> tuple[int, int]:
    """Return how many parts all paths share at the start, and at the end. At least one part of each is in neither."""
    shortest = min(map(len, paths))
    start = _shared(paths, shortest - 1)
    end = _shared([path[:start:-1] for path in paths], shortest - 1 - start)
    return start, end


def _shared(paths: list[tuple[str, ...]], most: int) -> int:
    return next((place for place in range(most) if len({path[place] for path in paths}) > 1), most)
