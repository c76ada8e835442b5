"""Text that the pages and the command line share."""

from __future__ import annotations

from isocost.records import Audit, Estimate, Label
from isocost.reporting.numbers import interval


def kappa(estimate: Estimate) -> str:
    """Format Cohen's kappa with its interval, two decimals."""
    return interval(estimate, factor=1, decimals=2)


def label_text(label: Label) -> str:
    """Format a label: `unsound: wrong step (note)`."""
    reason = f": {label.reason}" if label.reason else ""
    note = f" ({label.note})" if label.note else ""
    return f"{label.verdict}{reason}{note}"


def did(number: int, label: Label | None, undone: Label | None) -> str:
    """Describe the last action: `saved 4: unsound: lucky`, `skipped 4`, `undone 4: sound`."""
    if undone:
        return f"undone {number}: {'skip' if undone.verdict == 'skip' else label_text(undone)}"
    if label is None:
        return ""
    return f"skipped {number}: it comes again at the end" if label.verdict == "skip" else f"saved {number}: {label_text(label)}"


def equations(audit: Audit) -> str:
    """Describe the result of the audit by steps."""
    if audit.sound is None:
        return "none that could be checked"
    return "all that could be read hold" if audit.sound else f"first false one: {audit.first_false}"


def verdict_of(audit: Audit | None) -> str:
    """Describe the judge's verdict."""
    if audit is None:
        return "was not asked"
    return "no verdict" if audit.sound is None else "sound" if audit.sound else "unsound"
