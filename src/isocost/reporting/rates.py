"""Rates of false positives in the report: names as in `isocost audit`, the rate that is used, and differences of two rates."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.metrics.intervals import independent_difference
from isocost.records import Estimate

WAYS = ("steps", "judge", "people", "combined")  # the order of rows
WRITTEN_OUT = "False equations written out (%)"  # by steps, in a cell's own solutions


def judged_by(measures: Mapping[str, Estimate]) -> dict[str, str]:
    """Return the row header of each way that a model was judged. Predictions are the judge's if it has verdicts, else the steps'."""
    predictor = "judge" if "fpr/judge" in measures else "steps"
    headers = {
        "people": "people" if "fpr/combined" in measures else "people (too few labels to use)",
        "combined": f"combined (people and {predictor})",
    }
    return {way: headers.get(way, way) for way in WAYS if f"fpr/{way}" in measures}


def used(measures: Mapping[str, Estimate]) -> str:
    """Return the way whose rate is used, as `auditing.model_rates` decides it; empty without any rate."""
    return next((way for way in ("combined", "judge", "steps") if f"fpr/{way}" in measures), "")


def difference(left: Mapping[str, Estimate], right: Mapping[str, Estimate]) -> tuple[Estimate, str] | None:
    """Subtract two models' rates, left minus right. None if one has no rate.

    Rates of different ways are not compared: the value is None then, and the text names the two ways. It is empty otherwise.
    """
    rates = left.get("fpr"), right.get("fpr")
    if rates[0] is None or rates[1] is None or rates[0].value is None or rates[1].value is None:
        return None
    if used(left) == used(right):
        return independent_difference(rates[0], rates[1]), ""
    none = Estimate(value=None, low=None, high=None, n=0)
    return none, f"not compared: {used(left)} and {used(right)}"
