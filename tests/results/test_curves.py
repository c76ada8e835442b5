from isocost.config import Arm
from isocost.results.curves import _name_mixture, wanted_mixtures

WEAK, STRONG, BOTH = Arm(models=("weak",)), Arm(models=("strong",)), Arm(models=("strong", "weak"))
OWN = Arm(models=("weak", "strong"), policy="own.policies:build")
THREE = Arm(models=("weak", "strong", "far"))


def equal(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 1 / len(names))


def test_two_models_with_a_curve_are_mixed_and_three_are_not() -> None:
    assert wanted_mixtures({"weak": WEAK, "strong": STRONG}, ["weak", "strong"]) == [equal("weak", "strong")]
    assert wanted_mixtures({"weak": WEAK, "strong": STRONG}, ["weak", "strong", "far"]) == []
    assert wanted_mixtures({"weak": WEAK}, ["weak"]) == []


def test_of_three_models_those_that_students_are_trained_on_are_mixed() -> None:
    arms = {"far": Arm(models=("far",)), "weak": WEAK, "strong": STRONG, "equal": WEAK}
    assert wanted_mixtures(arms, ["far", "weak", "strong"], ["equal", "strong"]) == [equal("weak", "strong")]
    assert wanted_mixtures(arms, ["far", "weak", "strong"], ["far", "weak", "strong"]) == []
    assert wanted_mixtures(arms, ["far", "weak", "strong"], ["weak", "gone"]) == []
    assert wanted_mixtures(arms, ["weak", "strong"], ["weak"]) == [equal("weak", "strong")]


def test_an_arm_of_several_models_gets_its_mixture_once() -> None:
    assert wanted_mixtures({"both": BOTH, "again": BOTH}, ["weak", "strong"]) == [equal("strong", "weak")]
    assert wanted_mixtures({"three": THREE, "both": BOTH}, ["weak", "strong", "far"]) == [
        equal("weak", "strong", "far"),
        equal("strong", "weak"),
    ]


def test_a_policy_that_may_look_at_outcomes_or_a_model_without_a_curve_makes_no_mixture() -> None:
    assert wanted_mixtures({"own": OWN}, ["weak", "strong", "far"]) == []
    assert wanted_mixtures({"three": THREE}, ["weak", "strong"]) == [equal("weak", "strong")]
    assert wanted_mixtures({"three": THREE}, ["weak", "far", "other"]) == []


def test_an_arm_with_shares_is_mixed_by_them_beside_equal_money() -> None:
    arm = Arm(policy="mixed", models=("weak", "strong"), shares={"weak": 1, "strong": 3})
    assert wanted_mixtures({"mix": arm}, ["weak", "strong"]) == [{"weak": 0.25, "strong": 0.75}, equal("weak", "strong")]
    assert [_name_mixture(shares) for shares in ({"weak": 0.25, "strong": 0.75}, equal("weak", "strong"))] == [
        "weak 25% + strong 75% of the money",
        "weak + strong, half the money each",
    ]
