"""Run the rounds of an iterated study after the first: each samples what the round before has trained, in a run directory of its own.

Nothing is marked as done here either: a start passes through all rounds, and each does what it lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from isocost.config import Study
from isocost.costs.pricefile import read_prices
from isocost.errors import ModelError, RunDirectoryError, RunError
from isocost.events import Listener, Note
from isocost.paths import from_home, shell_word
from isocost.preparing.changes import note_changes
from isocost.preparing.rounds import later_round
from isocost.results.rounds import with_rounds
from isocost.results.stored import read_results
from isocost.running.finished import Finished
from isocost.running.folders import check_same_study, refuse_change, resolved
from isocost.running.stages import write_measures, write_report
from isocost.running.starts import Start
from isocost.store import RunDirectory
from isocost.store.rounds import MARK, round_folder
from isocost.studyrounds import own_students

RunOne = Callable[[Study, RunDirectory, Start], Finished]


def run_rounds(
    study: Study, base: Path, directory: RunDirectory, first: Finished, run_one: RunOne, command: str, listener: Listener
) -> Finished:
    """Run the rounds after the first, and write the measures and the report of the iterated study.

    Args:
        study: The iterated study.
        base: The folder that its relative paths are resolved against.
        directory: Its run directory, which is that of the first round.
        first: The outcome of the first round.
        run_one: Runs a study in its run directory, up to the report.
        command: The command that resumes the run.
        listener: Called with progress and notes.

    Raises:
        RunError: a round failed, or the round before trained no model for it.
    """
    prices = study.costs.prices
    listed = None if prices is None else read_prices(from_home(base, prices), prices)
    finished = first
    for number in range(2, study.rounds + 1):
        derived = later_round(study, number, _trained(study, finished, number), listed)
        folder = round_folder(directory.path, number)
        listener(Note(text=f"round {number} of {study.rounds}, in {folder}"))
        with RunDirectory(folder) as inner:
            # Before anything is bought: by this file the ledger finds the other rounds, which share its limit.
            inner.write_json({"round": number}, MARK)
            check_same_study(inner, derived)
            refuse_change(inner, resolved(derived, base))
            note_changes(inner.read_text("study.yaml"), resolved(derived, base), listener)
            with Start(inner, command) as start:
                finished = run_one(derived, inner, start)
    own = first.results or read_results(directory.path)
    found = with_rounds(study, own, [round_folder(directory.path, number) for number in range(1, study.rounds + 1)])
    write_measures(directory, found)
    made = write_report(directory, found)
    return Finished(directory=directory.path, headline=made.headline, report=directory.path / "report.html", largest=made.largest)


def note_first_round(study: Study, directory: Path, until: str, listener: Listener) -> None:
    """Note that a stage of an iterated study is that of its first round, unless all rounds are run."""
    if study.rounds > 1 and until != "report":
        listener(Note(text=f"{until} of round 1 alone; all {study.rounds} rounds: isocost report {shell_word(directory)}"))


def _trained(study: Study, before: Finished, number: int) -> dict[tuple[str, str], Path]:
    """Return the models that a round samples, by arm and student: those of the first training seed.

    Raises:
        RunError: one was not trained.
    """
    seed = study.finetune.seeds[0] if study.finetune else 0
    folders = {(each.cell.arm, each.student): each.folder for each in before.trainings.done if each.seed == seed}
    reasons = {(each.cell.rpartition("@")[0], each.student): each.reason for each in before.trainings.failed if each.seed == seed}
    found = {}
    for key in ((arm, student) for arm in study.arms for student in own_students(study, arm)):
        arm, student = key
        if key not in folders:
            why = reasons.get(key, "the arm has no solution to train on")
            raise RunError(
                f"round {number} has no model to sample: {student} was not trained on {arm}, seed {seed}, in round {number - 1}: {why}",
                advice=f"{f'see {before.report}; then ' if before.report else ''}run the same command again",
            )
        _refuse_damaged(folders[key])
        found[key] = folders[key]
    return found


def _refuse_damaged(model: Path) -> None:
    """Refuse the weights of a student that are damaged: as a model of the next study they would be looked for in the study file.

    Raises:
        RunDirectoryError: a file is missing, or is no whole one.
    """
    from isocost.engines.checkpoints.weights import check_weights  # imports transformers

    try:
        check_weights(model)
    except ModelError as error:
        what = error.happened.partition(";")[0]
        raise RunDirectoryError(
            what, advice=f"remove {shell_word(model)}, and run the same command again: it trains this student again"
        ) from error
