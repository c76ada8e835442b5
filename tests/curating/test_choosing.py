from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.curating import Curated, Rules, candidates, curate, seeded_ranks, solutions, ways
from isocost.metrics.diversity import distinct_key
from isocost.records import FUNNEL, FinishReason, Outcome

Draw = dict[str, Any]
_COLUMNS = {"model": pl.String, "problem_id": pl.String, "sample_index": pl.Int64, "finish_reason": pl.String, "outcome": pl.String}


def draw(
    index: int,
    text: str = "",
    *,
    problem: str = "p",
    model: str = "weak",
    finish: FinishReason = "stop",
    outcome: Outcome | None = Outcome.CORRECT,
) -> Draw:
    return {
        "model": model,
        "problem_id": problem,
        "sample_index": index,
        "finish_reason": finish,
        "outcome": outcome,
        "sample_id": f"{model}/{problem}/{index}",
        "text": text or f"solution {index}",
    }


def run(
    draws: Sequence[Draw],
    *,
    distinct: Any = "string",
    per_problem: int | None = None,
    seed: int = 0,
    sound: Any = (),
    labelled: Any = (),
    **rules: Any,
) -> Curated:
    """Curate by these rules; `sound` has the audit's verdict on each draw, `labelled` that of people."""
    made = Rules(per_problem=per_problem, sound_only=bool(sound), labelled=bool(labelled), **rules)
    frame = pl.DataFrame([[each[name] for name in _COLUMNS] for each in draws], schema=_COLUMNS, orient="row")
    is_fit = pl.Series(candidates(frame, correct_only=made.correct_only))
    fit = [each for each, is_one in zip(draws, is_fit, strict=True) if is_one]
    found = frame.with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"),
        *(pl.Series(name, said or [None] * len(draws), dtype=pl.Boolean) for name, said in (("sound", sound), ("labelled", labelled))),
    ).filter(is_fit)
    found = found.with_columns(rank=pl.Series(seeded_ranks(seed, [each["sample_id"] for each in fit]), dtype=pl.Int64))
    texts = [each["text"] for each in fit]
    found = found.with_columns(way=pl.Series(ways(found["problem_id"], texts, distinct_key), dtype=pl.UInt64))
    if distinct is not None:
        same = solutions(found["problem_id"], texts, distinct, distinct_key)
        found = found.with_columns(a=pl.Series(same[:, 0]), b=pl.Series(same[:, 1]))
    return curate(frame, found, made)


def kept(draws: Sequence[Draw], **settings: Any) -> list[Draw]:
    return [draws[place] for place in run(draws, **settings).kept]


def by_hand(draws: Sequence[Draw], *, distinct: Any, per_problem: int | None, seed: int) -> tuple[list[str], Counter[str]]:
    """Sample ids of what stays, and why the others go, one draw after the other."""
    fit: list[Draw] = []
    lost: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    turns: Counter[tuple[str, str]] = Counter()
    turn_of: dict[str, int] = {}
    for each in sorted(draws, key=lambda d: hashlib.sha256(f"{seed}/{d['sample_id']}".encode()).digest()):
        if each["finish_reason"] == "error":
            lost["error"] += 1
        elif each["outcome"] != "correct":
            lost[each["outcome"] or "ungraded"] += 1
        elif each["finish_reason"] == "length":
            lost["cut_off"] += 1
        elif distinct and (solution := (each["problem_id"], distinct_key(each["text"], distinct))) in seen:
            lost["duplicate"] += 1
        else:
            seen |= {solution} if distinct else set()
            way = each["problem_id"], distinct_key(each["text"], "equations")
            turns[way] += 1
            turn_of[each["sample_id"]] = turns[way]
            fit.append(each)
    # Stable, so that solutions of one turn stay in their seeded order.
    fit.sort(key=lambda d: turn_of[d["sample_id"]])
    stays: list[Draw] = []
    for each in fit:
        if per_problem == sum(d["problem_id"] == each["problem_id"] for d in stays):
            lost["over_cap"] += 1
        else:
            stays.append(each)
    stays.sort(key=lambda d: (d["problem_id"], d["model"], d["sample_index"]))
    return [d["sample_id"] for d in stays], lost


def test_every_draw_counts_for_the_first_reason_that_applies() -> None:
    draws = [
        draw(0, "same"),
        draw(1, "same"),
        draw(2, outcome=Outcome.INCORRECT),
        draw(3, finish="length"),
        draw(4, finish="length", outcome=Outcome.NO_ANSWER),
        draw(5, outcome=Outcome.UNGRADED),
        draw(6, outcome=None),
        draw(7),
        draw(8, finish="error"),
        draw(9),
    ]
    assert run(draws, per_problem=2).funnel == (
        ("drawn", 10),
        ("error", 1),
        ("ungraded", 2),
        ("no_answer", 1),
        ("incorrect", 1),
        ("cut_off", 1),
        ("duplicate", 1),
        ("over_cap", 1),
        ("kept", 2),
    )


drawn = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["weak", "strong"]),
        st.sampled_from(["1 + 1 = 2", "1 + 1  = 2", "so 1 + 1 = 2", "2"]),
        st.sampled_from(["stop", "length", "error"]),
        st.sampled_from([*Outcome, None]),
    ),
    max_size=25,
)


@given(drawn, st.sampled_from(["string", "normalised", "equations", None]), st.sampled_from([None, 1, 2]), st.integers(0, 3))
def test_the_choice_is_that_of_looking_at_every_draw(made: list[Any], distinct: Any, cap: int | None, seed: int) -> None:
    draws = [draw(i, text, problem=p, model=m, finish=f, outcome=o) for i, (p, m, text, f, o) in enumerate(made)]
    settings = {"distinct": distinct, "per_problem": cap, "seed": seed}
    curated, (stays, lost) = run(draws, **settings), by_hand(draws, **settings)
    assert [draws[place]["sample_id"] for place in curated.kept] == stays
    assert dict(curated.funnel) == {**dict.fromkeys(dict(curated.funnel), 0), **lost, "drawn": len(draws), "kept": len(stays)}
    assert curated.by_problem == Counter(sample_id.split("/")[1] for sample_id in stays)
    assert curated.by_model == Counter(sample_id.split("/")[0] for sample_id in stays)
    mixed = random.Random(seed).sample(draws, len(draws))
    again = run(mixed, **settings)
    assert [mixed[place] for place in again.kept] == [draws[place] for place in curated.kept]
    assert again.funnel == curated.funnel


@pytest.mark.parametrize(("distinct", "n_kept"), [(None, 5), ("string", 4), ("normalised", 3), ("equations", 2)])
def test_levels_of_distinctness(distinct: Any, n_kept: int) -> None:
    texts = ["1 + 1 = 2", "1 + 1 = 2", "1 + 1  = 2", "so 1 + 1 = 2", "2 * 1 = 2"]
    assert run([draw(i, text) for i, text in enumerate(texts)], distinct=distinct).kept.size == n_kept


def test_the_same_text_of_two_problems_is_no_duplicate() -> None:
    assert run([draw(0, "2", problem="a"), draw(0, "2", problem="b")]).kept.size == 2


def test_a_smaller_share_is_part_of_a_larger_one_and_follows_the_seed() -> None:
    draws = [draw(i) for i in range(20)]
    small, large = (set(run(draws, per_problem=cap).kept) for cap in (3, 8))
    assert small < large
    assert small != set(run(draws, per_problem=3, seed=1).kept)


def test_duplicates_are_credited_to_models_by_how_often_they_wrote_them() -> None:
    draws = [draw(i, "2", problem=str(p), model=m) for p in range(400) for m, n in (("a", 1), ("b", 3)) for i in range(n)]
    assert 0.18 < run(draws).by_model["a"] / 400 < 0.32


def test_with_a_cap_solutions_with_other_equations_come_first() -> None:
    common = [draw(i, f"1 + 1 = 2 {'so' * i}") for i in range(30)]
    rare = [draw(30, "2 * 1 = 2"), draw(31, "3 - 1 = 2")]
    for seed in range(5):
        own = kept([*common, *rare], per_problem=3, seed=seed)
        assert {each["sample_id"] for each in rare} < {each["sample_id"] for each in own}
    # Then the second ones of each way, not the first ones of no way.
    assert len(kept([*common, *rare], per_problem=4)) == 4


def test_a_cap_favours_no_model_by_its_name() -> None:
    draws = [draw(i, f"{m} {i}", problem=str(p), model=m) for p in range(400) for m in ("a", "b") for i in range(4)]
    assert 0.44 < run(draws, per_problem=1).by_model["a"] / 400 < 0.56


def test_an_unfiltered_set_keeps_solutions_whatever_their_answer() -> None:
    outcomes = [Outcome.CORRECT, Outcome.INCORRECT, Outcome.NO_ANSWER, Outcome.UNGRADED, None]
    draws = [draw(i, outcome=outcome) for i, outcome in enumerate(outcomes)]
    draws += [draw(7, finish="length", outcome=Outcome.INCORRECT), draw(8, finish="error", outcome=None)]
    curated = run(draws, correct_only=False)
    assert curated.kept.tolist() == [0, 1, 2, 3, 4]
    assert {name: count for name, count in curated.funnel if count} == {"drawn": 7, "cut_off": 1, "error": 1, "kept": 5}


def test_solutions_that_an_audit_found_unsound_go_and_those_it_could_not_check_stay() -> None:
    draws = [draw(0), draw(1), draw(2), draw(3, outcome=Outcome.INCORRECT)]
    curated = run(draws, sound=[True, False, None, False])
    assert curated.kept.tolist() == [0, 2]
    assert {name: count for name, count in curated.funnel if count} == {"drawn": 4, "incorrect": 1, "unsound": 1, "kept": 2}


def test_solutions_that_people_labelled_unsound_are_counted_apart_from_those_of_an_audit() -> None:
    draws = [draw(0), draw(1), draw(2), draw(3)]
    alone = run(draws, labelled=[False, True, None, False])
    assert alone.kept.tolist() == [1, 2]
    assert {name: count for name, count in alone.funnel if count} == {"drawn": 4, "labelled_unsound": 2, "kept": 2}


def test_people_overrule_an_audit() -> None:
    draws = [draw(0), draw(1), draw(2), draw(3)]
    both = run(draws, sound=[True, False, False, None], labelled=[False, True, None, None])
    assert both.kept.tolist() == [1, 3]
    assert {name: count for name, count in both.funnel if count} == {"drawn": 4, "labelled_unsound": 1, "unsound": 1, "kept": 2}


def test_problems_may_be_left_out_and_are_counted_once() -> None:
    draws = [draw(0, problem=problem) for problem in "abcd"]
    curated = run(draws, problems={"a", "b"}, contaminated={"b", "c"})
    assert dict(curated.by_problem) == {"a": 1}
    assert {name: count for name, count in curated.funnel if count} == {"drawn": 4, "contaminated": 2, "other_problem": 1, "kept": 1}


def test_every_step_of_a_funnel_has_a_sentence() -> None:
    funnel = run([draw(0)], sound=[True], labelled=[True], problems={"p"}, contaminated={"q"}).funnel
    assert [name for name, _ in funnel] == list(FUNNEL)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in FUNNEL.values())
