"""Text for the bill: known totals, the models whose cost is unknown, and failed requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocost.amounts import format_amount, format_distinct
from isocost.ledger import Account
from isocost.records import UNITS, Unit


def format_bill(accounts: Sequence[Mapping[str, Any]], begin: str = "") -> str:
    """Format the bill: known totals, and the models whose cost is unknown.

    `3.5 GFLOPs, and what auditor's 120 calls cost is not known`; `nothing` if nothing was paid. A unit without any known cost is omitted,
    such as USD if all models run on this machine. A total names the models it lacks if the other unit knows them: `3.5 GFLOPs without
    auditor and $0.12 without weak`.

    Args:
        accounts: `account`, `model`, `calls`, and `flops` and `usd`, None if unknown.
        begin: Text before the amounts, if there are any.
    """
    paid = [each for each in accounts if each["calls"]]
    # Known in one unit at least. The others are named with their number of calls.
    known = [each for each in paid if any(each[unit] is not None for unit in UNITS)]
    amounts = " and ".join(filter(None, (_amount(unit, known) for unit in UNITS)))
    calls = " and ".join(f"{_name(each, paid)}'s {_calls(each['calls'])}" for each in paid if each not in known)
    if not calls:
        return f"{begin}{amounts or 'nothing'}"
    return f"{begin}{amounts}, and what {calls} cost is not known" if amounts else f"what {calls} cost is not known"


def _amount(unit: Unit, known: Sequence[Mapping[str, Any]]) -> str:
    """Return the total of the known costs in a unit, with the models that it lacks; "" for zero."""
    amount = sum(each[unit] or 0.0 for each in known)
    without = " and ".join(dict.fromkeys(_name(each, known) for each in known if each[unit] is None))
    if not amount:
        return ""
    return f"{format_amount(unit, amount)} without {without}" if without else format_amount(unit, amount)


def _name(each: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """Return the model's name, with its account if several accounts paid it."""
    several = sum(other["model"] == each["model"] for other in others) > 1
    return f"{each['model']} ({each['account']})" if several else str(each["model"])


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number:,} calls"


def format_request_failures(account: Account, before: Account | None = None) -> str:
    """Format the failed requests: `3 lost  2 retries`, as in `isocost status`; "" if there are none.

    Args:
        account: The account.
        before: An earlier state of the account, to count only later requests.
    """
    lost, retries = account.lost, account.retries
    if before is not None:
        lost, retries = lost - before.lost, retries - before.retries
    parts = []
    if lost:
        parts.append(f"{lost:,} lost")
    if retries:
        parts.append(f"{retries:,} {'retry' if retries == 1 else 'retries'}")
    return "  ".join(parts)


DIFFERENCE = 0.05  # share of a reply's cost; smaller differences come from an endpoint's rounding
_ROUNDING = 1e-6  # dollars; replies that cost less than this differ by rounding alone


def price_difference(model: str, account: Account) -> str:
    """Return a warning if an endpoint's reported costs differ from those by the study's prices, else "".

    Args:
        model: The study's name of the model.
        account: The amounts paid to it.
    """
    reported, own = account.reported_usd, account.compared_usd
    if abs(reported - own) <= max(DIFFERENCE * max(reported, own), _ROUNDING):
        return ""
    left, right = format_distinct("usd", reported, own)
    return f"model {model}: its endpoint charges {left} for replies that cost {right} by the study; check models.{model}.price"
