"""Conventions for equal answers where mathematics leaves them open; docs/grading.md has the table.

The defaults are a careful teacher's: what the question leaves to the writer is forgiven, what contradicts the reference is not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints

Order = Literal["any", "given"]
Units = Literal["forgive", "ignore", "require"]
Percent = Literal["forgive", "value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """The treatment of order, units and percent.

    Attributes:
        order: Of values listed side by side (`1, 2`) and of sets: `any`, or as `given` in the reference. Tuples, intervals and matrices
            always keep their order.
        units: `forgive` a missing unit but no other one (5 is 5 cm, 5 m is not 5 cm, 500 cm is 5 m); `ignore` them; `require` the
            reference's.
        percent: `forgive`: 50% is 50, and also 0.5; or its `value` alone: 50% is 0.5.

    Raises:
        ValueError: an unknown value.
    """

    order: Order = "any"
    units: Units = "forgive"
    percent: Percent = "forgive"

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            if (value := getattr(self, name)) not in get_args(kind):
                raise ValueError(f"{name} is one of {', '.join(get_args(kind))}, not {value!r}")

    @property
    def suffix(self) -> str:
        """The differences from the defaults for the grader's version, as `+order=given`; empty without any."""
        # Only the differences: a convention added later must not change the version of graders that keep its default.
        changed = [f"{field.name}={getattr(self, field.name)}" for field in fields(self) if getattr(self, field.name) != field.default]
        return "".join(f"+{part}" for part in changed)
