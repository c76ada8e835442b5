"""measures.json has every number that the report's tables print, but those that are made from others by a sum or a quotient."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from isocost.reporting import report
from isocost.results.reported import reported
from isocost.results.results import to_json
from tests.reporting.test_csv import rich

# Sums, quotients and differences of numbers that the file has; time; constants of the paper and of the models.
MADE_FROM_OTHERS = {"ledger", "bill", "seconds", "published", "false_positive_differences", "models", "environment"}
COLUMNS = {"kept_per_solved", "cost_per_problem_flops", "cost_per_problem_usd", "flops_per_problem", "usd_per_problem"}


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int | float):
        yield float(value)
        return
    for each in value:
        yield from numbers(each)


def test_every_number_of_the_report_is_in_measures_json() -> None:
    study = replace(rich(), pass_rates={"weak": (*range(1000, 1011), 777)})
    held = set(numbers(json.loads(json.dumps(to_json(study)))))
    held |= {number / 100 for number in numbers(to_json(study)["comparisons"])}  # differences are in points there
    seen = 0
    for name, text in report(study).tables.items():
        if name in MADE_FROM_OTHERS:
            continue
        for row in csv.DictReader(io.StringIO(text)):
            for column, cell in row.items():
                if column.startswith(tuple(COLUMNS)) or column.endswith(("_seconds", "_n_ungraded")) or not _is_number(cell):
                    continue
                seen += 1
                assert float(cell) in held or any(float(cell) == pytest.approx(number, rel=1e-12) for number in held), (name, column, cell)
    assert seen > 300


def test_differences_of_students_are_in_points_and_time_is_left_out() -> None:
    (first, *_) = to_json(rich())["comparisons"]  # type: ignore[misc]
    assert first["difference"]["value"] == pytest.approx(3.2)
    assert '"seconds"' not in json.dumps(reported(rich()))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
