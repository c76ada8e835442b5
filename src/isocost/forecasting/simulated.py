"""Simulation of policies on pass rates drawn from a posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocost.arrays import Floats, Ints
from isocost.forecasting.distinct import DistinctLaw, logit_bins
from isocost.forecasting.prices import Price
from isocost.forecasting.values import sound_shares
from isocost.policies import load_policy
from isocost.policies.base import KeptPerProblem, MixedGroups, Objective, Observation, Policy, Terms
from isocost.records import Allocation, Outcome, Unit, Verdict, prompt_readings

_REPLICATES = 8
_MOST_PROBLEMS = 300  # per replicate, or as many as `_MOST_DRAWS` allow: bounds the time
_MOST_DRAWS = 6_000  # per replicate
_BLOCK = 16  # draws of each problem and model whose outcomes are drawn at once
_CORRECT = Verdict(outcome=Outcome.CORRECT, predicted_answer=None, reason="simulated")
_INCORRECT = Verdict(outcome=Outcome.INCORRECT, predicted_answer=None, reason="simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One simulated run of a policy.

    Attributes:
        problems: The problems that it ran on, int[problems], as indices.
        values: Value of the objective for each of them, and of everything else that is measured, float[problems].
        correct: The same for correct solutions, sound or not.
        draws: Mean draws per problem of each model, the pilot's included, float[models].
        readings: Mean readings of the prompt per problem that serve these draws, float[models].
    """

    problems: Ints
    values: Mapping[Objective, Floats]
    correct: Mapping[Objective, Floats]
    draws: Floats
    readings: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The setting in which policies are simulated: a pilot, which is observed and paid first, then rounds until the money is spent.

    Attributes:
        models: Names of the models.
        prices: What draws cost, by model.
        pilot: Draws per problem of each model in the pilot.
        share: Share of the problems that are piloted.
        objective: What the policy makes the most of.
        also: What else is measured.
        together: Law of distinct solutions among the correct ones of all models.
        unit: Unit of the costs, for messages.
        labels: A number per problem that goes with its difficulty, or None; empty without any.
        false_positive_rates: Share of a model's correct draws that are unsound, by model. Policies know them, and values count sound
            solutions.
        available: Draws that there are, where recorded ones are replayed, int[problems, models]; None for as many as wanted.
        load: Makes a policy from its name and terms.
        seed: Seed of the outcomes.
    """

    models: tuple[str, ...]
    prices: Mapping[str, Price]
    pilot: int
    objective: Objective
    together: DistinctLaw
    share: float = 1.0
    also: tuple[Objective, ...] = ()
    unit: Unit | None = None
    labels: tuple[float | None, ...] = ()
    false_positive_rates: Mapping[str, float] = field(default_factory=dict)
    available: Ints | None = None
    load: Callable[[str, Terms], Policy] = load_policy
    seed: int = 0

    def run(self, name: str, budget: float, rates: Floats, models: Sequence[str] | None = None) -> list[Result]:
        """Run a policy on the first replicates of pass rates.

        The pilot's outcomes are drawn like the others, so that its luck is not counted as the policy's. The n-th draw of a model for a
        problem has the same outcome for every policy at a budget, so that differences between policies have little luck in them.

        Args:
            name: Name of the policy.
            budget: Money per problem, the pilot's included.
            rates: Pass rates, float[replicates, problems, models]; the problems are those of `labels` and `available`.
            models: Models that it draws from; None is all of them. The pilot of the others is paid and counted too.

        Raises:
            BudgetError: The budget does not pay for the pilot, or, without one, for a draw.
        """
        found = []
        # As many for every policy, so that they run on the same problems.
        draws = max(self.prices[model].draws(budget) for model in self.models)
        most = max(_MOST_PROBLEMS, int(_MOST_DRAWS / max(draws, 1.0)))
        for number, replicate in enumerate(rates[:_REPLICATES]):
            problems = np.sort(np.random.default_rng([self.seed, number]).permutation(len(replicate))[:most])
            table = _Problems(self, replicate[problems], (self.seed, number))
            pilot = self._pilot(problems)
            terms = self._terms(budget * len(problems), problems, pilot, tuple(models or self.models))
            policy = self.load(name, terms)
            piloted = list(table.draw(pilot))
            policy.observe([each for each in piloted if each.model in terms.models])
            while allocations := policy.propose():
                policy.observe(list(table.draw(allocations)))  # a list: a policy need not look at its observations
            measures = (self.objective, *self.also)
            found.append(
                Result(
                    problems=problems,
                    values={measure: table.value(measure) for measure in measures},
                    correct={measure: table.value(measure, sound=False) for measure in measures},
                    draws=table.drawn.mean(axis=0),
                    readings=table.readings.mean(axis=0),
                )
            )
        return found

    def _pilot(self, problems: Ints) -> list[Allocation]:
        """Return the pilot's draws of some problems, the first of which were piloted."""
        return [
            Allocation(problem_id=str(i), model=model, first_index=0, count=count)
            for m, model in enumerate(self.models)
            for i, problem in enumerate(problems[: round(self.share * len(problems))].tolist())
            if (count := self.pilot if self.available is None else min(self.pilot, int(self.available[problem, m])))
        ]

    def _terms(self, amount: float, problems: Ints, pilot: Sequence[Allocation], models: tuple[str, ...]) -> Terms:
        ids, of_model = tuple(map(str, range(len(problems)))), [(m, model) for m, model in enumerate(self.models) if model in models]
        others = sum(self.prices[each.model].cost(each.count) for each in pilot if each.model not in models)
        labels = {id_: self.labels[i] for id_, i in zip(ids, problems.tolist(), strict=True)} if self.labels else {}
        recorded = [] if self.available is None else self.available[problems].tolist()
        return Terms(
            problem_ids=ids,
            models=models,
            amount=amount - others,
            unit=self.unit,
            basis="planned",
            expected={model: self.prices[model].alone for model in models},
            worst={model: self.prices[model].alone for model in models},
            prompt={model: self.prices[model].prompt for model in models},
            per_request={model: bound for model in models if (bound := self.prices[model].per_request) is not None},
            samples_per_problem=None,
            seed=0,
            piloted={(each.problem_id, each.model): each.count for each in pilot if each.model in models},
            available={(id_, model): row[m] for id_, row in zip(ids, recorded, strict=bool(recorded)) for m, model in of_model},
            objective=self.objective,
            false_positive_rates={model: rate for model, rate in self.false_positive_rates.items() if model in models},
            labels={id_: label for id_, label in labels.items() if label is not None},
        )


class _Problems:
    """Problems with known pass rates, and what was drawn for them."""

    def __init__(self, setting: Simulation, rates: Floats, seed: tuple[int, int]) -> None:
        self._setting, self._rates, self._seed = setting, rates, seed
        self._lots: list[Floats] = []  # of the outcomes and of new solutions, in blocks, float[problems, models, _BLOCK, 2]
        self._model = {model: m for m, model in enumerate(setting.models)}
        self.drawn, self.readings = np.zeros(rates.shape, np.int64), np.zeros(rates.shape, np.int64)
        self._unsound: Floats = np.array([setting.false_positive_rates.get(model, 0.0) for model in setting.models])
        self._correct = np.zeros(rates.shape, np.int64)
        self._distinct = np.zeros(len(rates), np.int64)
        # A law for each problem, so that the mean over problems is what `DistinctLaw.expected` says.
        self._laws = setting.together.draw(logit_bins(rates.mean(axis=1)), np.random.default_rng([*seed, 0]))
        measures = (setting.objective, *setting.also)
        self._size = next((measure.size for measure in measures if isinstance(measure, MixedGroups)), None)
        self._group = np.zeros((*rates.shape, 2), np.int64)
        self._mixed = np.zeros(rates.shape, np.int64)  # correct draws in mixed groups

    def draw(self, allocations: Sequence[Allocation]) -> Iterator[Observation]:
        """Yield the outcomes of allocations, in their order."""
        for each in allocations:
            i, m = int(each.problem_id), self._model[each.model]
            bound = self._setting.prices[each.model].per_request
            # Without a bound one reading serves all draws of a problem.
            more = prompt_readings(each.count, bound)
            self.readings[i, m] = max(self.readings[i, m], more) if bound is None else self.readings[i, m] + more
            for index in range(each.first_index, each.first_index + each.count):
                lots = self._drawn_lots(i, m, index)
                correct = bool(lots[0] < self._rates[i, m])
                new = self._count(i, m, lots[1], correct=correct)
                yield Observation(
                    problem_id=each.problem_id,
                    model=each.model,
                    sample_index=index,
                    verdict=_CORRECT if correct else _INCORRECT,
                    cost=self._setting.prices[each.model].alone,
                    new=new or not correct,
                )

    def _drawn_lots(self, problem: int, model: int, index: int) -> Floats:
        """Return two random numbers below 1 that belong to a draw, float[2]: for its outcome, and for whether its solution is new."""
        block, place = divmod(index, _BLOCK)
        while block >= len(self._lots):
            generator = np.random.default_rng([*self._seed, 1 + len(self._lots)])
            self._lots.append(generator.random((*self._rates.shape, _BLOCK, 2)))
        return np.asarray(self._lots[block][problem, model, place], np.float64)

    def value(self, measure: Objective, *, sound: bool = True) -> Floats:
        """Return the value of an objective for each problem, as `draw_values` and `pair_values` define it, float[problems].

        The soundness of solutions is not drawn: the value is its expectation given the correct draws. That of kept solutions is exact where
        the number of draws does not depend on outcomes, else an approximation, as every correct draw counts alike for the share of sound
        ones.

        Args:
            measure: The objective.
            sound: Count sound solutions; False for correct ones.
        """
        rates = self._unsound if sound else np.zeros_like(self._unsound)
        match measure:
            case KeptPerProblem(most=most):
                return np.asarray(np.minimum(self._distinct, most) * sound_shares(self._correct, rates.tolist()), np.float64)
            case MixedGroups():
                found = self._mixed
            case _:
                found = self._correct
        return np.asarray(1.0 - (rates**found).prod(axis=1), np.float64)  # 0^0 = 1: nothing found

    def _count(self, problem: int, model: int, lot: float, *, correct: bool) -> bool:
        """Count a draw, and return True if it is a correct solution that the problem did not have."""
        self.drawn[problem, model] += 1
        if self._size is not None:
            self._group[problem, model, int(correct)] += 1
            if self.drawn[problem, model] % self._size == 0:
                wrong, right = self._group[problem, model].tolist()
                self._mixed[problem, model] += right if wrong else 0
                self._group[problem, model] = 0
        if not correct:
            return False
        c, d, (theta, sigma) = self._correct[problem].sum(), self._distinct[problem], self._laws[problem]
        new = bool(c == 0 or lot < (theta + sigma * d) / (theta + c))
        self._correct[problem, model] += 1
        self._distinct[problem] += new
        return new
