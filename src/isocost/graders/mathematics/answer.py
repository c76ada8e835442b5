"""A parsed answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isocost.graders.mathematics.units import Unit

Kind = Literal["value", "words", "list", "set", "ordered", "union", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A parsed answer.

    Attributes:
        kind: Its shape.
        text: The whole text; of a value without unit and percent sign.
        parts: Its parts.
        brackets: Opening and closing bracket of an ordered one: `()`, `[)`; `::` of a ratio, `matrix` and its `row`s; of a time `a` or `p`.
        unit: The unit of a value.
        short_unit: The value and unit that a text like `10m` may be, which may also be a product.
        percent: True if a percent sign follows the value.
        decimal: `1000.99` of `1000,99`, or `123456` of `1,23,456`, which may also be several values.
        name: The name that the answer is assigned to: `x` of `x = 5`, `f(x)` of `f(x) = 5`.
        relation: The equation or inequality that the answer was read from.
    """

    kind: Kind
    text: str
    parts: tuple[Answer, ...] = ()
    brackets: str = ""
    unit: Unit | None = None
    short_unit: tuple[str, Unit] | None = None
    percent: bool = False
    decimal: str | None = None
    name: str | None = None
    relation: str | None = None
