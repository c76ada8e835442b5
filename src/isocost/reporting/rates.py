"""Rates of false positives in the report: names as in `isocost audit`, the most reliable rate, and differences of two rates."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.metrics.intervals import independent_difference
from isocost.records import Estimate

WAYS = ("steps", "judge", "people", "combined")  # least reliable first
WRITTEN_OUT = "False equations written out (%)"  # by steps, in a cell's own solutions


def judged_by(measures: Mapping[str, Estimate]) -> dict[str, str]:
    """Return the row header of each way that a model was judged. Predictions are the judge's if it has verdicts, else the steps'."""
    predictor = "judge" if "fpr/judge" in measures else "steps"
    ways = [way for way in WAYS if f"fpr/{way}" in measures]
    return {way: f"{way} (people and {predictor})" if way == "combined" else way for way in ways}


def believed_by(measures: Mapping[str, Estimate]) -> str:
    """Return the row header of the most reliable rate; empty without any rate."""
    return list(judged_by(measures).values())[-1] if judged_by(measures) else ""


def difference(left: Mapping[str, Estimate], right: Mapping[str, Estimate]) -> tuple[Estimate, str] | None:
    """Subtract two models' final rates, left minus right, and name their judges if they differ. None if one has no rate."""
    rates = left.get("fpr"), right.get("fpr")
    if rates[0] is None or rates[1] is None or rates[0].value is None or rates[1].value is None:
        return None
    ways = believed_by(left), believed_by(right)
    return independent_difference(rates[0], rates[1]), "" if ways[0] == ways[1] else " against ".join(ways)
