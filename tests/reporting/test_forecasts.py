"""The section on what the pilot predicted."""

from dataclasses import replace

from isocost.records import Estimate, ForecastOutcome, Results
from isocost.reporting import report
from isocost.reporting.forecasts import forecasts
from tests.reporting.builder import results


def predicted(measure: str, value: float, half: float, outcome: float, unit: str | None = None) -> ForecastOutcome:
    return ForecastOutcome(
        cell="weak@low",
        measure=measure,  # type: ignore[arg-type]
        unit=unit,  # type: ignore[arg-type]
        predicted=Estimate(value=value, low=value - half, high=value + half, n=400),
        outcome=Estimate(value=outcome, low=None, high=None, n=400),
    )


COST = predicted("cost", 2.6e12, 0.2e12, 3.6e12, "flops")
COVERED = predicted("covered", 0.7, 0.1, 0.62)
KEPT = predicted("kept_per_problem", 1.5, 0.5, 2.0)


def predicting(*found: ForecastOutcome) -> Results:
    return replace(results(), forecasts=found)


def test_a_run_without_forecasts_has_no_section() -> None:
    assert forecasts(results()) is None
    assert "Forecast against outcome" not in report(results()).html


def test_outcomes_outside_are_counted_and_named() -> None:
    section = forecasts(predicting(COST, COVERED, KEPT))
    assert section is not None
    assert section.finding == "2 of 3 outcomes lie in the interval that the pilot predicted; outside: weak@low, cost per problem."


def test_an_end_of_the_interval_is_inside() -> None:
    assert KEPT.inside
    assert not predicted("covered", 0.7, 0.1, 0.81).inside
    assert not replace(KEPT, outcome=replace(KEPT.outcome, value=None)).inside


def test_rows_are_by_measure_with_units_in_the_header() -> None:
    section = forecasts(predicting(COST, KEPT, COVERED, predicted("cost", 0.5, 0.1, 0.55, "usd")))
    assert section is not None
    (table,) = section.tables
    assert [row.group for row in table.rows] == [
        "Covered (%)", "Kept per problem (solutions)", "Cost per problem (TFLOPs)", "Cost per problem (USD)",
    ]  # fmt: skip
    assert [[entry.text for entry in row.entries[1:4]] for row in table.rows] == [
        ["70.0% [60.0, 80.0]", "62.0% (no interval)", "yes"],
        ["1.50 [1.00, 2.00]", "2.00 (no interval)", "yes"],
        ["2.6 [2.4, 2.8]", "3.6", "no"],
        ["0.50 [0.40, 0.60]", "0.55", "yes"],
    ]


def test_where_a_policy_discounts_the_caption_says_that_correct_solutions_are_compared() -> None:
    plain, discounted = (forecasts(predicting(COST, replace(COVERED, discounted=value))) for value in (False, True))
    assert plain is not None
    assert discounted is not None
    assert "sound" not in str(plain)
    assert "count correct solutions, sound or not" in discounted.tables[0].caption


def test_the_csv_has_raw_numbers() -> None:
    lines = report(predicting(COST)).tables["forecasts"].splitlines()
    assert lines[0].startswith("measure,cell,forecast,forecast_low,forecast_high,forecast_n")
    assert lines[1].startswith("cost (flops),weak@low,2600000000000.0,2400000000000.0,2800000000000.0,400")
