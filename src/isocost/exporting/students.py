"""`isocost export --student`: a trained student of a run as a folder that transformers loads, with its card."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from isocost.config.training import Finetune
from isocost.errors import InputError, Option, RunDirectoryError
from isocost.exporting.cells import CellData, open_cell
from isocost.exporting.folders import check_new, write_folder
from isocost.exporting.studentcard import Student, student_card
from isocost.finetuning import recorded
from isocost.nearest import did_you_mean
from isocost.paths import shell_word

_RECORD = "trained.json"
_PATHS = ("_name_or_path", "name_or_path")  # keys of the library's files that may hold a path of this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedStudent:
    """A folder that was written.

    Attributes:
        folder: The folder.
        student: The student's name in the study.
        cell: The cell on whose data it was trained.
        seed: The training seed.
    """

    folder: Path
    student: str
    cell: str
    seed: int


def export_student(run: Path, student: str, arm: str | None, folder: Path, *, seed: int | None = None) -> ExportedStudent:
    """Write a trained student, with a card that names the commands for it. The folder appears only once it is complete.

    Args:
        run: The run directory.
        student: The student's name in the study.
        arm: The cell on whose data it was trained, `arm@budget`; an arm's name is enough if it has one cell.
        folder: The folder to write; it must not exist.
        seed: The training seed; may be left out if there is one.

    Raises:
        InputError: The run, the cell or the student does not exist, or the folder does.
        StorageError: The folder cannot be written.
    """
    check_new(folder)
    cell = open_cell(run, arm)
    model, seed = _find(cell, student, seed)
    trained = recorded(model)
    if trained is None:
        raise RunDirectoryError(f"{model}: has no {_RECORD}", advice=f"move it away, and train again: isocost finetune {shell_word(run)}")
    settings = json.loads((model / _RECORD).read_text(encoding="utf-8")).get("settings", {})
    found = Student(name=student, cell=cell, seed=seed, trained=trained, settings=settings)

    def fill(made: Path) -> None:
        shutil.copytree(model, made, dirs_exist_ok=True)
        for path in made.glob("*.json"):
            _forget_paths(path)
        (made / "README.md").write_text(student_card(found, _command(run, found, folder)), encoding="utf-8")

    write_folder(folder, fill)
    return ExportedStudent(folder=folder, student=student, cell=cell.name, seed=seed)


def _find(cell: CellData, student: str, seed: int | None) -> tuple[Path, int]:
    """Return the folder and the seed of the one training that is asked for.

    Raises:
        InputError: There is none, or there are several.
    """
    run, finetune = cell.run, cell.study.finetune
    if finetune is None or student not in finetune.students:
        students = finetune.students if finetune else ()
        known = f"it trains {', '.join(students)}" if students else "it trains none: add a section finetune"
        hint = did_you_mean(student, students) or known
        raise InputError(f'the study trains no student "{student[:80]}"', advice=hint, option=Option(name="student"))
    seeds = finetune.seeds if seed is None else (seed,)
    found = {each: sorted((run / "models").glob(f"{escape(student)}-{escape(cell.name)}-{each}-*")) for each in seeds}
    trained = {each: folders for each, folders in found.items() if folders}
    what = f"{student} on {cell.name}" + ("" if seed is None else f" with seed {seed}")
    if not trained:
        raise InputError(f"{run}: has no training of {what}", advice=f"{_missing(finetune, cell, seed)}isocost finetune {shell_word(run)}")
    if len(trained) > 1:
        advice = ("give ", Option(name="seed"), f": {', '.join(map(str, trained))}")
        raise InputError(f"{run}: has trainings of {what} with several seeds", advice=advice)
    ((only, folders),) = trained.items()
    if len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise InputError(
            f"{run}: has several trainings of {what}: {names}", advice="move those of earlier settings out of its folder models"
        )
    return folders[0], only


def _missing(finetune: Finetune, cell: CellData, seed: int | None) -> str:
    """Return what to change in the study before its students can be trained on the cell, and with the seed."""
    arm, _, budget = cell.name.partition("@")
    lacking = [f"{arm} to finetune.arms"] if arm not in finetune.arms else []
    # Number-matched arms have no budget, and are trained on whatever the budgets.
    if finetune.budgets and budget in cell.study.budgets and budget not in finetune.budgets:
        lacking.append(f"{budget} to finetune.budgets")
    if seed is not None and seed not in finetune.seeds:
        lacking.append(f"{seed} to finetune.seeds")
    return f"add {' and '.join(lacking)} in the study file, run it again, then: " if lacking else "train it: "


def _forget_paths(path: Path) -> None:
    """Replace paths of this machine in a configuration file by the names of their last folders: it is published."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return
    kept = {key: Path(found[key]).name for key in _PATHS if isinstance(found, dict) and Path(str(found.get(key, ""))).is_absolute()}
    if kept:
        path.write_text(json.dumps({**found, **kept}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _command(run: Path, student: Student, folder: Path) -> str:
    """Return the commands that make the model again; they have names of folders and no paths of this machine."""
    run_name, folder_name = (shell_word(Path(path.name or ".")) for path in (run, folder))
    chosen = f"--student {shell_word(Path(student.name))} --arm {shell_word(Path(student.cell.name))} --seed {student.seed}"
    return f"isocost run STUDY.yaml -o {run_name}\nisocost export {run_name} {chosen} -o {folder_name}"
