"""What to buy at a budget: the model, or what would settle the question."""

from dataclasses import replace

import pytest

from isocost.records import CellComparison, CellResult, Comparison, Estimate, Results
from isocost.reporting.buying import observed
from isocost.reporting.headline import headline, support, verdict
from tests.reporting.builder import cell, comparison, results
from tests.reporting.test_policies import spending

WEAK, STRONG = cell("weak", "low", {"weak": 3.0}, 0.62, 2.6), cell("strong", "low", {"strong": 1.0}, 0.58, 2.6)


def paired(value: float, half: float, left: str = "weak@low", right: str = "strong@low") -> CellComparison:
    difference = Estimate(value=value, low=value - half, high=value + half, n=400)
    return CellComparison(left=left, right=right, measure="covered", difference=difference, detectable=half * 2.8 / 1.96)


def study(*pairs: CellComparison, cells: tuple[CellResult, ...] = (WEAK, STRONG), trained: tuple[Comparison, ...] = ()) -> Results:
    return replace(results(), cells=cells, evaluations=(), comparisons=trained, cell_comparisons=pairs)


@pytest.mark.parametrize(("pair", "model"), [(paired(0.09, 0.03), "weak"), (paired(-0.09, 0.03), "strong")])
def test_the_model_that_covers_more_is_bought(pair: CellComparison, model: str) -> None:
    other = {"weak": "strong", "strong": "weak"}[model]
    assert f"buy from {model}: data from {model} covers more problems than data from {other}, +9.0 points [+6.0, +12.0]" in headline(
        study(pair)
    )


def test_the_model_is_named_not_the_arm() -> None:
    named = replace(WEAK, plan=replace(WEAK.plan, models=("qwen",)))
    assert "buy from qwen: " in headline(study(paired(0.09, 0.03), cells=(named, STRONG)))


def test_an_open_question_says_what_could_be_detected_and_what_would_settle_it() -> None:
    said = headline(study(paired(0.02, 0.04)))
    assert "which model to buy from is open: no difference found in coverage (−2.0 to +6.0 points)" in said
    # 2.8 / 1.96 of 4 points is 5.7; at 2 points that takes (5.7 / 2)^2 times as many problems.
    assert said.endswith("; this run could detect 5.7 points; 2,866 more problems would tell them apart four times in five.")


def test_no_difference_at_all_is_settled_by_nothing() -> None:
    assert headline(study(paired(0.0, 0.04))).endswith("; this run could detect 5.7 points; 100,000 problems would not tell them apart.")


def test_a_run_that_can_detect_nothing_says_so() -> None:
    said = headline(study(paired(0.02, 0.9)))
    assert said.endswith("; this run is too small to detect any difference.")


def test_a_cell_that_could_not_spend_its_budget_is_no_verdict() -> None:
    """A budget that is paid as realised, of which the strong model's cell left more than a fifth."""

    def realised(cell: CellResult, share: float) -> CellResult:
        amount = 1000.0
        return replace(cell, plan=replace(cell.plan, basis="realised", amount=amount), cost=replace(cell.cost, flops=share * amount))

    assert WEAK.plan.unit == "flops"
    whole = headline(study(paired(0.09, 0.03), cells=(realised(WEAK, 0.99), realised(STRONG, 0.85))))
    assert "buy from weak" in whole
    assert "not at equal cost" not in whole
    short = headline(study(paired(0.09, 0.03), cells=(realised(WEAK, 0.99), realised(STRONG, 0.33))))
    assert "buy from" not in short
    assert "; not at equal cost: strong@low left 67% of its budget, as one more draw of max_tokens did not fit" in short
    used_up = replace(realised(STRONG, 0.33), exhausted=True)
    short = headline(study(paired(0.09, 0.03), cells=(realised(WEAK, 0.99), used_up)))
    assert "; not at equal cost: strong@low left 67% of its budget, as all recorded draws were used" in short


def test_coverage_decides_where_students_do_not() -> None:
    said = headline(study(paired(-0.09, 0.03), trained=(comparison("student", "distillation", -0.012, 0.020),)))
    assert "buy from strong: its data covers more problems, +9.0 points [+6.0, +12.0]; no difference found between data from weak" in said


def test_students_decide_against_coverage() -> None:
    said = headline(study(paired(-0.09, 0.03), trained=(comparison("student", "distillation", 0.011, 0.053),)))
    assert "buy from weak: data from weak made a better student" in said


def test_students_that_disagree_name_no_model() -> None:
    trained = comparison("student", "distillation", 0.01, 0.03), comparison("weak", "self-improvement", -0.03, -0.01)
    assert "buy from" not in headline(study(paired(0.09, 0.03), trained=trained))


@pytest.mark.parametrize(
    "cells",
    [
        (WEAK, replace(STRONG, plan=replace(STRONG.plan, models=("weak",)))),
        (WEAK, replace(STRONG, plan=replace(STRONG.plan, models=("weak", "strong")))),
    ],
    ids=["one model", "a mixture"],
)
def test_cells_that_do_not_differ_by_one_model_name_none(cells: tuple[CellResult, ...]) -> None:
    assert "buy from" not in headline(study(paired(0.09, 0.03), cells=cells))


def test_cells_of_different_budgets_name_none() -> None:
    number = cell("strong", None, {"strong": 1.0}, 0.51, 2.6)
    assert "buy from" not in headline(study(paired(0.09, 0.03, right="strong@number"), cells=(WEAK, number)))


def test_a_policy_that_observes_is_compared_with_both_and_counted_once() -> None:
    both = cell("both", "low", {"weak": 2.0, "strong": 0.5}, 0.66, 2.6)
    pairs = paired(0.09, 0.03), paired(0.04, 0.02, "weak@low", "both@low"), paired(0.13, 0.03, "both@low", "strong@low")
    found = replace(study(*pairs, cells=(WEAK, STRONG, both)), spendings=(spending(),))
    assert not [each for each in support(found) if "both@low" in each]
    (sentence,) = observed(found, (WEAK, STRONG))
    assert sentence.startswith(
        "both@low (adaptive) covers 66.0% [62.0, 70.0] of 400: −4.0 [−6.0, −2.0] points against weak@low, "
        "+13.0 [+10.0, +16.0] points against strong@low. Uniform from weak would have cost 1.24"
    )


def kept(value: float, half: float) -> CellComparison:
    difference = Estimate(value=value, low=value - half, high=value + half, n=400)
    return CellComparison(left="weak@low", right="strong@low", measure="kept_per_problem", difference=difference)


def test_where_coverage_is_open_the_data_with_more_solutions_are_named() -> None:
    open_coverage = paired(0.01, 0.04)
    told = headline(study(open_coverage, kept(0.96, 0.12)))
    assert "; data from weak has more solutions per problem to train on than data from strong, +0.96 [+0.84, +1.08]" in told
    told = headline(study(open_coverage, kept(-0.96, 0.12)))
    assert "; data from strong has more solutions per problem to train on than data from weak, +0.96 [+0.84, +1.08]" in told
    assert "more solutions" not in headline(study(open_coverage, kept(0.05, 0.12)))
    assert "more solutions" not in headline(study(paired(0.09, 0.04), kept(0.96, 0.12)))  # coverage decides


@pytest.mark.parametrize(
    ("objective", "gain", "sentence"),
    [
        (
            "coverage",
            paired(0.1, 0.04, "both@low", "weak@low"),
            "both@low (adaptive) covers more problems than weak@low: +10.0 points [+6.0, +14.0].",
        ),
        (
            "coverage",
            paired(0.1, 0.04, "weak@low", "both@low"),
            "both@low (adaptive) covers fewer problems than weak@low: −10.0 points [−14.0, −6.0].",
        ),
        (
            "coverage",
            paired(0.01, 0.04, "both@low", "weak@low"),
            "No difference found in problems covered between both@low (adaptive) and weak@low: +1.0 points [−3.0, +5.0].",
        ),
        (
            "kept",
            replace(paired(0.5, 0.2, "both@low", "weak@low"), measure="kept_per_problem"),
            "both@low (adaptive) keeps more solutions per problem than weak@low: +0.50 [+0.30, +0.70].",
        ),
        ("kept", paired(0.5, 0.2, "both@low", "weak@low"), ""),  # not measured
        ("coverage", paired(0.1, 0.04, "both@low", "strong@low"), ""),  # strong is not the better of the two
    ],
)
def test_the_verdict_says_what_a_policy_gains_over_the_better_of_the_two(objective: str, gain: CellComparison, sentence: str) -> None:
    both = cell("both", "low", {}, 0.7, 3.6)
    found = replace(study(paired(0.2, 0.05), gain, cells=(WEAK, STRONG, both)), spendings=(spending(objective=objective),))
    said = verdict(found)
    assert said[0].startswith("At ")
    assert [each for each in said if "both@low" in each] == ([sentence] if sentence else [])
    elsewhere = replace(both, plan=replace(both.plan, cell=replace(both.plan.cell, budget="high")))
    far = replace(found, cells=(WEAK, STRONG, elsewhere), spendings=(spending(objective=objective, cell="both@high"),))
    assert not [each for each in verdict(far) if "both@" in each]
