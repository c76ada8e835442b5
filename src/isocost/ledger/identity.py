"""The random id of a run, which reveals a ledger or a `progress.json` of another run.

`manifest.json`, the first line of the ledger and `progress.json` have it. Runs of earlier versions have none, and get none.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from isocost.errors import RunDirectoryError
from isocost.store import RunDirectory

RUN = "run"  # the key of the id
PROGRESS = "progress.json"
LEDGER = "ledger.jsonl"
_MANIFEST = "manifest.json"


def run_of(directory: RunDirectory) -> str:
    """Return the id of a run, from the first file that has one; "" if none has."""
    manifest, ledger = _id_in(directory.read_derived(_MANIFEST)), _id_in(_first_line(directory))
    if manifest or ledger:
        return manifest or ledger
    return "" if _first_line(directory) else _id_in(directory.read_derived(PROGRESS))


def open_identity(directory: RunDirectory) -> str:
    """Return the id of a run that starts: that of its files, or a new one if nothing was bought yet; "" for a run of an earlier version.

    Raises:
        RunDirectoryError: the ledger or `manifest.json` is another run's.
    """
    _refuse_foreign(directory)
    has_begun = (directory.path / _MANIFEST).exists() or _first_line(directory) is not None
    return run_of(directory) or ("" if has_begun else secrets.token_hex(8))


def read_progress(directory: RunDirectory) -> dict[str, Any] | None:
    """Return the content of `progress.json`; None if it is missing, damaged or another run's."""
    found = directory.read_derived(PROGRESS)
    return None if found is None or _id_in(found) != run_of(directory) else found


def is_progress_foreign(directory: RunDirectory) -> bool:
    """Return True if `progress.json` is another run's."""
    return directory.read_derived(PROGRESS) is not None and read_progress(directory) is None


def _refuse_foreign(directory: RunDirectory) -> None:
    manifest, ledger = _id_in(directory.read_derived(_MANIFEST)), _id_in(_first_line(directory))
    if not (manifest and ledger) or manifest == ledger:
        return
    if _id_in(directory.read_derived(PROGRESS)) == ledger:
        raise RunDirectoryError(
            f"{directory.path / _MANIFEST}: is another run's: its id is not that of {LEDGER} and {PROGRESS}",
            advice="restore the run's own manifest.json from a copy, or remove it: it is written again",
        )
    raise RunDirectoryError(
        f"{directory.path / LEDGER}: is another run's: its id is not that of {_MANIFEST}",
        advice="restore the run's own ledger from a copy; what is stored is paid, and need not be bought again",
    )


def _first_line(directory: RunDirectory) -> dict[str, Any] | None:
    with contextlib.suppress(OSError):
        return next(directory.log(LEDGER).peek(), None)
    return None


def _id_in(found: dict[str, Any] | None) -> str:
    value = (found or {}).get(RUN, "")
    return value if isinstance(value, str) else ""
