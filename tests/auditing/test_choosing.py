"""What is chosen to be audited: one solution a problem, levels in proportion, weights that sum to what was solved, a blind order."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.auditing import choose
from isocost.records import Chosen, Outcome, Problem
from tests.auditing.samples import draw, frame, study

LEVELS = st.lists(st.integers(1, 5), min_size=1, max_size=60)


def problems(levels: list[int | str | None]) -> list[Problem]:
    return [
        Problem(id=f"p{i}", question="?", answer="4", metadata={} if level is None else {"level": level}) for i, level in enumerate(levels)
    ]


def chosen(levels: list[int], per_model: int | None, seed: int = 0, models: int = 1, draws: int = 2) -> list[Chosen]:
    return choose(frame(study(models, len(levels), draws), seed), problems(list(levels)), per_model=per_model, seed=seed)


@given(LEVELS, st.integers(1, 80) | st.none(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_weights_sum_to_the_problems_that_were_solved(levels: list[int], per_model: int | None, seed: int) -> None:
    found = chosen(levels, per_model, seed)
    assert sum(c.weight for c in found) == pytest.approx(len(levels))
    assert len(found) == min(len(levels), per_model or len(levels))
    assert len({c.problem_id for c in found}) == len(found)
    if per_model and per_model >= len(set(levels)):  # every level stands for itself
        weights = Counter[str]()
        for c in found:
            weights[c.stratum] += c.weight  # type: ignore[assignment]
        assert dict(weights) == pytest.approx({str(level): n for level, n in Counter(levels).items()})


@given(LEVELS, st.integers(1, 40), st.integers(0, 20), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_more_per_model_keeps_the_former_in_their_order(levels: list[int], few: int, more: int, seed: int) -> None:
    before, after = chosen(levels, few, seed, models=2), chosen(levels, few + more, seed, models=2)
    order = [c.sample_id for c in sorted(after, key=lambda c: c.place)]
    former = [c.sample_id for c in sorted(before, key=lambda c: c.place)]
    assert [name for name in order if name in set(former)] == former


@given(LEVELS, st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_levels_are_in_proportion_and_none_is_left_out(levels: list[int], per_model: int) -> None:
    found = Counter(c.stratum for c in chosen(levels, per_model))
    sizes = Counter(map(str, levels))
    if per_model >= len(sizes):
        assert set(found) == set(sizes)
    for level, n in found.items():
        assert n <= sizes[level]
        fair = per_model * sizes[level] / len(levels)
        assert n == sizes[level] or (n >= min(1, int(fair)) and abs(n - fair) <= len(sizes))


def test_the_choice_is_the_seed_s_and_not_the_order_s() -> None:
    draws, known = study(2, 20, 5), problems([1 + i % 3 for i in range(20)])
    found = choose(frame(draws), known, per_model=7, seed=0)
    assert choose(frame(draws[::-1]), known[::-1], per_model=7, seed=0) == found
    assert choose(frame(draws, 1), known, per_model=7, seed=1) != found


def test_only_answer_correct_solutions_are_chosen() -> None:
    draws = [draw("m", "p0", 0), draw("m", "p1", 0, Outcome.INCORRECT), draw("m", "p2", 0, Outcome.UNGRADED)]
    found = choose(frame(draws), problems([1, 1, 1]), per_model=None, seed=0)
    assert [(c.model, c.problem_id, c.sample_index, c.weight, c.place) for c in found] == [("m", "p0", 0, 1.0, 0)]


def test_problems_with_many_correct_solutions_are_not_favoured() -> None:
    draws = [draw("m", f"p{p}", i) for p in range(40) for i in range(20 if p < 20 else 1)]
    known = problems([None] * 40)
    drawn = [c.problem_id for seed in range(60) for c in choose(frame(draws, seed), known, per_model=10, seed=seed)]
    assert 240 <= sum(int(name[1:]) < 20 for name in drawn) <= 360  # 300 expected of 600, standard deviation about 11


def test_places_number_all_models_in_an_order_that_says_nothing() -> None:
    """The first n are a random subset: the share of a model and of a level among them is that among all, over seeds."""
    levels = [1] * 30 + [2] * 10
    firsts = []
    for seed in range(200):
        found = sorted(chosen(levels, 20, seed, models=2), key=lambda c: c.place)
        assert [c.place for c in found] == list(range(40))
        firsts += [(c.model, c.stratum) for c in found[:5]]
    assert abs(sum(model == "m0" for model, _ in firsts) - 500) < 60  # standard deviation about 15
    assert abs(sum(level == "2" for _, level in firsts) - 250) < 55


def test_numbers_that_are_no_levels_make_no_strata() -> None:
    found = choose(frame(study(1, 60, 1)), problems(list(range(60))), per_model=10, seed=0)
    assert {c.stratum for c in found} == {""}
    assert {c.weight for c in found} == {6.0}


def test_two_names_of_one_model_have_places_of_their_own() -> None:
    """Two models of a study that are the same weights would share a pool, and so the ids of their samples."""
    twins = [draw("a", f"p{i}", 0) for i in range(10)]
    draws = [*twins, *({**each, "model": "b"} for each in twins)]
    random.Random(0).shuffle(draws)
    found = choose(frame(draws), problems([1] * 10), per_model=None, seed=0)
    assert sorted(c.place for c in found) == list(range(20))
    assert Counter(c.model for c in found) == {"a": 10, "b": 10}
