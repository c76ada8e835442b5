import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from isocost.auditing import audited, false_positive_rate, to_audit
from isocost.auditing.lots import lot
from isocost.auditing.steps import one_a_problem
from isocost.records import Outcome
from tests.auditing.samples import Draw, draw, frame, study

DRAWN = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("pqrs"), st.sampled_from(list(Outcome))), max_size=30)


def names(chosen: pl.DataFrame) -> list[tuple[str, str]]:
    return list(chosen.select("model", "problem_id").iter_rows())


def by_hand(draws: list[Draw], per_model: int | None, seed: int) -> list[str]:
    """Sample ids, one draw after the other."""
    best: dict[tuple[str, str], str] = {}
    for each in draws:
        key, sample_id = (str(each["model"]), str(each["problem_id"])), str(each["sample_id"])
        if each["outcome"] == "correct" and (key not in best or lot(seed, sample_id) < lot(seed, best[key])):
            best[key] = sample_id
    order = sorted(best, key=lambda key: (key[0], lot(seed, *key)))
    return [best[key] for model in "ab" for key in [key for key in order if key[0] == model][:per_model]]


@given(DRAWN, st.sampled_from([None, 1, 2]), st.integers(0, 3))
def test_the_choice_is_that_of_looking_at_every_draw(drawn: list[tuple[str, str, Outcome]], per_model: int | None, seed: int) -> None:
    draws = [draw(model, problem, i, outcome) for i, (model, problem, outcome) in enumerate(drawn)]
    assert to_audit(frame(draws, seed), per_model=per_model, seed=seed)["sample_id"].to_list() == by_hand(draws, per_model, seed)


def test_one_solution_a_problem_and_model_up_to_the_number_asked_for() -> None:
    draws = frame(study())
    found = names(to_audit(draws, per_model=7, seed=0))
    assert len(found) == len(set(found)) == 14
    assert [model for model, _ in found] == ["m0"] * 7 + ["m1"] * 7
    assert to_audit(draws, per_model=None, seed=0).height == 40


def test_the_choice_is_the_seed_s_and_not_the_order_s() -> None:
    draws = study()
    mixed = random.Random(0).sample(draws, len(draws))
    found = to_audit(frame(draws), per_model=7, seed=0)["sample_id"].to_list()
    assert to_audit(frame(mixed), per_model=7, seed=0)["sample_id"].to_list() == found
    assert to_audit(frame(draws, 1), per_model=7, seed=1)["sample_id"].to_list() != found


def test_problems_with_many_correct_solutions_are_not_favoured() -> None:
    draws = [draw("m", f"p{p}", i) for p in range(40) for i in range(20 if p < 20 else 1)]
    drawn = [name for seed in range(60) for _, name in names(to_audit(frame(draws, seed), per_model=10, seed=seed))]
    many = sum(int(name[1:]) < 20 for name in drawn)
    assert 240 <= many <= 360  # 300 expected of 600, standard deviation about 11


def test_only_answer_correct_solutions_are_audited() -> None:
    draws = [draw("m", "p0", 0), draw("m", "p1", 0, Outcome.INCORRECT), draw("m", "p2", 0, Outcome.UNGRADED)]
    assert names(one_a_problem(frame(draws))) == [("m", "p0")]


def test_a_solution_is_judged_by_its_equations() -> None:
    found = audited(["2 + 2 = 4", "2 + 2 = 5, so 4", "four"])
    assert found.rows() == [(True, None), (False, "2 + 2 = 5"), (None, None)]
    assert audited([]).schema == found.schema


def test_the_rate_is_over_what_could_be_checked() -> None:
    found = false_positive_rate([True] * 19 + [False] + [None] * 5)
    assert (found.value, found.n, found.n_ungraded) == (0.05, 20, 5)
    assert found.low is not None
    assert found.high is not None
    assert 0.002 < found.low < 0.01
    assert 0.2 < found.high < 0.25


def test_nothing_checked_has_no_rate() -> None:
    found = false_positive_rate([None])
    assert (found.value, found.n, found.n_ungraded) == (None, 0, 1)
