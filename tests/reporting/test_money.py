import datetime as dt
from dataclasses import replace

import pytest

from isocost.records import Cost
from isocost.reporting.money import money, without_overlaps
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


def test_the_money_says_what_flops_count_and_where_prices_come_from() -> None:
    made = results()
    first = replace(made.models[0], price_is="prices.yaml, less 50% in the batch API", priced_on=dt.date(2026, 11, 1))
    notes = money(replace(made, models=(first, *made.models[1:]))).notes
    assert notes[0].startswith(
        "A draw's FLOPs are 2P a generated token; left out: attention over the context, reading prompts. "
        "P: weak 3,200,000 (total, embeddings tied); strong 9,600,000"
    )
    assert "weak input 0.05, output 0.32 (prices.yaml, less 50% in the batch API, read on 2026-11-01); strong" in notes[1]
    counting = tuple(replace(card, prompt_reading="shared", counts_attention=True) for card in made.models)
    assert (
        "are 2P a generated token, and 2P a prompt token once a request, with attention over the context. P:"
        in (money(replace(made, models=counting)).notes[0])
    )
    bare = tuple(replace(card, parameters=None, flops_per_token=None, usd_per_million=None) for card in made.models)
    assert len(money(replace(made, models=bare)).notes) == 0


def test_requests_that_overlap_have_no_engine_time() -> None:
    made = results()
    timed = replace(made, bill=tuple(replace(line, cost=replace(line.cost, seconds=60.0)) for line in made.bill))
    (far, *_) = dict.fromkeys(line.model for line in timed.bill if line.account == "data")
    found = without_overlaps(timed, {far})
    assert {line.cost.seconds for line in found.bill if line.account == "data" and line.model == far} == {None}
    assert {line.cost.seconds for line in found.bill if line.model != far} == {60.0}
    assert [line.cost.flops for line in found.bill] == [line.cost.flops for line in timed.bill]
    for before, after in zip(timed.cells, found.cells, strict=True):
        assert (after.cost.seconds is None) == (far in before.plan.models or before.cost.seconds is None)
    assert "sums to no time" in money(found).notes[-1]
    assert not any("sums to no time" in note for note in money(timed).notes)
    assert without_overlaps(timed, set()) is timed
