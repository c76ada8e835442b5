"""Notes on files that were read: what a reader of their measures should know, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isocost.tables.imports import Account

_MOST = 4  # names that a note lists
_SHOWN = 80  # characters of a name


def doubts(account: Account) -> Iterator[str]:
    """Yield what may be wrong with the samples: other verdicts that differ, files that repeat problems, logs that are not complete."""
    for (chosen, other), passed in account.passed.items():
        if passed.is_verdict and passed.differ:
            where = f"differs in {passed.differ:,} of {passed.samples:,} samples"
            yield f"verdicts are of {chosen[:_SHOWN]}, and {other[:_SHOWN]} {where}: isocost import --scorer {other[:_SHOWN]} takes it"
    for model, files in account.further.items():
        shown = ", ".join(list(files)[:_MOST]) + (", ..." if len(files) > _MOST else "")
        yield f'samples of "{model[:_SHOWN]}" count as further draws of problems that earlier files have: {shown}'
    yield from account.doubts
