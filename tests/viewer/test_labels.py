"""Whose word stands, where labellers agree, and the rate so far."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.auditing.labels import compare_labellers, current_labels, kept_labels, rate_so_far, verdicts
from isocost.metrics.intervals import proportion
from isocost.records import Chosen, Label, LabelVerdict

VERDICTS: tuple[LabelVerdict, ...] = ("sound", "unsound", "unsure", "skip", "undo")


def label(labeller: str, sample_id: str, verdict: LabelVerdict) -> Label:
    return Label(at="2026-01-01T00:00:00.000+00:00", labeller=labeller, sample_id=sample_id, verdict=verdict)


def log(*said: tuple[str, str, LabelVerdict]) -> list[Label]:
    return [label(*one) for one in said]


def chosen(n: int, *, model: str = "m", stratum: str = "", weight: float = 1.0) -> list[Chosen]:
    return [
        Chosen(sample_id=f"{model}{stratum}-{i}", model=model, problem_id=f"p{i}", sample_index=0, stratum=stratum, weight=weight, place=i)
        for i in range(n)
    ]


def stands(labels: Sequence[Label]) -> dict[tuple[str, str], LabelVerdict]:
    return {key: label.verdict for key, label in current_labels(labels).items()}


def test_the_last_word_of_each_labeller_stands() -> None:
    said = log(("ann", "s", "sound"), ("bo", "s", "unsure"), ("ann", "s", "unsound"))
    assert stands(said) == {("ann", "s"): "unsound", ("bo", "s"): "unsure"}


def test_undo_takes_the_last_word_back_and_the_one_before_stands_again() -> None:
    said = log(("ann", "s", "sound"), ("ann", "s", "unsound"), ("ann", "s", "undo"))
    assert stands(said) == {("ann", "s"): "sound"}
    assert stands([*said, label("ann", "s", "undo")]) == {}
    assert stands([*said, label("ann", "s", "undo"), label("ann", "s", "undo")]) == {}


def test_undo_is_ones_own_only() -> None:
    assert stands(log(("ann", "s", "sound"), ("bo", "s", "undo"))) == {("ann", "s"): "sound"}


def test_a_skip_is_no_verdict_and_takes_none_back() -> None:
    assert stands(log(("ann", "s", "skip"))) == {}
    assert stands(log(("ann", "s", "sound"), ("ann", "s", "skip"))) == {("ann", "s"): "sound"}
    assert stands(log(("ann", "s", "sound"), ("ann", "s", "skip"), ("ann", "s", "undo"))) == {("ann", "s"): "sound"}


@given(st.lists(st.tuples(st.sampled_from(("ann", "bo")), st.sampled_from("st"), st.sampled_from(VERDICTS)), max_size=30))
def test_what_stands_is_what_a_stack_a_labeller_and_solution_holds(said: list[tuple[str, str, LabelVerdict]]) -> None:
    stacks: dict[tuple[str, str], list[LabelVerdict]] = {}
    for labeller, sample_id, verdict in said:
        stack = stacks.setdefault((labeller, sample_id), [])
        if verdict != "undo":
            stack.append(verdict)
        elif stack:
            stack.pop()
    expected = {key: [v for v in stack if v != "skip"][-1] for key, stack in stacks.items() if set(stack) - {"skip"}}
    assert stands(log(*said)) == expected
    assert len(kept_labels(log(*said), "ann")) == sum(len(stack) for (labeller, _), stack in stacks.items() if labeller == "ann")


def test_a_disagreement_is_no_verdict_until_it_is_settled() -> None:
    said = log(("ann", "s", "sound"), ("bo", "s", "unsound"), ("ann", "t", "unsound"), ("bo", "t", "unsure"), ("ann", "v", "unsure"))
    found = verdicts(said)
    assert (found.sound, found.disagreed, found.unsure) == ({"t": False}, {"s"}, {"v"})
    assert verdicts([*said, label("bo", "s", "sound")]).sound == {"s": True, "t": False}


def test_labellers_are_compared_on_what_both_are_sure_of() -> None:
    said = log(
        *(("ann", f"s{i}", "sound") for i in range(8)),
        *(("bo", f"s{i}", "unsound" if i == 2 else "unsure" if i == 3 else "sound") for i in range(6)),
        ("cy", "other", "sound"),
    )
    (pair,) = compare_labellers(said)
    assert (pair.left, pair.right, pair.differing, pair.unsure) == ("ann", "bo", ("s2",), 1)
    assert (pair.agreement.raw.value, pair.agreement.raw.n) == (4 / 5, 5)
    assert pair.counts == {("sound", "sound"): 4, ("sound", "unsound"): 1}


def test_with_equal_weights_the_rate_is_the_plain_one_over_who_is_sure() -> None:
    said: dict[str, LabelVerdict] = {f"m-{i}": "unsound" if i < 2 else "sound" for i in range(37)}
    assert rate_so_far(said | {"m-37": "unsure"}, chosen(200)) == proportion(2, 37)


def test_without_a_sure_label_there_is_no_rate() -> None:
    found = rate_so_far({"m-0": "unsure"}, chosen(5))
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)


def test_strata_are_weighted_back_to_the_problems_they_stand_for() -> None:
    light, heavy = chosen(20, stratum="1", weight=1.0), chosen(20, stratum="2", weight=9.0)
    said: dict[str, LabelVerdict] = {c.sample_id: "sound" for c in light} | {c.sample_id: "unsound" for c in heavy}
    found = rate_so_far(said, [*light, *heavy])
    assert found.value == pytest.approx(0.9)
    assert found.n == 40


def test_strata_that_nobody_has_labelled_are_stood_for_by_others() -> None:
    light, heavy = chosen(20, stratum="1", weight=1.0), chosen(20, stratum="2", weight=9.0)
    said: dict[str, LabelVerdict] = {c.sample_id: "sound" for c in light}
    assert rate_so_far(said, [*light, *heavy]).n == 20
    assert rate_so_far({c.sample_id: "unsound" for c in heavy}, [*light, *heavy]).value == 1
