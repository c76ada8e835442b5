"""Compare what the pages show with what the run bought and wrote: a file can be that of another run, or of other settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from glob import escape
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import RunDirectoryError
from isocost.measuring.rundirs import RunFacts
from isocost.paths import scan_parquet, shell_word
from isocost.records import Chosen
from isocost.store import RunDirectory

_AT_ONCE = 32 * 2**20  # bytes that are hashed in some tens of milliseconds; more are hashed while pages are shown
_WRITTEN = (
    ("problems", "train.parquet"),
    ("audits", "chosen.parquet"),
    ("audits", "steps-chosen.parquet"),
    ("audits", "judge-chosen.parquet"),
)


def is_chosen(run: Path, chosen: Chosen, pool: str | None, text: str) -> bool:
    """Return whether a text of samples.parquet is that of a chosen solution, by the draw that the run stored when it was bought.

    Model, problem and index do not tell: with another seed or prompt they name a draw of another pool. Without the run's pools, as in a
    copy for labellers, a text is taken for the chosen one; also in a table of an early version, without a column of pools.

    Raises:
        RunDirectoryError: A part of the pool cannot be read.
    """
    if pool is None or not any((run / "pools").glob("*/*.parts")):
        return True
    this = (
        (pl.col("problem_id") == chosen.problem_id) & (pl.col("sample_index") == chosen.sample_index) & (pl.col("id") == chosen.sample_id)
    )
    for part in sorted((run / "pools").glob(f"*/{escape(pool)}.parts/*.parquet")):
        try:
            found = scan_parquet(part).filter(this).select("generation").collect(engine="streaming")["generation"]
        except (OSError, PolarsError) as error:  # a part is what was bought: it cannot be written again
            why = str(error).partition("\n")[0][:200]
            raise RunDirectoryError(f"{part}: cannot be read: {why}", advice="restore it from a copy") from error
        if text in found.fill_null("").to_list():
            return True
    return False


class Doubts:
    """Finds files of a run that the run has not written. Large files are hashed in a thread, once after each change."""

    def __init__(self, run: Path) -> None:
        self._run, self._one = run, threading.Lock()
        self._stamp: object = None
        self._found = ""

    def found(self, stamp: object) -> str:
        """Return the doubt about the files of a stamp; "" where there is none, and as long as they are being hashed.

        Args:
            stamp: Of the files, as they are now.
        """
        with self._one:
            if stamp == self._stamp:
                return self._found
            self._stamp, self._found = stamp, ""
        samples = self._run / "samples.parquet"
        if samples.is_file() and samples.stat().st_size > _AT_ONCE:
            threading.Thread(target=self._compare, args=[stamp], daemon=True).start()
        else:
            self._compare(stamp)
        with self._one:
            return self._found

    def _compare(self, stamp: object) -> None:
        found = doubt(self._run)
        with self._one:
            if stamp == self._stamp:
                self._found = found


def doubt(run: Path) -> str:
    """Return which file of a run that the pages show is not the one that the run wrote, and what to do; "" where none is known to be."""
    directory = RunDirectory(run)
    looks: list[Callable[[], str]] = [
        RunFacts(path=run).flaw_of_table,
        *(lambda names=names: directory.flaw_of(*names) for names in _WRITTEN),
    ]
    for look in looks:
        try:
            flaw = look()
        except OSError:  # a file that cannot be read is named by its reader
            continue
        if flaw:
            return f"{flaw}: what is shown may be another run's. isocost report {shell_word(run)} writes it again."
    return ""
