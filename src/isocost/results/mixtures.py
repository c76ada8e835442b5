"""Compute mixtures of a run's models from the pool that each model drew by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isocost.config import Arm
from isocost.measuring.mixtures import mixture
from isocost.measuring.models import Model
from isocost.policies import FIXED
from isocost.records import Cost, ModelCurve, Unit

_EACH = {2: "half the money each", 3: "a third of the money each"}


def wanted_mixtures(arms: Mapping[str, Arm], curved: Sequence[str], trained_on: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return the sets of models whose mixture, with equal money for each, a report shows.

    These are the models of each arm that has several, and the two that the study compares. Those two are the models of the arms that
    students are trained on or, failing that, of all curves, if these are exactly two.

    Args:
        arms: The arms of the study, by name.
        curved: The models with a curve.
        trained_on: The arms that students are trained on.
    """
    has_curve = set(curved)
    mixed = [arm for arm in arms.values() if len(arm.models) > 1]
    # Under another policy the shares of the models depend on outcomes, so no mixture of fixed shares describes the arm.
    found = [arm.models for arm in mixed if arm.policy in FIXED and set(arm.models) <= has_curve]
    trained = [arms[arm] for arm in trained_on if arm in arms]
    compared = [name for name in curved if any(name in arm.models for arm in trained)]
    found += [tuple(names) for names in (compared, curved) if len(names) == 2][:1]
    # Reversed twice: of equal sets the first keeps its order of names and its place.
    return list({frozenset(names): names for names in reversed(found)}.values())[::-1]


def mixture_curves(wanted: Sequence[tuple[str, ...]], models: Mapping[str, Model], unit: Unit) -> Iterator[ModelCurve]:
    """Yield the curve of each mixture; one with a model of unknown cost is left out.

    Args:
        wanted: As `wanted_mixtures` returns it.
        models: The models by name, with their solutions `identified` and their cost in `unit`.
        unit: The unit of the money of which each model gets an equal share.
    """
    for names in wanted:
        if not all(name in models for name in names):
            continue
        found = mixture([models[name] for name in names], [1 / len(names)] * len(names))
        if found.points:
            each = found.points[0].cost / found.points[0].k
            yield ModelCurve(
                model=f"{' + '.join(names)}, {_EACH.get(len(names), 'equal money each')}",
                cost=Cost(flops=each) if unit == "flops" else Cost(usd=each),
                ks=tuple(point.k for point in found.points),
                measures={name: tuple(point.values[name] for point in found.points) for name in found.points[0].values},
                mix=found.draws,
            )
