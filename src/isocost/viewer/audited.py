"""The solutions chosen for audits in a run directory, and their audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from isocost.errors import RunDirectoryError
from isocost.paths import read_parquet, shell_word
from isocost.records import Audit, AuditedBy, Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """The chosen solutions and their audits.

    Attributes:
        chosen: Solutions in the order in which people label.
        audits: Audits by auditor, then by sample id.
    """

    chosen: tuple[Chosen, ...]
    audits: Mapping[AuditedBy, Mapping[str, Audit]]

    def unsound(self) -> set[str]:
        """Return the ids of the samples that steps or a judge found unsound."""
        return {audit.sample_id for by in self.audits.values() for audit in by.values() if audit.sound is False}


def read_audited(path: Path) -> Audited:
    """Read the files under `audits/`. A missing file counts as empty.

    Raises:
        RunDirectoryError: A file lacks a column.
    """
    chosen = [Chosen(**row) for row in _rows(path / "audits" / "chosen.parquet", [field.name for field in fields(Chosen)])]
    steps = _rows(path / "audits" / "steps-chosen.parquet", ["sample_id", "sound", "first_false"])
    judge = _rows(path / "audits" / "judge-chosen.parquet", ["sample_id", "sound"])
    return Audited(
        chosen=tuple(sorted(chosen, key=lambda c: c.place)),
        audits={
            "steps": {row["sample_id"]: Audit(by="steps", **row) for row in steps},
            "judge": {row["sample_id"]: Audit(by="judge", **row) for row in judge},
        },
    )


def _rows(file: Path, columns: list[str]) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    frame = read_parquet(file)
    if missing := [name for name in columns if name not in frame.columns]:
        raise RunDirectoryError(f"{file}: has no column {missing[0]}\n  make it again: isocost audit {shell_word(file.parent.parent)}")
    return frame.select(columns).to_dicts()
