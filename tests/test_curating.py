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

from isocost.curating import Curated, candidates, card, curate, seeded_ranks, solutions, to_rows
from isocost.errors import InputError
from isocost.metrics.diversity import distinct_key
from isocost.records import Cell, FinishReason, Outcome, SamplingParams

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


def run(draws: Sequence[Draw], *, distinct: Any = "string", per_problem: int | None = None, seed: int = 0) -> Curated:
    frame = pl.DataFrame([[each[name] for name in _COLUMNS] for each in draws], schema=_COLUMNS, orient="row")
    is_fit = pl.Series(candidates(frame))
    fit = [each for each, is_one in zip(draws, is_fit, strict=True) if is_one]
    found = frame.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32)).filter(is_fit)
    found = found.with_columns(rank=pl.Series(seeded_ranks(seed, [each["sample_id"] for each in fit]), dtype=pl.Int64))
    if distinct is not None:
        same = solutions(found["problem_id"], [each["text"] for each in fit], distinct, distinct_key)
        found = found.with_columns(a=pl.Series(same[:, 0]), b=pl.Series(same[:, 1]))
    return curate(frame, found, per_problem=per_problem)


def kept(draws: Sequence[Draw], **settings: Any) -> list[Draw]:
    return [draws[place] for place in run(draws, **settings).kept]


def by_hand(draws: Sequence[Draw], *, distinct: Any, per_problem: int | None, seed: int) -> tuple[list[str], Counter[str]]:
    """Sample ids of what stays, and why the others go, one draw after the other."""
    stays: list[Draw] = []
    lost: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
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


def test_rows_are_what_trl_reads_in_canonical_order() -> None:
    stays = kept([draw(1, problem="b"), draw(0, problem="b"), draw(0, problem="a", model="strong")])
    frame = pl.DataFrame({name: [each[name] for each in stays] for name in ("problem_id", "model", "sample_id")})
    texts = pl.Series([each["text"] for each in stays])
    rows = to_rows(frame, texts, {"a": "One?", "b": "Two?"}, lambda question: f"Q: {question}\nA:\n").to_dicts()
    assert [(r["problem_id"], r["sample_id"]) for r in rows] == [("a", "strong/a/0"), ("b", "weak/b/0"), ("b", "weak/b/1")]
    expected = {"problem_id": "a", "prompt": "Q: One?\nA:\n", "completion": "solution 0", "model": "strong", "sample_id": "strong/a/0"}
    assert rows[0] == expected
    assert list(rows[0]) == list(expected)
    with pytest.raises(InputError, match=r"1 problems .* 'b'"):
        to_rows(frame, texts, {"a": "One?"}, str)


@pytest.mark.parametrize(
    ("form", "completions"),
    [(None, ["4", "5"]), ("<think>{reasoning}</think>", ["<think>two and {two}</think>4", "5"])],
)
def test_reasoning_stands_beside_a_solution_and_in_the_study_s_form_before_it(form: str | None, completions: list[str]) -> None:
    frame = pl.DataFrame({"problem_id": ["a", "b"], "model": ["weak", "weak"], "sample_id": ["1", "2"]})
    reasoning = pl.Series(["two and {two}", None], dtype=pl.String)
    rows = to_rows(frame, pl.Series(["4", "5"]), {"a": "?", "b": "?"}, str, reasoning=reasoning, form=form)
    assert rows["completion"].to_list() == completions
    assert rows["reasoning"].to_list() == ["two and {two}", None]


def test_the_card_says_what_the_set_is() -> None:
    curated = run([draw(0), draw(1), draw(2, "solution 1"), draw(0, model="strong")])
    text = card(
        curated,
        Cell(arm="both", budget="low"),
        study="gsm8k-qwen",
        problems="gsm8k, train",
        sampling={"weak": SamplingParams(stop=("\n\n",)), "strong": SamplingParams(temperature=1.0)},
        distinct="string",
        per_problem=None,
        seed=7,
    )
    assert text.startswith("# gsm8k-qwen: both@low\n\n2 sampled solutions of 1 problems (gsm8k, train)")
    assert "| model | solutions | temperature | top p | top k | max tokens | stop |" in text
    assert "| strong | " in text
    assert "| 512 | `'\\n\\n'` |" in text
    assert "| duplicate | 2 | the same solution of the same problem is already in |" in text
    assert "seed 7: duplicates by `string` removed, no limit a problem" in text
