"""Notes on tables and files that were read: what a reader of their measures should know, a sentence each."""

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
    for column, (many, first) in account.mended.items():
        samples = "1 sample" if many == 1 else f"{many:,} samples"
        yield f"half characters (lone surrogates) became U+FFFD in {column[:_SHOWN]} of {samples} (first: {first})"
    yield from account.doubts


def two_verdicts(both: int, filled: int) -> Iterator[str]:
    """Yield which verdict was used, where a table has `correct` and the `outcome` of `isocost verify`; they never contradict each other.

    Args:
        both: Samples with both.
        filled: Samples with an outcome and no value in `correct`.
    """
    if both:
        more = f"; {filled:,} samples without it count by outcome" if filled else ""
        yield f"the table has the columns correct and outcome, which agree in {both:,} samples: correct is used{more}"
