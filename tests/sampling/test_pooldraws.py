"""Stored draws that are read part by part, against reading them row by row."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.dispatch.draws import Draw
from isocost.executors.storing import SampleIds
from isocost.records import Outcome, Verdict
from isocost.sampling.pooldraws import PoolDraws, StoredTwiceError

PROBLEMS = ["p", "q", "r"]  # of the study; "s" has left it
Row = dict[str, Any]
RIGHT, WRONG = (Verdict(outcome=outcome, predicted_answer="1", reason="equal") for outcome in (Outcome.CORRECT, Outcome.INCORRECT))


def ids_of(problem_id: str, asked: str = "now") -> SampleIds:
    return SampleIds("pool", problem_id, asked)


def row(problem_id: str, index: int, asked: str = "now", batch: str = "b", **changes: Any) -> Row:
    made: Row = {
        "id": ids_of(problem_id, asked).at(index),
        "problem_id": problem_id,
        "sample_index": index,
        "num_prompt_tokens": 7,
        "num_generated_tokens": 10 + index,
        "finish_reason": "stop",
        "cost_flops": 2.5 * index,
        "cost_usd": None,
        "cost_seconds": 0.5,
        "batch": batch,
    }
    return made | changes


def in_parts(rows: Sequence[Row], size: int) -> list[pl.DataFrame]:
    return [pl.DataFrame(rows[at : at + size], infer_schema_length=None) for at in range(0, len(rows), size)]


def draw_of(row: Row) -> Draw:
    return Draw(row["num_prompt_tokens"], row["num_generated_tokens"], row["finish_reason"], row["cost_flops"], row["cost_usd"])


rows_of_pools = st.lists(
    st.tuples(
        st.sampled_from("pqrs"),
        st.integers(0, 6),
        st.sampled_from(["now", "before"]),
        st.sampled_from(["stop", "length", "error"]),
        st.sampled_from([None, 0, 1.5]),
        st.sampled_from([None, 0.25]),
    ),
    max_size=25,
    unique_by=lambda each: each[:3],
)


@given(rows_of_pools, st.integers(1, 9), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_parts_are_read_as_rows_are(drawn: list[tuple[Any, ...]], size: int, lots: random.Random) -> None:
    rows = [
        row(problem, index, asked, finish_reason=reason, cost_flops=flops, cost_usd=usd)
        for problem, index, asked, reason, flops, usd in drawn
    ]
    draws = PoolDraws(PROBLEMS, ids_of)
    places = draws.read(iter(in_parts(rows, size)))
    own = [each for each in rows if each["problem_id"] != "s" and each["id"] == ids_of(each["problem_id"]).at(each["sample_index"])]
    # Problems come in the order in which they were stored, and the draws of each by index.
    order = list(dict.fromkeys(each["problem_id"] for each in own))
    expected = sorted(own, key=lambda each: (order.index(each["problem_id"]), each["sample_index"]))
    assert list(draws.all()) == [((each["problem_id"], each["sample_index"]), draw_of(each)) for each in expected]
    assert draws.count() == len(own)
    assert draws.stale == Counter(each["problem_id"] for each in rows if each not in own)
    for reason in ("stop", "length", "error"):
        assert [key for key, _ in draws.ended(reason)] == [key for key, draw in draws.all() if draw.finish_reason == reason]
    for unit, name in (("flops", "cost_flops"), ("usd", "cost_usd")):
        assert draws.knows_costs(unit) == all(each[name] is not None for each in own)  # type: ignore[arg-type]
    for problem in "pqrs":
        here = [each for each in expected if each["problem_id"] == problem and 1 <= each["sample_index"] < 5]
        amounts = [[math.nan if each[name] is None else each[name] for each in here] for name in ("cost_flops", "cost_usd")]
        np.testing.assert_array_equal(draws.of(problem).costs(1, 5), amounts)
        kept = {each["sample_index"] for each in expected if each["problem_id"] == problem}
        for first, end in ((0, 3), (2, 9), (5, 2)):
            assert min(end, draws.of(problem).first_missing(first, end)) == next((i for i in range(first, end) if i not in kept), end)
    assert [key for key, _ in draws.all(lambda problem: 2)] == [key for key, _ in draws.all() if key[1] < 2]

    judged = [(each["id"], lots.choice(["1", "2"]), lots.choice([RIGHT, WRONG])) for each in [*rows, *rows] if lots.random() < 0.8]
    judged.append(("no sample id", "1", RIGHT))
    answers = pl.Series(["1"] * len(PROBLEMS))
    last: dict[str, Verdict] = {}
    for at in range(0, len(judged), size):
        ids, references, verdicts = zip(*judged[at : at + size], strict=True)
        draws.judge(places, frame_of(ids, references), verdicts, answers)
        last.update((sample_id, verdict) for sample_id, reference, verdict in judged[at : at + size] if reference == "1")
    assert [draw.verdict for _, draw in draws.all()] == [last.get(each["id"]) for each in expected]
    lots.shuffle(own)
    assert [verdict for part in in_parts(own, size) for verdict in draws.verdicts_at(part)] == [last.get(each["id"]) for each in own]
    assert list(draws.verdicts()) == [last[each["id"]] for each in expected if each["id"] in last]


def frame_of(ids: Sequence[str], references: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"sample_id": ids, "reference": references}, schema={"sample_id": pl.String, "reference": pl.String})


@pytest.mark.parametrize(
    ("stored", "judged", "holds"),
    [(1, 1, True), (1, 2, False), (None, 2, True), (1, None, False), (None, None, True), (2**32 - 1, 2**32 - 1, True)],
)
def test_a_verdict_on_another_text_does_not_hold_and_draws_of_earlier_versions_have_no_hash(
    stored: int | None, judged: int | None, holds: bool
) -> None:
    draws = PoolDraws(PROBLEMS, ids_of)
    own = row("p", 0)
    places = draws.read(iter(in_parts([{**own, **({} if stored is None else {"text_hash": stored})}], 1)))
    frame = frame_of([own["id"]], ["1"])
    if judged is not None:
        frame = frame.with_columns(text_hash=judged)
    draws.judge(places, frame, [RIGHT], pl.Series(["1"] * len(PROBLEMS)))
    assert list(draws.verdicts()) == ([RIGHT] if holds else [])


@pytest.mark.parametrize("size", [1, 2, 9])
def test_a_draw_that_is_stored_twice_is_named_with_its_second_batch(size: int) -> None:
    rows = [row("p", 0), row("q", 1), row("q", 0), row("s", 0), row("s", 0), row("q", 1, batch="second"), row("q", 0, batch="third")]
    draws = PoolDraws(PROBLEMS, ids_of)
    with pytest.raises(StoredTwiceError) as error:
        draws.read(iter(in_parts(rows, size)))
    assert error.value.args == ("q", 1, "second")


def test_nothing_stored_is_nothing_read() -> None:
    draws = PoolDraws(PROBLEMS, ids_of)
    places = draws.read(iter([]))
    draws.judge(places, frame_of(["0" * 16], ["1"]), [RIGHT], pl.Series(["1"] * 3))
    assert list(draws.all()) == list(draws.verdicts()) == draws.of("p").costs(0, 3)[0].tolist() == []
    assert draws.knows_costs("usd")
