"""Policies by name. To add one: a module here with a factory from `Terms` to a `Policy`, and a line in `POLICIES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from isocost.errors import StudyError
from isocost.nearest import did_you_mean
from isocost.parts import PartError, import_part
from isocost.policies.base import Policy, Terms

POLICIES = {
    "uniform": "isocost.policies.uniform:build",
    "mixed": "isocost.policies.mixed:build",
    "first-hit": "isocost.policies.firsthit:build",
    "cascade": "isocost.policies.cascade:build",
    "dart": "isocost.policies.dart:build",
    "adaptive": "isocost.policies.adaptive:build",
}
# The keys of an arm that a policy uses beside `policy` and `models`; others are refused.
KEYS: dict[str, tuple[str, ...]] = {
    "uniform": ("samples_per_problem",),
    "mixed": ("shares",),
    "cascade": ("shares",),
    "dart": ("target",),
    "adaptive": ("objective", "difficulty", "false_positive_rates"),
    "auto": ("objective", "difficulty", "false_positive_rates"),
}
AUTO = "auto"  # not a policy: a run chooses one after its pilot
ONE_MODEL = frozenset({"uniform", "first-hit", "dart"})  # policies that draw from one model
SEVERAL_MODELS = frozenset({"mixed", "cascade"})  # policies that divide money among models
# Policies that draw equally often from every problem, whatever the outcomes. Plans, curves and backtests take their counts for granted.
FIXED = frozenset({"uniform", "mixed"})


def import_policy(name: str) -> Callable[[Terms], object]:
    """Return what makes a policy from its terms: one of `POLICIES`, or the user's own as `package.module:attribute`.

    Raises:
        StudyError: no policy has that name.
    """
    target = POLICIES.get(name, name)
    if ":" not in target:
        hint = did_you_mean(name, POLICIES) or f"known: {', '.join(POLICIES)}, or package.module:attribute"
        raise StudyError([f"policy: unknown policy {name!r}; {hint}"])
    try:
        return cast("Callable[[Terms], object]", import_part(target))
    except PartError as error:
        raise StudyError([f"policy: {name} {error}"]) from error


def load_policy(name: str, terms: Terms) -> Policy:
    """Return a new policy for these terms, by a name that `import_policy` takes.

    Raises:
        StudyError: no policy has that name, or the object of that name is not a policy.
        BudgetError: the terms do not pay for a draw.
    """
    try:
        policy = import_policy(name)(terms)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # from the policy's own code, which the message names
        raise StudyError([f"policy: {name} cannot be made from its terms: {error}"]) from error
    if lacking := [member for member in ("propose", "observe") if not hasattr(policy, member)]:
        raise StudyError([f"policy: {name} has no {', '.join(lacking)}; isocost.policies.base.Policy says what a policy needs"])
    return cast(Policy, policy)
