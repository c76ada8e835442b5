from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isocost.curating import NearDuplicate, Rules, card
from isocost.records import Cell, CellPlan, CellResult, Cost, Estimate, SamplingParams
from tests.curating.test_choosing import draw, run

COVERED = Estimate(value=0.5, low=0.4, high=0.6, n=1_200)
KEPT = Estimate(value=2.25, low=2.0, high=2.5, n=1_200)
RESULT = CellResult(
    plan=CellPlan(
        cell=Cell(arm="weak", budget="low"),
        models=("weak",),
        unit="usd",
        amount=3.0,
        basis="planned",
        samples_per_problem={"weak": 4.0},
        cost=Cost(usd=2.9, flops=2e12),
    ),
    cost=Cost(usd=2.5, seconds=90.0),
    n_samples=4_800,
    n_tokens=1,
    measures={"covered": COVERED, "kept_per_problem": KEPT, "coverage@2": COVERED},
    funnel=(),
    n_kept=1,
)


def test_the_card_says_what_the_set_is() -> None:
    curated = run([draw(0), draw(1), draw(2, "solution 1"), draw(0, model="strong")])
    text = card(
        curated,
        Cell(arm="both", budget="low"),
        study="gsm8k-qwen",
        problems="gsm8k, train",
        sampling={"weak": SamplingParams(stop=("\n\n",)), "strong": SamplingParams(temperature=1.0)},
        distinct="string",
        rules=Rules(),
        seed=7,
        result=RESULT,
    )
    assert text.startswith("# gsm8k-qwen: both@low\n\n2 sampled solutions of 1 problem (gsm8k, train)")
    assert "| model | solutions | temperature | top p | top k | max tokens | stop |" in text
    assert "| strong | " in text
    assert "| 512 | `'\\n\\n'` |" in text
    assert "| duplicate | 2 | The set has an equal solution of the same problem. |" in text
    assert "seed 7: duplicates by `string` removed, no limit per problem" in text
    assert "| weak | not named in the study | not named in the study |" in text
    assert "Near-duplicates" not in text


def made(rules: Rules, **more: Any) -> str:
    curated = run([draw(0)])
    cell = Cell(arm="weak", budget="low")
    options = {"distinct": None, "rules": rules, "seed": 0, "result": RESULT, **more}
    return card(curated, cell, study="s", problems="lab", sampling={"weak": SamplingParams()}, **options)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (Rules(correct_only=False), "Answers were not compared with the reference answers: many are wrong."),
        (Rules(sound_only=True), "an audit found no fault in its reasoning where it could check it."),
        (Rules(labelled=True), "those that people labelled unsound were left out, and the reasoning of the others was not checked."),
        (Rules(sound_only=True, labelled=True), "where it could check it, and people labelled none of them unsound."),
        (Rules(per_problem=4), "at most 4 per problem, different equations first."),
        (Rules(problems=frozenset("ab")), "the first 2 problems only."),
    ],
)
def test_the_card_says_by_which_rules_the_set_was_chosen(rules: Rules, sentence: str) -> None:
    assert sentence in made(rules)


def test_the_card_of_a_judged_set_names_the_judge_and_claims_no_reference_answer() -> None:
    for rules in (Rules(), Rules(sound_only=True)):
        text = made(rules, judge="strong")
        assert "Each was judged correct by the model `strong`, not compared with the reference answer" in text
        assert "reaches the reference answer" not in text


def test_the_card_names_the_columns_of_the_rows() -> None:
    assert "`problem_id`, `prompt`, `completion`, `model`, `sample_id`: prompt-completion rows as TRL reads them." in made(Rules())
    chat = made(Rules(), chat=True)
    assert "`problem_id`, `messages`, `model`, `sample_id`: conversations as TRL reads them." in chat
    assert "completion" not in chat


def test_the_card_has_licences_terms_and_near_duplicates() -> None:
    near = [NearDuplicate(problem_id=f"p{i}", named="gsm8k:test", other_id=f"t|{i}", share=0.625) for i in range(250)]
    text = made(Rules(), terms={"weak": ("apache-2.0", None)}, near_duplicates=near)
    assert "| weak | apache-2.0 | not named in the study |" in text
    assert "Left out: 250 problems that nearly repeat one of another set, the first 200 of them here." in text
    assert "| p0 | gsm8k:test | t\\|0 | 62% |" in text
    assert "| p200 |" not in text


def test_the_card_has_the_budget_and_the_measures_of_the_cell() -> None:
    text = made(Rules())
    assert "- budget: $3.00 over all problems\n- planned: 2.0 TFLOPs, $2.90\n" in text
    assert "- realised: 4,800 draws, 1 generated token, $2.50\n" in text
    assert "| problems with a correct draw (`covered`) | 50.0% [40.0, 60.0] | 1,200 |" in text
    assert "| solutions kept per problem (`kept_per_problem`) | 2.25 [2.00, 2.50] | 1,200 |" in text
    assert "coverage@2" not in text
    assert "False equations" not in text
    number_matched = replace(RESULT, plan=replace(RESULT.plan, unit=None, amount=None), cost=Cost(), measures={"fpr": COVERED})
    text = made(Rules(), result=number_matched)
    assert "- no budget: 4 draws per problem, whatever they cost\n" in text
    assert "generated token, cost not known" in text
    assert "False equations are written out in 50.0% [40.0, 60.0] of the solved problems of this data (n 1,200)." in text
