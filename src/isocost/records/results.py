"""The input of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocost.records.cells import CellComparison, CellResult
from isocost.records.costs import BillLine
from isocost.records.curves import ModelCrossover, ModelCurve, ModelPair
from isocost.records.estimates import Estimate
from isocost.records.evaluations import Comparison, Evaluation
from isocost.records.models import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All values that the report shows.

    Attributes:
        study: The study's name.
        models: The models of the study.
        n_problems: Training problems, after exclusions.
        excluded: (problem id, reason) of problems left out of every denominator.
        cells: One entry per cell, in the study's order.
        pools: By model: coverage@k and diversity@k of its whole pool, `measures[model]["coverage@3"]`.
        evaluations: The evaluations of all students.
        comparisons: Paired differences between students.
        cell_comparisons: Paired differences between the data of cells.
        bill: The amounts that the run paid.
        seconds: Wall-clock seconds by stage, over every start of the run.
        environment: Versions and hardware, for the footer.
        curves: The curve of each model whose draws do not depend on outcomes, up to the size of its pool.
        crossovers: The crossover of each pair of these models, in the unit of each budget.
        model_pairs: The comparison of each pair, at every budget and at equal numbers.
        without_curve: The reason why a model has no curve, by model.
        mixtures: Curves of mixtures of models with equal money for each, in the unit of each budget. The cost is known in that unit only.
    """

    study: str
    models: tuple[ModelCard, ...]
    n_problems: int
    excluded: tuple[tuple[str, str], ...]
    cells: tuple[CellResult, ...]
    pools: Mapping[str, Mapping[str, Estimate]]
    evaluations: tuple[Evaluation, ...]
    comparisons: tuple[Comparison, ...]
    bill: tuple[BillLine, ...]
    seconds: Mapping[str, float]
    environment: Mapping[str, str]
    cell_comparisons: tuple[CellComparison, ...] = ()
    curves: tuple[ModelCurve, ...] = ()
    crossovers: tuple[ModelCrossover, ...] = ()
    model_pairs: tuple[ModelPair, ...] = ()
    without_curve: Mapping[str, str] = field(default_factory=dict)
    mixtures: tuple[ModelCurve, ...] = ()
