"""The draws of several models for the same problems, with equal solutions of different models identified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from isocost.arrays import Floats, Ints
from isocost.measuring.models import Model, levels_of
from isocost.metrics.intervals import count_intervals, mean_intervals
from isocost.metrics.mixtures import mixture_coverage, mixture_diversity
from isocost.records import Estimate

Values = Mapping[str, Floats]  # by measure: float[problems, points]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The draws of several models for the same problems.

    Attributes:
        names: Names of the models.
        drawn: Graded draws, int[models, problems].
        correct: Correct draws, int[models, problems].
        classes: Distinct correct solutions by level: the problem of each, int[classes], and its count per model, int[models, classes].
            Equal texts of different models are one solution.
        n_ungraded: Ungraded draws of each model.
    """

    names: list[str]
    drawn: Ints
    correct: Ints
    classes: Mapping[str, tuple[Ints, Ints]]
    n_ungraded: list[int]

    @classmethod
    def of(cls, models: Sequence[Model], places: Sequence[Ints]) -> Joined:
        """Join models at these places of their problems: the same problems in the same order.

        Raises:
            ValueError: The solutions were not loaded as `identified`.
        """
        levels = [kind for kind in levels_of(models[0]) if all(kind in model.solutions for model in models)]
        return cls(
            names=[model.name for model in models],
            drawn=np.stack([model.drawn[at] for model, at in zip(models, places, strict=True)]),
            correct=np.stack([model.correct[at] for model, at in zip(models, places, strict=True)]),
            classes={kind: _joined(models, places, kind) for kind in levels},
            n_ungraded=[model.n_ungraded for model in models],
        )

    def values(self, draws: Floats) -> Values:
        """Return `coverage` and every level of diversity for numbers of draws float[models, points]."""
        of = {"coverage": mixture_coverage(self.drawn, self.correct, draws)}
        return of | {kind: mixture_diversity(self.drawn, owner, count, draws) for kind, (owner, count) in self.classes.items()}

    def estimates(self, values: Values, draws: Floats) -> dict[str, list[Estimate]]:
        """Return means over problems of these values, with intervals, by measure."""
        most = np.ceil(draws).sum(axis=0).tolist()
        made = {name: mean_intervals(of) if name == "coverage" else count_intervals(of, most) for name, of in values.items()}
        return {name: [replace(each, n_ungraded=sum(self.n_ungraded)) for each in of] for name, of in made.items()}

    def alone(self, model: int) -> Joined:
        """Return one of the models, with the first level of diversity only."""
        # Comparisons with single models show one level of diversity.
        first = list(self.classes.items())[:1]
        return replace(
            self,
            names=[self.names[model]],
            drawn=self.drawn[[model]],
            correct=self.correct[[model]],
            n_ungraded=[self.n_ungraded[model]],
            classes={kind: (owner[count[model] > 0], count[[model]][:, count[model] > 0]) for kind, (owner, count) in first},
        )


def _joined(models: Sequence[Model], places: Sequence[Ints], kind: str) -> tuple[Ints, Ints]:
    frames = []
    for i, (model, at) in enumerate(zip(models, places, strict=True)):
        classes = model.solutions[kind]
        if classes.digests is None:
            raise ValueError("solutions of different models can be joined only where they were identified")
        new = np.full(model.problem.size, -1, dtype=np.int64)
        new[at] = np.arange(at.size)
        problem = new[classes.group]
        wanted = problem >= 0
        columns = {"problem": problem, "a": classes.digests[0], "b": classes.digests[1], str(i): classes.count}
        frames.append(pl.DataFrame({name: values[wanted] for name, values in columns.items()}))
    counts = pl.exclude("problem", "a", "b").sum()
    # Diagonal: each frame has a count column of its own, and a solution of one model only gets null in the others.
    found = pl.concat(frames, how="diagonal").group_by("problem", "a", "b").agg(counts)
    multiplicity = np.stack([found[str(i)].to_numpy() for i in range(len(models))])
    return found["problem"].to_numpy(), multiplicity.astype(np.int64)
