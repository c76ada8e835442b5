"""Rows of a pool as a worker commits them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.base import Generation, Request
from isocost.executors.jobs import Storing
from isocost.executors.storing import FAILED_GENERATION, SampleIds, rows_of
from isocost.ids import digest
from isocost.store import BatchLog
from tests.executors.engines import CARD, generation

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@given(anything, anything, anything, st.integers(0, 10**12))
def test_ids_are_digests_of_pool_problem_request_and_index(pool: str, problem: str, asked: str, index: int) -> None:
    ids = SampleIds(pool, problem, asked)
    assert ids.at(index) == digest("sample", pool, problem, asked, index)
    assert ids.at(index + 1) == digest("sample", pool, problem, asked, index + 1)
    assert ids.at(index) == digest("sample", pool, problem, asked, index)


@pytest.mark.parametrize("odd", ["", '"', "\\", "\n\r\t\0", "é", "\u2028", "\ud800", "😀", "]", ",0]", "\x7f"])
def test_ids_of_odd_names(odd: str) -> None:
    assert SampleIds(odd, odd, odd).at(7) == digest("sample", odd, odd, odd, 7)


def storing(requests: int) -> Storing:
    return Storing(stem=Path("pool"), pool="pool", asked=tuple(f"asked{i}" for i in range(requests)), card=CARD)


def test_rows_are_numbered_from_the_first_index_and_share_the_time() -> None:
    requests = [Request(problem_id=p, prompt="?", first_index=first, count=2) for p, first in (("p", 0), ("q", 5))]
    answers = [[generation("a"), generation("b")], [generation("c")]]
    rows, stored = rows_of(requests, 9, storing(2), answers, 6.0)
    assert [(row["problem_id"], row["sample_index"], row["generation"]) for row in rows] == [("p", 0, "a"), ("p", 1, "b"), ("q", 5, "c")]
    assert [row["id"] for row in rows] == [digest("sample", "pool", "p", "asked0", 0), digest("sample", "pool", "p", "asked0", 1),
                                           digest("sample", "pool", "q", "asked1", 5)]  # fmt: skip
    assert {row["cost_seconds"] for row in rows} == {2.0}
    assert {row["seed"] for row in rows} == {9}
    assert [[draw.generation for draw in draws] for draws in stored] == [["a", "b"], ["c"]]
    assert [draw.id for draws in stored for draw in draws] == [row["id"] for row in rows]
    assert [(draw.flops, draw.usd) for draws in stored for draw in draws] == [(row["cost_flops"], row["cost_usd"]) for row in rows]
    json.dumps(rows)


def test_a_draws_own_seed_and_its_cached_tokens_are_kept() -> None:
    given_ = Generation(text="", num_prompt_tokens=8, num_generated_tokens=1, finish_reason="length", num_cached_tokens=6, seed=77)
    ((row,), _) = rows_of([Request(problem_id="p", prompt="?", first_index=0, count=1)], 9, storing(1), [[given_]], 0.0)
    assert (row["seed"], row["num_cached_tokens"], row["finish_reason"]) == (77, 6, "length")


def test_nothing_came_back() -> None:
    assert rows_of([Request(problem_id="p", prompt="?", first_index=0, count=1)], 9, storing(1), [[]], 1.0) == ([], [[]])


def test_a_failed_draw_costs_nothing() -> None:
    request = Request(problem_id="p", prompt="?", first_index=0, count=1)
    ((row,), _) = rows_of([request], 9, storing(1), [[FAILED_GENERATION]], 0.0)
    assert (row["finish_reason"], row["cost_flops"], row["num_prompt_tokens"]) == ("error", 0.0, 0)


def test_what_a_model_may_write_survives_the_log_and_the_parts(tmp_path: Path) -> None:
    texts = ["", "\0", "\u2028\u2029\x85", 'ü "q" \\ {"batch": "x"}', "😀" * 3, "\n", "\r\n"]
    request = Request(problem_id="p", prompt="?", first_index=0, count=len(texts))
    rows, _ = rows_of([request], 9, storing(1), [[generation(text) for text in texts]], 0.0)
    log = BatchLog(tmp_path / "pool")
    log.append("a", rows)
    assert [row["generation"] for row in log.rows()] == texts
    log.seal()
    assert [row["generation"] for row in log.rows()] == texts


def test_half_a_character_is_replaced_before_it_is_committed(tmp_path: Path) -> None:
    """A log would take it, and no part: the run would never end."""
    request = Request(problem_id="p", prompt="?", first_index=0, count=1)
    rows, stored = rows_of([request], 9, storing(1), [[generation("half \ud800 ü")]], 0.0)
    assert rows[0]["generation"] == stored[0][0].generation == "half ? ü"
    log = BatchLog(tmp_path / "pool")
    log.append("a", rows)
    log.seal()
    assert [row["generation"] for row in log.rows()] == ["half ? ü"]
