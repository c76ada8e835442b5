"""Parsing of requested mixtures: models with shares of the money."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from isocost.arrays import Floats
from isocost.costs.given import no_model
from isocost.errors import InputError, Option
from isocost.measuring.draws import Draws

Shares = Mapping[str, float]
_EQUAL, _SHARED = r"()(\+.*)?", r"=([^,=]*)(,.*)?"
_MOST = 1e100  # quotients of larger shares overflow a float
_FORM = "write models parted by +, such as --mix weak+strong, or with shares of the money, --mix weak=1,strong=3"


def shares_of(asked: str | Mapping[str, float], known: Sequence[str]) -> Shares:
    """Return each model's share of the money in a mixture. The shares add up to 1.

    Args:
        asked: `weak+strong` for equal money, `weak=1,strong=3` for shares, or numbers by model. A name may contain +, = or a comma if the
            table's names make it unambiguous.
        known: The models of the table.

    Raises:
        InputError: A model is unknown or named twice, there is one model only, or a share is not a number above 0.
    """
    parts = list(asked.items()) if isinstance(asked, Mapping) else _read(asked, known)
    shown = "+".join(str(name) for name, _ in parts)[:80] if isinstance(asked, Mapping) else asked[:80]
    names = [name for name, _ in parts]
    for name in names:
        if name not in known:
            raise no_model(Option(name="mix", value=shown), name, known)
    if len(set(names)) != len(names):
        raise InputError(f"--mix {shown}: names a model twice\n  name each model once, with its share of the money")
    if len(names) < 2:
        raise InputError(f"--mix {shown}: is one model, not a mixture\n  {_FORM}")
    shares = {name: _share(share, shown) for name, share in parts}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def check_costs(shares: Shares, draws: Draws, cost: Floats | None) -> None:
    """Reject a mixture of models whose draws have unknown costs: the draws that a share of the money buys would be a guess.

    Args:
        shares: Share of the money, by model.
        draws: The table.
        cost: Cost of each group's draws, float[groups], nan where unknown; None if the table has no costs.

    Raises:
        InputError: The cost of a model's draws is unknown or zero.
    """
    for name in shares:
        spent = float("nan") if cost is None else float(cost[draws.model == draws.models.index(name)].sum())
        if spent > 0:
            continue
        why = "is 0, so that no money bounds them" if spent == 0 else "is not known for all of them"
        raise InputError(
            f'--mix {"+".join(shares)[:80]}: what the draws of model "{name[:80]}" cost {why}\n'
            "  give the table a column cost, or num_generated_tokens, with a number in every row"
        )


def _read(text: str, known: Sequence[str]) -> list[tuple[str, str | float]]:
    names = sorted(known, key=len, reverse=True)
    for form in (_EQUAL, _SHARED):
        found = _parts(text, names, form)
        if found is not None:
            return [(name, share if form == _SHARED else 1.0) for name, share in found]
    # The text does not consist of these models: split it as if no name held a separator, to name the unknown model.
    by_share = [piece.rpartition("=") for piece in text.split(",")]
    pairs = by_share if "=" in text else [(name, "", "1") for name in text.split("+")]
    if not all(name for name, *_ in pairs):
        raise InputError(f'--mix: "{text[:80]}" is not a mixture\n  {_FORM}')
    return [(name, share) for name, _, share in pairs]


def _parts(text: str, names: Sequence[str], form: str) -> list[tuple[str, str]] | None:
    """Split the text into known names, longest first, each with its share; None if that is impossible."""
    for name in names:
        found = re.fullmatch(form, text[len(name) :], re.DOTALL) if text.startswith(name) else None
        if found and found[2] is None:
            return [(name, found[1])]
        rest = _parts(found[2][1:], names, form) if found else None
        if found and rest is not None:
            return [(name, found[1]), *rest]
    return None


def _share(share: str | float, shown: str) -> float:
    try:
        number = float(share)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise InputError(f'--mix {shown}: a share of the money must be a number above 0, found "{str(share)[:80]}"')
    if not 1 / _MOST <= number <= _MOST:
        raise InputError(f'--mix {shown}: a share of the money is from {1 / _MOST:g} to {_MOST:g}, found "{str(share)[:80]}"')
    return number
