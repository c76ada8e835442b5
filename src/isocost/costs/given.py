"""Costs of draws as the option --cost gives them, in place of those of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from isocost.errors import InputError, Option
from isocost.nearest import did_you_mean
from isocost.tables.columns import COST_RANGE, is_cost

Per = Literal["token", "draw"]

_PER_DRAW = "/draw"
COST = Option(name="cost")
_SHOWN = 80  # characters of a name in a message: names come from tables and can be any text


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCosts:
    """Costs that the user gives.

    Attributes:
        amounts: Cost by model.
        per: What it is the cost of: one generated token, or one draw whatever its length.
    """

    amounts: Mapping[str, float]
    per: Per = "token"

    @property
    def unit(self) -> str:
        """Unit of the costs, as it is printed."""
        return "priced tokens" if self.per == "token" else "cost"

    def check(self, models: Sequence[str]) -> None:
        """Reject costs that are not those of a table's models.

        Raises:
            InputError: A cost is missing, or of a model that the table lacks. An unknown cost is never zero or one.
        """
        for name in self.amounts:
            if name not in models:
                raise no_model(COST, name, models)
        for name, amount in self.amounts.items():
            if not is_cost(amount):
                raise InputError(f'the cost of "{name[:_SHOWN]}" is {amount:g}; a cost is {COST_RANGE}', option=COST)
        if missing := [name for name in models if name not in self.amounts]:
            raise InputError(
                f'no cost for model "{missing[0][:_SHOWN]}"', advice="give the cost of every model of the table, or of none", option=COST
            )


def no_model(option: Option, name: str, known: Sequence[str]) -> InputError:
    """Return the error for a model that a table lacks, named by an option or an argument."""
    near = did_you_mean(name[:_SHOWN], [each[:_SHOWN] for each in known])
    advice = f"{near} it has {', '.join(known[:5])[:200]}".strip()
    return InputError(f'the table has no model "{name[:_SHOWN]}"', advice=advice, option=option)


def given_costs(texts: Sequence[str]) -> GivenCosts | None:
    """Parse the values of --cost: MODEL=AMOUNT per generated token, or MODEL=AMOUNT/draw. Without one return None.

    The last = separates, because names may contain it.

    Raises:
        InputError: A text has another form, a model has two costs, or some costs are per token and others per draw.
    """
    amounts: dict[str, float] = {}
    units: set[Per] = set()
    for text in texts:
        model, _, value = text.rpartition("=")
        number = _number(value.removesuffix(_PER_DRAW))
        if not model or number is None:
            raise _refused(text, "is not MODEL=AMOUNT with an amount above 0, nor MODEL=AMOUNT/draw")
        if model in amounts:
            raise _refused(text, "is a second cost of its model")
        amounts[model] = number
        units.add("draw" if value.endswith(_PER_DRAW) else "token")
    if len(units) > 1:
        raise _refused(texts[-1], "has another unit than a cost before it: one is per token, one per draw")
    return GivenCosts(amounts=amounts, per=units.pop()) if units else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _refused(text: str, why: str) -> InputError:
    weak, strong, draw = (replace(COST, value=value) for value in ("weak=1", "strong=3", "weak=1/draw"))
    return InputError(
        f'"{text[:_SHOWN]}" {why}',
        advice=("write the cost of a token of each model once, such as ", weak, " ", strong, "; or of a draw: ", draw),
        option=COST,
    )
