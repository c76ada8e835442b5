"""The base classes and number types of all sections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

LONGEST_NAME = 60  # characters
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=LONGEST_NAME)]
PositiveInt = Annotated[int, Field(gt=0, lt=1 << 63)]  # Parquet columns hold 64-bit integers
Rate = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A section of the study file. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenSection(BaseModel):
    """A section whose further keys are options of the part that it names (an engine, a source, a grader). That part checks them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def options(self) -> dict[str, object]:
        """The options of the part."""
        return dict(self.model_extra or {})


def distinct(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the names unchanged.

    Raises:
        ValueError: a name occurs twice.
    """
    if repeated := [name for n, name in enumerate(names) if name in names[:n]]:
        raise ValueError(f"{repeated[0]!r} occurs twice")
    return names
