"""The section on false positives: who judged, rates with intervals, what could not be checked, what a truly correct solution costs."""

import csv
import io
from dataclasses import replace

import pytest

from isocost.records import Estimate, Results
from isocost.reporting import report
from isocost.reporting.audits import audits
from isocost.reporting.blocks import Entry
from isocost.reporting.data import data
from isocost.reporting.published import published
from tests.reporting.builder import estimate, results

HOW = {"reasoning audited by": "steps; judge strong. People have labelled 37.", "people and judge agree": "on 84.0% [70.0, 92.0] of 37"}


def audited() -> Results:
    study = results()
    rates = {
        "fpr/steps": estimate(0.05, n=250, n_ungraded=50),
        "fpr/judge": estimate(0.2, n=300),
        "fpr/people": estimate(0.16, 0.12, n=20, n_ungraded=2),
        "fpr/combined": estimate(0.15, 0.1, n=20, n_ungraded=2),
        "fpr": estimate(0.15, 0.1, n=20, n_ungraded=2),
        "cost_per_correct_usd": Estimate(value=0.0011, low=0.001, high=0.0012, n=400),
        "cost_per_truly_correct_usd": Estimate(value=0.0013, low=0.0011, high=None, n=20),
        "cost_per_correct_flops": Estimate(value=2.1e12, low=2e12, high=2.2e12, n=400),
        "cost_per_truly_correct_flops": Estimate(value=None, low=None, high=None, n=0),
    }
    return replace(study, pools={**study.pools, "weak": {**study.pools["weak"], **rates}}, environment={**study.environment, **HOW})


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_way_has_a_row_with_its_interval() -> None:
    found = rows(report(audited()).tables["false_positives"])
    assert [row["judged_by"] for row in found] == ["steps", "judge", "people", "combined (people and judge)"]
    assert [(row["n_checked"], row["n_not_checked"]) for row in found] == [("250", "50"), ("300", "0"), ("20", "2"), ("20", "2")]
    assert [float(row["fpr_share"]) for row in found] == [0.05, 0.2, 0.16, 0.15]
    assert all(row["fpr_share_low"] and row["fpr_share_high"] for row in found)


def test_the_rate_to_believe_and_who_judged_come_first() -> None:
    section = audits(audited())
    assert section.finding == "Right answers with wrong reasoning: weak 15.0% [5.0, 25.0]."
    assert section.paragraphs[0].startswith("Reasoning audited by: steps; judge strong.")
    assert section.paragraphs[1].startswith("People and judge agree: on 84.0%")
    made = report(audited())
    assert made.markdown.index("False positives\n") < made.markdown.index("The money")
    assert made.html.count("<h1") == 1
    assert "few audits" in made.html


def without_labels(*left_out: str) -> dict[str, Estimate]:
    """The rates of weak before enough solutions are labelled."""
    return {name: value for name, value in audited().pools["weak"].items() if name not in (*left_out, "fpr/combined")}


def test_rates_without_enough_labels_say_how_they_err() -> None:
    study = audited()
    by_steps = without_labels("fpr/people", "fpr/judge")
    alone = audits(replace(study, pools={**study.pools, "weak": by_steps})).finding
    assert alone.endswith("]. Until people label enough solutions, these rates come from equation checks and are probably too low.")
    by_judge = audits(replace(study, pools={**study.pools, "weak": without_labels("fpr/people")})).finding
    assert by_judge.endswith("these rates come from a judge and may be far too low or too high.")
    both = audits(replace(study, pools={**study.pools, "strong": {**study.pools["strong"], **by_steps}})).finding
    assert "Until people label enough solutions, the rates of strong come from equation checks" in both
    few = report(replace(study, pools={**study.pools, "weak": without_labels()})).tables["false_positives"]
    assert [row["judged_by"] for row in rows(few)] == ["steps", "judge", "people (too few labels to use)"]


def test_a_cost_from_a_lower_bound_is_named_for_what_it_is() -> None:
    study = audited()
    by_steps = without_labels("fpr/people", "fpr/judge")
    table = next(t for t in audits(replace(study, pools={**study.pools, "weak": by_steps})).tables if t.key == "cost_per_truly_correct")
    assert table.title == "What a solution without a false equation costs"
    assert [column.title for column in table.columns][2] == "One without a false equation [95% interval]"
    mixed = replace(study, pools={**study.pools, "strong": {**study.pools["strong"], **by_steps}})
    table = next(t for t in audits(mixed).tables if t.key == "cost_per_truly_correct")
    assert table.title == "What a truly correct solution costs"
    remarks = {row.entries[0].text: row.entries[2].remark for row in table.rows if row.group == "USD"}
    assert remarks == {"weak": "", "strong": "without a false equation"}


def test_costs_in_every_unit_and_an_end_that_is_not_known() -> None:
    table = next(t for t in audits(audited()).tables if t.key == "cost_per_truly_correct")
    texts = {row.group: [entry.text for entry in row.entries] for row in table.rows}
    assert texts["USD"] == ["weak", "0.0011 [0.0010, 0.0012]", "0.0013 [0.0011, no upper end]", "400"]
    assert texts["TFLOPs"][2] == "–"
    assert table.rows[0].entries[2].remark == "the rate is not known"


@pytest.mark.parametrize("name", ["fpr/a", "fpr/b"])
def test_cells_of_several_models_show_each(name: str) -> None:
    study = results()
    first = replace(study.cells[0], measures={**study.cells[0].measures, "fpr/a": estimate(0.1, n=60), "fpr/b": estimate(0.3, n=50)})
    made = report(replace(study, cells=(first, *study.cells[1:])))
    found = {row["model"]: row for row in rows(made.tables["false_positives_in_cells"])}
    assert found[name.removeprefix("fpr/")]["false_equations_share"] in ("0.1", "0.3")
    assert all(name not in row for row in rows(made.tables["cells_at_k"]))


def test_without_audits_there_is_no_section() -> None:
    assert audits(results()) is None


def test_false_equations_of_cells_are_named_a_part_of_the_false_positives() -> None:
    table = next(t for t in data(audited()).tables if t.key == "cells_audited")
    titles = [column.title for column in table.columns]
    assert "False equations written out (%) [95% interval]" in titles
    assert not any("False positives" in title for title in titles)
    assert "only a part of the false positives" in table.caption


def believed(**ways: str) -> Results:
    """Rates of weak and strong, each judged in these ways."""
    study = results()
    pools = {
        model: {**{f"fpr/{way}": estimate(0.1) for way in found.split()}, "fpr": estimate(0.25 if model == "weak" else 0.1)}
        for model, found in ways.items()
    }
    return replace(study, pools=pools)


def ours(study: Results) -> Entry:
    return published(study).tables[0].rows[2].entries[5]


def test_a_difference_is_of_rates_of_one_method() -> None:
    study = believed(weak="steps people combined", strong="steps people combined")
    beside = next(t for t in audits(study).tables if t.key == "false_positive_differences").rows[0].entries[1]
    assert (beside.text, beside.remark) == (ours(study).text, ours(study).remark)
    assert beside.remark == ""
    assert beside.text.startswith("+15.0 [")


@pytest.mark.parametrize(("strong", "way"), [("steps", "steps"), ("steps people", "steps"), ("steps judge people", "judge")])
def test_rates_of_different_methods_are_not_compared(strong: str, way: str) -> None:
    study = believed(weak="steps people combined", strong=strong)
    beside = next(t for t in audits(study).tables if t.key == "false_positive_differences").rows[0].entries[1]
    assert (beside.text, beside.remark) == ("–", f"not compared: combined and {way}")
    assert (ours(study).text.startswith("+6.0 ["), ours(study).remark) == (True, "by steps, in the cells")
    assert report(study).html


def test_published_never_sets_a_models_rate_against_a_cells() -> None:
    one_sided = believed(weak="steps people combined")
    assert ours(one_sided).text.startswith("+6.0 [")  # 17% in the weak cell, 11% in the strong one
    assert ours(one_sided).remark == "by steps, in the cells"
