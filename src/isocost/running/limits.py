"""The ledger of a run, opened under the study's limit."""

from __future__ import annotations

from typing import Any

from isocost.config import Study
from isocost.errors import BudgetError
from isocost.ledger import Ledger
from isocost.ledger.identity import open_identity
from isocost.ledger.summary import paid_in_other_rounds
from isocost.records import Unit
from isocost.store import RunDirectory


def open_ledger(study: Study, directory: RunDirectory) -> Ledger:
    """Return the run's ledger as earlier starts left it, before it is compared with what is stored.

    Raises:
        RunDirectoryError: the ledger or `manifest.json` is another run's.
        StorageError: a line is damaged, here or in another round of an iterated study.
        BudgetError: the limit is in a unit in which the cost of earlier purchases is unknown.
    """
    unit: Unit = study.limit.unit if study.limit else next((b.unit for b in study.budgets.values()), "flops")
    amount = study.limit.amount if study.limit else None
    # All rounds of an iterated study share its limit.
    elsewhere = paid_in_other_rounds(directory.path, unit) if study.limit else 0.0
    run = open_identity(directory)
    ledger = Ledger(directory.log("ledger.jsonl"), unit=unit, limit=amount, elsewhere=elsewhere or 0.0, ready=directory.ready, run=run)
    if study.limit and (elsewhere is None or not ledger.known):
        other = "flops" if unit == "usd" else "usd"
        raise BudgetError(
            f"the limit is in {unit}, and what this folder holds was bought at a cost not known in {unit}",
            advice=f"set limit.unit: {other} with an amount in it, leave limit out, or name another folder with -o",
        )
    return ledger


def is_lowered(before: dict[str, Any] | None, study: Study) -> bool:
    """Return True if the limit is lower than at the last start."""
    former = (before or {}).get("limit")
    if study.limit is None or not isinstance(former, dict) or former.get("unit") != study.limit.unit:
        return False
    amount = former.get("amount")
    return isinstance(amount, int | float) and study.limit.amount < amount
