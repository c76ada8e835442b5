"""Words that the pages and the command line share."""

from __future__ import annotations

from isocost.records import Estimate, Label
from isocost.reporting.numbers import interval, percent


def progress(*, labelled: int, total: int, rate: Estimate, skipped: int = 0) -> tuple[str, ...]:
    """`labelled 37/200`, `false positives 5.4% [1.5, 17.7]` once there is a rate, `2 skipped`."""
    parts = [f"labelled {labelled:,}/{total:,}"]
    if rate.value is not None:
        parts.append(f"false positives {percent(rate)}")
    if skipped:
        parts.append(f"{skipped:,} skipped")
    return tuple(parts)


def kappa(estimate: Estimate) -> str:
    """Cohen's kappa with its interval, two decimals."""
    return interval(estimate, factor=1, decimals=2)


def said(label: Label) -> str:
    """`unsound: wrong step (note)`."""
    reason = f": {label.reason}" if label.reason else ""
    note = f" ({label.note})" if label.note else ""
    return f"{label.verdict}{reason}{note}"
