"""Names of the quantities that a forecast shows: correct solutions, or sound ones where false positive rates are given."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.measuring.words import name_cell
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective


def describe_discount(false_positive_rates: Mapping[str, float]) -> str:
    """Return a sentence on the solutions that a forecast with these rates counts; "" if it counts correct ones."""
    listed = [f"{100 * rate:.3g}% of those of {name_cell(model)}" for model, rate in false_positive_rates.items() if rate]
    if not listed:
        return ""
    return f"Predicted are sound solutions: of the correct ones, {' and '.join(listed)} are taken as unsound."


def noun(objective: Objective, *, sound: bool) -> str:
    """Return the quantity of an objective as it follows its value: `covered`, `kept`, `with a mixed group`."""
    match objective:
        case Coverage():
            return "covered by a sound solution" if sound else "covered"
        case KeptPerProblem():
            return "kept and sound" if sound else "kept"
        case MixedGroups():
            return "with a mixed group that has a sound solution" if sound else "with a mixed group"


def column(objective: Objective, *, sound: bool, per_problem: bool = True) -> str:
    """Return the quantity of an objective as the name of a column, such as `covered` or `kept per problem, at most 4`.

    Args:
        objective: The objective.
        sound: True if sound solutions are counted, False for correct ones.
        per_problem: Say that kept solutions are counted per problem.
    """
    match objective:
        case Coverage():
            return noun(objective, sound=sound)
        case KeptPerProblem(most=most):
            return f"{noun(objective, sound=sound)}{' per problem' if per_problem else ''}, at most {most}"
        case MixedGroups(size=size):
            return f"with a mixed group of {size}{' that has a sound solution' if sound else ''}"


def counted(*, sound: bool) -> str:
    """Return the solutions that a forecast counts, as in JSON."""
    return "sound" if sound else "correct"
