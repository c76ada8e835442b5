"""Mixtures of a run's models, worked out from the pools that each model drew by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isocost.config import Arm
from isocost.measuring.mixtures import mixture
from isocost.measuring.models import Model
from isocost.policies import FIXED
from isocost.records import Cost, ModelCurve, Unit

_EACH = {2: "half the money each", 3: "a third of the money each"}


def wanted_mixtures(arms: Mapping[str, Arm], curved: Sequence[str], trained_on: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Of which models a report shows a mixture, equal money for each.

    Those of an arm of several, and the two that the study compares: the models of the arms that students are trained on, or of all curves,
    if these are two.

    Args:
        arms: Of the study, by name.
        curved: The models with a curve.
        trained_on: The arms that students are trained on.
    """
    found = [arm.models for arm in arms.values() if len(arm.models) > 1 and arm.policy in FIXED and set(arm.models) <= set(curved)]
    compared = [name for name in curved if any(name in arms[arm].models for arm in trained_on if arm in arms)]
    found += [tuple(names) for names in (compared, curved) if len(names) == 2][:1]
    return list({frozenset(names): names for names in reversed(found)}.values())[::-1]


def mixture_curves(wanted: Sequence[tuple[str, ...]], models: Mapping[str, Model], unit: Unit) -> Iterator[ModelCurve]:
    """The curve of each of these mixtures whose models' costs are known.

    Args:
        wanted: As `wanted_mixtures` gives it.
        models: By name, their solutions `identified`, cost in `unit`.
        unit: Of the money of which each model gets an equal share.
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
