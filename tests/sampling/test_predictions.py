"""What is predicted of a cell from its pilot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from isocost.config import Arm
from isocost.costs.draws import cost_of
from isocost.costs.expected import DrawCost
from isocost.dispatch.draws import Draw
from isocost.planning import plan_cell, plan_open_cell
from isocost.policies import load_policy
from isocost.policies.base import Terms
from isocost.records import Allocation, Cell, Cost, Outcome, Verdict, prompt_readings
from isocost.sampling.pilots import draws_of
from isocost.sampling.pools import Pool
from isocost.sampling.predictions import choice_of, predict, predicted_cost
from tests.sampling.pooling import CARD

IDS = tuple(f"p{i}" for i in range(40))
PILOTED, EACH = IDS[:10], 5  # problems and draws of the pilot
VERDICTS = [Verdict(outcome=outcome, predicted_answer=None, reason="") for outcome in (Outcome.CORRECT, Outcome.INCORRECT)]
PILOT = [Allocation(problem_id=p, model="weak", first_index=0, count=EACH) for p in PILOTED]


class PilotPool:
    """The draws of a pilot, of which each request of at most `bound` pays for one prompt."""

    solutions = None

    def __init__(self, bound: int | None) -> None:
        generator = np.random.default_rng(0)
        self.draws: dict[tuple[str, int], Draw] = {}
        for problem in PILOTED:
            prompt = int(generator.integers(100, 300))
            for i in range(EACH):
                first = i - i % (bound or EACH)
                sharing = min(first + (bound or EACH), EACH) - first
                generated = int(generator.integers(5, 60))
                cost = cost_of(CARD, prompt_tokens=prompt, generated_tokens=generated, sharing=sharing)
                self.draws[problem, i] = Draw(prompt, generated, "stop", cost.flops, cost.usd, VERDICTS[i % 2])

    def get(self, problem: str, index: int) -> Draw | None:
        return self.draws.get((problem, index))

    def cost(self, bound: int | None) -> DrawCost:
        """The cost of a draw at the pilot's mean lengths."""
        prompt, generated = (
            float(np.mean([getattr(d, f"num_{kind}_tokens") for d in self.draws.values()])) for kind in ("prompt", "generated")
        )
        return DrawCost(
            prompt=cost_of(CARD, prompt_tokens=prompt, generated_tokens=0),
            draw=cost_of(CARD, prompt_tokens=0, generated_tokens=generated),
            worst=Cost(flops=None, usd=1.0, seconds=None),
            shared=frozenset() if bound == 1 else frozenset({"usd"}),
            tokens=generated,
            tokens_are="piloted",
            prompt_tokens=prompt,
            per_request=bound,
        )


def terms_of(each: DrawCost, amount: float, **changes: Any) -> Terms:
    prompt = each.prompt.usd or 0.0
    return Terms(
        problem_ids=IDS,
        models=("weak",),
        amount=amount,
        unit="usd",
        samples_per_problem=None,
        seed=0,
        expected={"weak": prompt + (each.draw.usd or 0.0)},
        worst={"weak": 1.0},
        prompt={"weak": prompt if each.shared else 0.0},
        per_request={"weak": each.per_request} if each.shared and each.per_request else {},
        piloted={(a.problem_id, a.model): a.count for a in PILOT},
        **{"basis": "planned", **changes},
    )


@pytest.mark.parametrize("more", [0.0, 0.4])
@pytest.mark.parametrize("bound", [1, 3, 4, None])
def test_the_predicted_cost_is_what_the_plan_buys(bound: int | None, more: float) -> None:
    pool, k = PilotPool(bound), 17
    each = pool.cost(bound)
    shared = [prompt_readings(EACH, bound) + prompt_readings(k - EACH, bound) if bound else 1, prompt_readings(k, bound)]
    readings = len(PILOTED) * shared[0] + (len(IDS) - len(PILOTED)) * shared[1]
    amount = each.of(draws=k * len(IDS), readings=readings).usd or 0.0
    terms = terms_of(each, amount * (1 + more / k) * (1 + 1e-9))
    cell = Cell(arm="weak", budget="low")
    plan = plan_cell(cell, terms, {"weak": each}, load_policy("uniform", terms))
    assert plan.samples_per_problem["weak"] == pytest.approx(k, abs=0.5)
    pools = cast("Mapping[str, Pool]", {"weak": pool})
    found = predict(Arm(models=["weak"]), plan, terms, pools, PILOT, None)["cost"]
    # A budget that leaves a part of a draw buys it for some problems: those that the seed takes may have other prompts than the mean.
    assert found.value == pytest.approx(plan.cost.usd, rel=0.01 if more else 1e-6)
    assert (found.low or 0) < (found.value or 0) < (found.high or 0)


def test_the_interval_holds_what_prompts_and_answers_cost_differently_from_problem_to_problem() -> None:
    pool = PilotPool(None)
    terms = terms_of(pool.cost(None), 1.0)
    pools = cast("Mapping[str, Pool]", {"weak": pool})
    found = predicted_cost({"weak": 9.0}, {"weak": 1.0}, terms, pools, PILOT)["cost"]
    each = []
    for allocation in PILOT:
        draws = list(draws_of(pools["weak"], allocation))
        prompt = cost_of(CARD, prompt_tokens=draws[0].num_prompt_tokens, generated_tokens=0).usd or 0.0
        generated = [cost_of(CARD, prompt_tokens=0, generated_tokens=draw.num_generated_tokens).usd or 0.0 for draw in draws]
        each.append(prompt + 9.0 * float(np.mean(generated)))
    assert found.value == pytest.approx(len(IDS) * np.mean(each))
    half = 2.262 * np.std(each, ddof=1) / np.sqrt(len(each))  # Student's t with nine degrees of freedom
    assert found.low == pytest.approx(len(IDS) * (np.mean(each) - half), rel=1e-3)


def test_a_budget_that_is_paid_as_realised_is_its_own_cost() -> None:
    pool = PilotPool(4)
    terms = terms_of(pool.cost(4), 1.0, basis="realised")
    assert predicted_cost({"weak": 9.0}, {"weak": 3.0}, terms, cast("Mapping[str, Pool]", {"weak": pool}), PILOT) == {}


@pytest.mark.parametrize(
    ("arm", "name"),
    [
        ({"policy": "uniform", "models": ["strong"]}, "strong"),
        ({"policy": "mixed", "models": ["strong", "weak"]}, "weak+strong"),
        ({"policy": "mixed", "models": ["weak", "strong"], "shares": {"weak": 2, "strong": 1}}, None),
        ({"policy": "first-hit", "models": ["strong"]}, "first-hit strong"),
        ({"policy": "dart", "models": ["weak"]}, "dart weak"),
        ({"policy": "dart", "models": ["weak"], "target": {"correct_per_problem": 7}}, None),
        ({"policy": "cascade", "models": ["weak", "strong"]}, "cascade"),
        ({"policy": "cascade", "models": ["weak", "strong"], "shares": {"weak": 2, "strong": 1}}, None),
        ({"policy": "adaptive", "models": ["weak", "strong"]}, "adaptive"),
        ({"policy": "adaptive", "models": ["weak"]}, None),
        ({"policy": "own.module:policy", "models": ["weak", "strong"]}, None),
    ],
)
def test_an_arm_is_forecast_by_the_choice_that_it_makes(arm: dict[str, Any], name: str | None) -> None:
    """Of both models; with keys of its own a policy is not the one that a forecast simulates."""
    assert choice_of(Arm(**arm), ["weak", "strong"]) == name


def test_the_forecast_of_an_adaptive_cell_knows_labels_and_what_is_recorded() -> None:
    pool = PilotPool(1)
    terms = terms_of(pool.cost(1), 0.5)
    known = replace(terms, available={(p, "weak"): EACH + 1 for p in IDS})
    labelled = replace(terms, labels={p: float(i) for i, p in enumerate(IDS)})
    arm, pools = Arm(models=["weak"], policy="adaptive"), {"weak": cast("Pool", pool)}
    found = [
        predict(arm, plan_open_cell(Cell(arm="a", budget="b"), each, load_policy("adaptive", each)), each, pools, PILOT, None)
        for each in (terms, known, labelled)
    ]
    assert (found[1]["cost"].value or 0) < (found[0]["cost"].value or 0)
    assert (found[1]["cost"].value or 0) <= (EACH + 1) * len(IDS) * terms.expected["weak"] * (1 + 1e-9)
    assert found[2]["covered"] != found[0]["covered"]
