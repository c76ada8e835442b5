"""How the bill is said: what is known of it, and whose part in it is not; and what went wrong with requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocost.amounts import format_amount, format_distinct
from isocost.ledger import Account
from isocost.records import Unit

UNITS: tuple[Unit, ...] = ("flops", "usd")


def format_bill(accounts: Sequence[Mapping[str, Any]], begin: str = "") -> str:
    """`3.5 GFLOPs, and what auditor's 120 calls cost is not known`; `nothing` where nothing was paid.

    A unit in which nothing is known is not spoken of, as USD where all models are on this machine. What an amount leaves out of what is
    known in the other unit stands beside it: `3.5 GFLOPs without auditor and $0.12 without weak`.

    Args:
        accounts: `account`, `model`, `calls`, and `flops` and `usd`, None where they are not known.
        begin: What comes before the amounts, where there are any.
    """
    paid = [each for each in accounts if each["calls"]]
    known = [each for each in paid if any(each[unit] is not None for unit in UNITS)]
    amounts = " and ".join(filter(None, (_amount(unit, known) for unit in UNITS)))
    calls = " and ".join(f"{_name(each, paid)}'s {_calls(each['calls'])}" for each in paid if each not in known)
    if not calls:
        return f"{begin}{amounts or 'nothing'}"
    return f"{begin}{amounts}, and what {calls} cost is not known" if amounts else f"what {calls} cost is not known"


def _amount(unit: Unit, known: Sequence[Mapping[str, Any]]) -> str:
    """What is known in a unit, and whose part is not; "" where it is nothing."""
    amount = sum(each[unit] or 0.0 for each in known)
    without = list(dict.fromkeys(_name(each, known) for each in known if each[unit] is None))
    return format_amount(unit, amount) + (f" without {' and '.join(without)}" if without else "") if amount else ""


def _name(each: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """The model; with its account where another account paid it too."""
    several = sum(other["model"] == each["model"] for other in others) > 1
    return f"{each['model']} ({each['account']})" if several else str(each["model"])


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number:,} calls"


def format_request_failures(account: Account, before: Account | None = None) -> str:
    """`3 lost  2 retries`, in the words of `isocost status`; "" without either.

    Args:
        account: Whose requests.
        before: The account as it was, where only what happened since is meant.
    """
    lost, retries = account.lost - (before.lost if before else 0), account.retries - (before.retries if before else 0)
    return "  ".join(
        [*([f"{lost:,} lost"] if lost else []), *([f"{retries:,} {'retry' if retries == 1 else 'retries'}"] if retries else [])]
    )


DIFFERENCE = 0.05  # of a reply's cost; smaller ones come from an endpoint's rounding
_ROUNDING = 1e-6  # dollars


def price_difference(model: str, account: Account) -> str:
    """Return what to say where an endpoint's own costs differ from those by the study's prices; "" where they agree.

    Args:
        model: The study's name of the model.
        account: What was paid to it.
    """
    reported, own = account.reported_usd, account.compared_usd
    if abs(reported - own) <= max(DIFFERENCE * max(reported, own), _ROUNDING):
        return ""
    left, right = format_distinct("usd", reported, own)
    return f"model {model}: its endpoint charges {left} for replies that cost {right} by the study; check models.{model}.price"
