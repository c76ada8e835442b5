"""Check that a folder holds the run of the study at hand, and keep the study and its provenance in it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from isocost.config import Study
from isocost.errors import RunDirectoryError, StorageError
from isocost.grading import Grading
from isocost.ids import digest
from isocost.ledger.identity import RUN
from isocost.ledger.submissions import FILE as SUBMISSIONS
from isocost.ledger.submissions import Submissions
from isocost.paths import read_bytes, shell_word, stamp_of
from isocost.preparing.changes import read_last_study
from isocost.preparing.prepare import Prepared
from isocost.results.results import environment
from isocost.sampling.batches import changed_error
from isocost.store import RunDirectory
from isocost.store.rounds import MARK
from isocost.store.unstudied import holds_run, no_study
from isocost.yamlfile import dump_yaml, parse_yaml


def base_of(directory: RunDirectory) -> Path:
    """Return the folder that relative paths of the study are resolved against.

    Raises:
        StorageError: `manifest.json` is damaged.
    """
    remedy = f"write it again: isocost run STUDY.yaml -o {shell_word(directory.path)}"
    base = (directory.read_json("manifest.json", remedy=remedy) or {}).get("base", ".")
    if not isinstance(base, str):
        raise StorageError(f'{directory.path / "manifest.json"}: "base" is no path', advice=remedy)
    return Path(base)


def chat_date_of(directory: RunDirectory) -> dt.date:
    """Return the date that chat templates of a run get: that of its first start, so that it asks the same on later days.

    A later round of an iterated study has that of the first round. A run of an earlier version has the date of its last start, on which a
    training under way may have begun.
    """
    folders = [directory.path, *([directory.path.resolve().parent.parent] if (directory.path / MARK).exists() else [])]
    for path in (folder / "manifest.json" for folder in folders):
        try:
            return dt.date.fromisoformat(json.loads(read_bytes(path))["chat_date"])
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            if stamp := stamp_of(path):
                return dt.date.fromtimestamp(stamp[1] / 1e9)
    return dt.date.today()


@contextmanager
def keep_study(directory: RunDirectory, text: str) -> Iterator[None]:
    """Write the study into its run directory, and again at the end if it was removed meanwhile: no stage runs without it."""
    directory.write_text(text, "study.yaml")
    try:
        yield
    finally:
        with suppress(StorageError):  # must not hide an error of the run
            if directory.read_text("study.yaml") is None:
                directory.write_text(text, "study.yaml")


def refuse_run(path: Path) -> None:
    """Refuse a run directory where a study file is expected.

    Raises:
        RunDirectoryError: the path is a run directory.
    """
    if path.is_dir() and (path / "study.yaml").exists():
        raise RunDirectoryError(
            f"{path}: is a run directory, not a study file", advice=f"make its report with: isocost report {shell_word(path)}"
        )


def refuse_foreign_study(directory: RunDirectory) -> None:
    """Refuse a folder whose study file no run wrote, such as that of the user's own one: a run would write its own over it.

    Raises:
        RunDirectoryError: the folder has a study file and no run.
    """
    begun = ("models.json", "manifest.json", "ledger.jsonl", "pools")
    if (directory.path / "study.yaml").exists() and not any((directory.path / name).exists() for name in begun):
        raise RunDirectoryError(
            f"{directory.path}: has a study.yaml and no run; a run there would write over it", advice="name another folder with -o"
        )


def refuse_change(directory: RunDirectory, after: str) -> None:
    """Refuse a study that was changed since the last start while batches of it are under way: they would come without a place.

    Args:
        directory: The run directory.
        after: The resolved study of this start.

    Raises:
        RunDirectoryError: it was changed.
        StorageError: the record of submissions is damaged.
    """
    before = directory.read_text("study.yaml")
    if before is None or parse_yaml(before, text_keys=True).data == parse_yaml(after, text_keys=True).data:
        return
    submissions = Submissions(directory.log(SUBMISSIONS))
    if any(each.may_be_paid for each in submissions.open()):
        raise changed_error(submissions, directory)


def check_same_study(directory: RunDirectory, study: Study) -> None:
    """Refuse a folder that holds other data.

    Raises:
        RunDirectoryError: the folder holds the run of another study, or files that are not a run.
    """
    kept = read_last_study(directory)
    if kept is not None:
        if kept.get("name") != study.name:
            raise RunDirectoryError(
                f'{directory.path}: holds the study "{kept.get("name")}", not "{study.name}"', advice="name another folder with -o"
            )
    elif others := directory.unknown_names():
        if holds_run(directory.path):
            raise no_study(directory.path)
        raise RunDirectoryError(f"{directory.path}: is not empty and holds no study ({others[0]})", advice="name another folder with -o")


def resolved(study: Study, base: Path) -> str:
    """Return the study file for the run directory: with settings applied and absolute paths, so that it runs from any folder."""
    raw = study.model_dump(mode="json", exclude_unset=True)
    for section in (*raw["problems"].values(), *raw["models"].values()):
        for key, value in (section or {}).items():
            # A word without slash or dot is a name, such as a problem source, even if a folder of that name exists.
            looks_like_path = isinstance(value, str) and ("/" in value or "." in value)
            if looks_like_path and not Path(value).is_absolute() and (base / value).exists():
                section[key] = str((base / value).resolve())
    if prices := (raw.get("costs") or {}).get("prices"):
        raw["costs"]["prices"] = str((base / prices).resolve())
    return dump_yaml(raw)


def manifest(prepared: Prepared, base: Path, grading: Grading, chat_date: dt.date, run: str) -> dict[str, object]:
    """Return the provenance of a run: its id, versions, hardware, the grader, and weights and problems by hash."""
    return {
        **({RUN: run} if run else {}),
        "isocost": version("isocost"),
        "seed": prepared.study.seed,
        "base": str(base),
        "chat_date": chat_date.isoformat(),
        "grader": {"name": grading.grader.name, "version": grading.grader.version},
        "models": dict(prepared.identities),
        "problems": {
            split: {"n": len(problems), "digest": digest([[p.id, p.question, p.answer] for p in problems])}
            for split, problems in prepared.problems.items()
        },
        "environment": environment(),
    }
