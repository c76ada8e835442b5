"""Records are values: frozen, compared by what they hold, without a dict of their own."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from isocost import records
from isocost.records import Cost, Estimate

RECORDS = [record for name in records.__all__ if is_dataclass(record := getattr(records, name))]


def test_every_public_name_is_there_and_they_are_sorted() -> None:
    assert records.__all__ == sorted(records.__all__, key=lambda name: (not name.isupper(), name))
    assert [name for name in records.__all__ if not hasattr(records, name)] == []
    assert len(RECORDS) > 20


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_is_frozen_slotted_and_made_by_keyword(record: type) -> None:
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(record)
    assert [field.name for field in fields(record) if not field.kw_only] == []


def test_equal_contents_are_equal_records_and_nothing_changes_them() -> None:
    estimate = Estimate(value=0.5, low=0.4, high=0.6, n=10)
    assert estimate == Estimate(value=0.5, low=0.4, high=0.6, n=10)
    assert estimate != Estimate(value=0.5, low=0.4, high=0.6, n=11)
    with pytest.raises(FrozenInstanceError):
        estimate.n = 11  # type: ignore[misc]


def test_an_unknown_cost_is_none_and_not_zero() -> None:
    assert Cost() != Cost(flops=0.0, usd=0.0)
