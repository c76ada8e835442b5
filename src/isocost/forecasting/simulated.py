"""Simulation of policies on pass rates drawn from a posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocost.forecasting.distinct import DistinctLaw
from isocost.passrates.grid import Floats
from isocost.passrates.posterior import Ints
from isocost.policies import load_policy
from isocost.policies.base import KeptPerProblem, MixedGroups, Objective, Observation, Policy, Terms
from isocost.records import Allocation, Outcome, Unit, Verdict

_REPLICATES = 8
_MOST_PROBLEMS = 300  # per replicate: bounds the time
_CORRECT = Verdict(outcome=Outcome.CORRECT, predicted_answer=None, reason="simulated")
_INCORRECT = Verdict(outcome=Outcome.INCORRECT, predicted_answer=None, reason="simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One simulated run of a policy.

    Attributes:
        problems: The problems that it ran on, int[problems], as indices.
        value: Mean over them of the objective.
        draws: Mean draws per problem of each model, the pilot's included, float[models].
    """

    problems: Ints
    value: float
    draws: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The setting in which policies are simulated: a pilot, which is observed and paid first, then rounds until the money is spent.

    Attributes:
        models: Names of the models.
        costs: Cost per draw, by model.
        pilot: Draws per problem of each model in the pilot.
        objective: What the policy makes the most of.
        together: Law of distinct solutions among the correct ones of all models.
        unit: Unit of the costs, for messages.
        load: Makes a policy from its name and terms.
    """

    models: tuple[str, ...]
    costs: Mapping[str, float]
    pilot: int
    objective: Objective
    together: DistinctLaw
    unit: Unit | None = None
    load: Callable[[str, Terms], Policy] = load_policy

    def run(self, name: str, budget: float, rates: Floats, generator: np.random.Generator) -> list[Result]:
        """Run a policy on the first replicates of pass rates.

        The pilot's outcomes are drawn like the others, so that its luck is not counted as the policy's.

        Args:
            name: Name of the policy.
            budget: Money per problem, the pilot's included.
            rates: Pass rates, float[replicates, problems, models].
            generator: Source of randomness.

        Raises:
            BudgetError: The budget does not pay for the pilot, or, without one, for a draw.
        """
        found = []
        for replicate in rates[:_REPLICATES]:
            problems = np.sort(generator.permutation(len(replicate))[:_MOST_PROBLEMS])
            table = _Problems(self, replicate[problems], generator)
            policy = self.load(name, self._terms(budget * len(problems), len(problems)))
            policy.observe(table.draw(table.pilot()))
            while allocations := policy.propose():
                policy.observe(table.draw(allocations))
            found.append(Result(problems=problems, value=table.value(), draws=table.drawn.mean(axis=0)))
        return found

    def _terms(self, amount: float, problems: int) -> Terms:
        ids = tuple(map(str, range(problems)))
        return Terms(
            problem_ids=ids,
            models=self.models,
            amount=amount,
            unit=self.unit,
            basis="planned",
            expected=self.costs,
            worst=self.costs,
            samples_per_problem=None,
            seed=0,
            piloted={(problem, model): self.pilot for problem in ids for model in self.models},
            objective=self.objective,
        )


class _Problems:
    """Problems with known pass rates, and what was drawn for them."""

    def __init__(self, setting: Simulation, rates: Floats, generator: np.random.Generator) -> None:
        self._setting, self._rates, self._generator = setting, rates, generator
        self._model = {model: m for m, model in enumerate(setting.models)}
        self.drawn = np.zeros(rates.shape, np.int64)
        self._correct = np.zeros(len(rates), np.int64)
        self._distinct = np.zeros(len(rates), np.int64)
        # A law for each problem, so that the mean over problems is what `DistinctLaw.expected` says.
        self._laws = setting.together.draw(len(rates), generator)
        self._group = np.zeros((*rates.shape, 2), np.int64)
        self._mixed = np.zeros(len(rates), np.bool_)

    def pilot(self) -> list[Allocation]:
        """Return the pilot's draws."""
        return [
            Allocation(problem_id=str(i), model=model, first_index=0, count=self._setting.pilot)
            for model in self._setting.models
            for i in range(len(self._rates))
        ]

    def draw(self, allocations: Sequence[Allocation]) -> Iterator[Observation]:
        """Yield the outcomes of allocations, in their order."""
        for each in allocations:
            i, m = int(each.problem_id), self._model[each.model]
            for index in range(each.first_index, each.first_index + each.count):
                correct = bool(self._generator.random() < self._rates[i, m])
                new = self._count(i, m, correct=correct)
                yield Observation(
                    problem_id=each.problem_id,
                    model=each.model,
                    sample_index=index,
                    verdict=_CORRECT if correct else _INCORRECT,
                    cost=self._setting.costs[each.model],
                    new=new or not correct,
                )

    def value(self) -> float:
        """Return the mean over problems of the objective."""
        match self._setting.objective:
            case KeptPerProblem(most=most):
                return float(np.minimum(self._distinct, most).mean())
            case MixedGroups():
                return float(self._mixed.mean())
            case _:
                return float((self._correct > 0).mean())

    def _count(self, problem: int, model: int, *, correct: bool) -> bool:
        """Count a draw, and return True if it is a correct solution that the problem did not have."""
        self.drawn[problem, model] += 1
        if isinstance(self._setting.objective, MixedGroups):
            self._group[problem, model, int(correct)] += 1
            if self.drawn[problem, model] % self._setting.objective.size == 0:
                self._mixed[problem] |= bool(self._group[problem, model].all())
                self._group[problem, model] = 0
        if not correct:
            return False
        c, d, (theta, sigma) = self._correct[problem], self._distinct[problem], self._laws[problem]
        new = bool(c == 0 or self._generator.random() < (theta + sigma * d) / (theta + c))
        self._correct[problem] += 1
        self._distinct[problem] += new
        return new
