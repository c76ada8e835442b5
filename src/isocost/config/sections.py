"""The base classes and number types of all sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

LONGEST_NAME = 60  # characters
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=LONGEST_NAME)]
PositiveInt = Annotated[int, Field(gt=0, lt=1 << 63)]  # Parquet columns hold 64-bit integers
Rate = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False), AfterValidator(lambda value: _between(1e-100, value, 1e100))]
Count = Annotated[float, Field(gt=0, allow_inf_nan=False), AfterValidator(lambda value: _between(0.0, value, 1e12))]  # a mean one


class Section(BaseModel):
    """A section of the study file. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, value: object, info: ValidationInfo) -> object:
        return _refuse_truth(cls, value, info)


class OpenSection(BaseModel):
    """A section whose further keys are options of the part that it names (an engine, a source, a grader). That part checks them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, value: object, info: ValidationInfo) -> object:
        return _refuse_truth(cls, value, info)

    @property
    def options(self) -> dict[str, object]:
        """The options of the part."""
        return dict(self.model_extra or {})


def _between(least: float, value: float, most: float) -> float:
    """Return the value unchanged, if its products and quotients with other settings are numbers.

    Raises:
        ValueError: they may be none.
    """
    if not least <= value <= most:
        raise ValueError(f"must be at least {least:g}" if value < least else f"must be at most {most:g}")
    return value


def _refuse_truth(section: type[BaseModel], value: object, info: ValidationInfo) -> object:
    """Return the value unchanged. pydantic reads `true` as 1, but `seed: yes` does not mean a seed of 1.

    Raises:
        ValueError: it is true or false, or a list with one of these, where a number is needed.
    """
    values = value if isinstance(value, list | tuple) else (value,)
    if any(isinstance(each, bool) for each in values) and info.field_name is not None:
        types = set(_types_in(section.model_fields[info.field_name].annotation))
        if bool not in types and types & {int, float}:
            raise ValueError("must be a number")
    return value


def _types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from _types_in(part)


def distinct(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the names unchanged.

    Raises:
        ValueError: a name occurs twice.
    """
    if repeated := [name for n, name in enumerate(names) if name in names[:n]]:
        raise ValueError(f"{repeated[0]!r} occurs twice")
    return names
