"""The rates of false positives as the report says them: in the words of `isocost audit`, which one to believe, and differences of two."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.metrics.intervals import independent_difference
from isocost.records import Estimate

WAYS = ("steps", "judge", "people", "combined")  # each to be believed before those left of it
WRITTEN_OUT = "False equations written out (%)"  # by steps, in a cell's own solutions


def judged_by(measures: Mapping[str, Estimate]) -> dict[str, str]:
    """By way: what a model's row says of who judged; predictions are the judge's where it has verdicts, else the steps'."""
    predictor = "judge" if "fpr/judge" in measures else "steps"
    ways = [way for way in WAYS if f"fpr/{way}" in measures]
    return {way: f"{way} (people and {predictor})" if way == "combined" else way for way in ways}


def believed_by(measures: Mapping[str, Estimate]) -> str:
    """Who judged the rate to believe; nothing where that is not known."""
    return list(judged_by(measures).values())[-1] if judged_by(measures) else ""


def difference(left: Mapping[str, Estimate], right: Mapping[str, Estimate]) -> tuple[Estimate, str] | None:
    """Of two models' rates to believe, left less right; and who judged each, where that is not the same. None where one has no rate."""
    rates = left.get("fpr"), right.get("fpr")
    if rates[0] is None or rates[1] is None or rates[0].value is None or rates[1].value is None:
        return None
    ways = believed_by(left), believed_by(right)
    return independent_difference(rates[0], rates[1]), "" if ways[0] == ways[1] else " against ".join(ways)
