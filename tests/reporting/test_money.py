from dataclasses import replace

import pytest

from isocost.records import Cost
from isocost.reporting.money import money
from tests.reporting.builder import results


def test_spent_is_the_sum_of_its_parts_in_every_unit() -> None:
    ledger = money(results()).tables[0]
    assert [group for group, _ in ledger.groups()] == ["Samples", "Tokens", "Cost, PFLOPs", "Cost, USD", "Engine time, h:mm:ss"]
    for row in ledger.rows:
        *parts, spent = (entry.value for entry in row.entries[1:])
        assert sum(part for part in parts if isinstance(part, float | int)) == pytest.approx(spent)


def test_a_unit_that_nothing_knows_has_no_column_and_one_that_is_partly_known_no_total() -> None:
    study = results()
    no_usd = replace(study, bill=tuple(replace(line, cost=replace(line.cost, usd=None)) for line in study.bill))
    assert not any("USD" in column.title for table in money(no_usd).tables for column in table.columns)
    first = replace(study.bill[0], cost=Cost(seconds=1.0))
    bill = money(replace(study, bill=(first, *study.bill[1:]))).tables[1]
    assert bill.rows[-1].entries[3].text == "–"
    assert bill.rows[-1].entries[3].remark == "not known"


def test_the_bill_ends_with_the_whole_run() -> None:
    study = results()
    last = money(study).tables[1].rows[-1]
    assert last.entries[0].text == "The whole run"
    assert last.entries[3].value == pytest.approx(sum(line.cost.flops or 0 for line in study.bill))
