"""Recognise a run of which nothing has changed since its last report, so that the report is written again from `results.json`.

Reading and measuring a million samples again takes minutes, and their report a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from isocost.errors import RunDirectoryError
from isocost.events import Listener, Note
from isocost.ids import digest
from isocost.ledger.submissions import FILE as SUBMISSIONS
from isocost.ledger.submissions import Submissions
from isocost.measuring.equationcache import FILE as EQUATIONS
from isocost.paths import stamp_of
from isocost.preparing.prepare import Prepared, own_parts
from isocost.records import Results
from isocost.reporting import Report
from isocost.results.stored import RESULTS, read_results
from isocost.running.stages import StudyRun, rewrite_report
from isocost.store import RunDirectory

FILE = "reported.json"
LABELS = "audits/labels.jsonl"
# Files that follow from the terms, which are compared, or from the results. Every start writes them, also one that only reports again, or
# does without them.
_WRITTEN_AGAIN = {
    FILE, "lock", "start.json", "study.yaml", "manifest.json", "models.json", "excluded.jsonl", "stale.json",
    "report.html", "report.md", "figures", "tables", "audits/labels.lock", "labels.json", EQUATIONS,
}  # fmt: skip

_CODE = Path(__file__).parents[1]  # of isocost itself: a developer's report follows from the code as it is
Stamp = tuple[int, int]  # size in bytes, and time of the last change in nanoseconds


class ReportedRun:
    """The state of a run directory at the start of a run, to compare with that at its last report.

    Args:
        directory: The run directory, open.
        prepared: The study.
        study: The resolved study as YAML.
        manifest: The provenance of this start: versions, grader, identities of models, digests of problems.
    """

    def __init__(self, directory: RunDirectory, prepared: Prepared, study: str, manifest: Mapping[str, object]) -> None:
        self._directory = directory
        # Prices may come from a file beside the study. Its models' cards hold them, with dates, which JSON has not.
        self._terms = digest(study, manifest, repr(sorted(prepared.cards.items())), sorted(_stamps(_CODE, "*.py")))
        # Code of the study's own may have changed, a judge is asked again where it did not answer, and a failed training is tried again.
        study_asks = prepared.study.is_judged or prepared.study.audit.by == "judge" or prepared.study.finetune is not None
        # A batch that is under way, or a file of one that is still at the endpoint, is work for the whole run.
        is_settled = not Submissions(directory.log(SUBMISSIONS)).open()
        self._comparable = is_settled and not own_parts(prepared.study) and not study_asks
        # People label while a run goes on. The audit reads labels after this moment: a later label must count as a change.
        self._labels = stamp_of(directory.path / LABELS)

    def results(self) -> Results | None:
        """Return the results of the last report if it would be the same now, else None."""
        kept = self._directory.read_derived(FILE)
        if not self._comparable or kept is None or kept.get("state") != self._state():
            return None
        try:
            return read_results(self._directory.path)
        except RunDirectoryError:
            return None

    def keep(self) -> None:
        """Record that the report follows from the files as they are now."""
        if self._comparable:
            self._directory.write_json({"state": self._state()}, FILE)

    def _state(self) -> str:
        found = _stamps(self._directory.path, "*")
        files = {name: stamp for name, stamp in found if not {name, name.partition("/")[0]} & _WRITTEN_AGAIN and name != LABELS}
        return digest(self._terms, sorted(files.items()), self._labels, length=64)


def report_run(started: StudyRun, reported: ReportedRun, listener: Listener, *, force: bool) -> Report | None:
    """Run all stages; without `force`, and if nothing has changed since the last report, only write that again.

    Args:
        started: The start of the run.
        reported: The state of its directory.
        listener: Called with progress and notes.
        force: Whether to run all stages in any case.
    """
    if not force and (results := reported.results()) is not None:
        listener(Note(text=f"nothing has changed since the last report; it is written again from {RESULTS}"))
        return rewrite_report(started.directory, results)
    report = started.run("report", force=force)
    reported.keep()
    return report


def _stamps(folder: Path, pattern: str) -> Iterator[tuple[str, Stamp]]:
    """Yield path and stamp of every file below a folder that matches a pattern."""
    for path in folder.rglob(pattern):
        if not path.is_dir() and (stamp := stamp_of(path)):
            yield path.relative_to(folder).as_posix(), stamp
