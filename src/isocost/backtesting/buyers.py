"""Buyers: policies with the models that they draw from, and the bounds beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.bounds import KnownLaw, KnownRates, Rates, greedy
from isocost.backtesting.pool import Pool
from isocost.backtesting.replay import replay, replay_fixed
from isocost.errors import InputError, Option
from isocost.nearest import did_you_mean
from isocost.policies import FIXED, ONE_MODEL, POLICIES, SEVERAL_MODELS, load_policy
from isocost.policies.base import Objective, Policy, Terms

LAW_KNOWN, RATES_KNOWN = "pass-rate law known", "every pass rate known"
# Takes the shuffled pool and a seed, and returns the cost of each target, nan where it is not reached, float[targets].
Run = Callable[[Pool, int], Floats]

_OPTION = Option(name="policies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The question of a replay.

    Attributes:
        objective: What is to be reached.
        needs: Sums over problems that reach the targets, ascending.
        budget: The amount that policies are given; None for enough to buy every recorded draw.
    """

    objective: Objective
    needs: tuple[int, ...]
    budget: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """One way to buy.

    Attributes:
        name: The policy's name, or that of the bound.
        models: The models that it draws from, as indices.
        is_bound: True if it knows what no policy can know.
        prepare: Takes a pool of these models, and returns the replay of one seed.
    """

    name: str
    models: tuple[int, ...]
    is_bound: bool
    prepare: Callable[[Pool, Task], Run]


def buyers_of(policies: Sequence[str], pool: Pool) -> list[Buyer]:
    """Return the buyers of the policies, with `uniform` among them, and of the bounds.

    A policy of one model becomes a buyer for each model.

    Raises:
        InputError: a policy is unknown or given twice, or draws from several models where the pool has one.
    """
    if len(set(policies)) < len(policies):
        raise InputError(f"{','.join(policies)[:80]} names a policy twice; name each once", option=_OPTION)
    everything = tuple(range(len(pool.models)))
    found: list[Buyer] = []
    for name in dict.fromkeys(["uniform", *policies]):
        _check(name, pool)
        each = [(model,) for model in everything] if name in ONE_MODEL else [everything]
        found += [fixed_buyer(name, models) if name in FIXED else policy_buyer(name, partial(load_policy, name), models) for models in each]
    for name, rates in ((LAW_KNOWN, KnownLaw), (RATES_KNOWN, KnownRates)):
        found.append(Buyer(name=name, models=everything, is_bound=True, prepare=partial(_bound, rates)))
    return found


def _check(name: str, pool: Pool) -> None:
    if ":" not in name and name not in POLICIES:
        known = f"known: {', '.join(POLICIES)}, or package.module:attribute"
        raise InputError(f'there is no policy "{name[:80]}"', advice=f"{did_you_mean(name, POLICIES)} {known}".strip(), option=_OPTION)
    if name in SEVERAL_MODELS and len(pool.models) == 1:
        raise InputError(f"{name} draws from several models, and the table has one: {pool.models[0][:80]}", option=_OPTION)


def fixed_buyer(name: str, models: tuple[int, ...]) -> Buyer:
    """Return the buyer whose draws are in a fixed order."""
    return Buyer(name=name, models=models, is_bound=False, prepare=_fixed)


def policy_buyer(name: str, make: Callable[[Terms], Policy], models: tuple[int, ...]) -> Buyer:
    """Return the buyer of a policy that is made by a function from its terms."""
    return Buyer(name=name, models=models, is_bound=False, prepare=partial(_policy, make))


def _fixed(pool: Pool, task: Task) -> Run:
    def run(shuffled: Pool, seed: int) -> Floats:
        return replay_fixed(shuffled, task.objective, task.needs, np.random.default_rng([seed, 1]))

    return run


def _policy(make: Callable[[Terms], Policy], pool: Pool, task: Task) -> Run:
    def run(shuffled: Pool, seed: int) -> Floats:
        return replay(make, shuffled, task.objective, task.needs, seed, task.budget)

    return run


def _bound(make: Callable[[Floats], Rates], pool: Pool, task: Task) -> Run:
    rates = make(pool.rates)  # once for all seeds, because moments of a state are the same for each

    def run(shuffled: Pool, seed: int) -> Floats:
        return greedy(rates, shuffled, task.objective, task.needs, np.random.default_rng([seed, 2]))

    return run
