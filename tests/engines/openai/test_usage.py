"""Usage is compared with what was sent and what came."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines import load_engine
from isocost.engines.openai.usage import MOST_HIDDEN, ONE_TOKEN, TOKENS_PER_MESSAGE, BadUsageError, Bounds, read_usage, refuse_beyond
from isocost.errors import StudyError

BOUNDS = Bounds(choices=1, max_tokens=20, prompt_bytes=100)
TEXT = ["So it is five and not six, says the book."]
GOOD = {"prompt_tokens": 30, "completion_tokens": 10, "total_tokens": 40}


def refused(usage: Any, texts: list[str] = TEXT, bounds: Bounds = BOUNDS) -> BadUsageError:
    with pytest.raises(BadUsageError) as error:
        read_usage(usage, texts, bounds)
    assert error.value.advice
    return error.value


def test_what_can_be_right_is_taken_as_it_is() -> None:
    read = read_usage(GOOD, TEXT, BOUNDS)
    assert (read.prompt, read.generated, read.cached, read.usd, read.remark) == (30, 10, 0, None, "")


@pytest.mark.parametrize(
    "usage", [None, {}, [], "none", 5, {"prompt_tokens": 30}, {"completion_tokens": 10}, {**GOOD, "completion_tokens": None}]
)
def test_usage_that_is_missing(usage: Any) -> None:
    assert "cost is not known" in str(refused(usage))
    assert "extra_body" in refused(usage).advice


@pytest.mark.parametrize("value", [-1, 2.5, "10", "", True, [], {}, math.nan, math.inf, -0.5, 1e300, 10**400])
@pytest.mark.parametrize("key", ["prompt_tokens", "completion_tokens"])
def test_what_is_no_count(key: str, value: Any) -> None:
    assert f"reports {key} " in str(refused({**GOOD, key: value}))


@pytest.mark.parametrize("total", [-1, 20.5, "", "many", True, [], {}, math.nan, 1e300, 10**400])
def test_a_total_that_cannot_be_read_is_left_out_and_told(total: Any) -> None:
    read = read_usage({**GOOD, "total_tokens": total}, TEXT, BOUNDS)
    assert (read.prompt, read.generated) == (30, 10)
    assert "is no count of tokens, and is left out" in read.remark
    assert len(read.remark) <= 100


@pytest.mark.parametrize(("total", "generated"), [("40", 10), ("45", 15), (40.0, 10)])
def test_a_total_may_be_written_as_text(total: Any, generated: int) -> None:
    read = read_usage({**GOOD, "total_tokens": total}, TEXT, BOUNDS)
    assert (read.generated, bool(read.remark)) == (generated, generated > 10)


@pytest.mark.parametrize("choices", [1, 3])
@pytest.mark.parametrize("key", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_no_model_has_so_many(key: str, choices: int) -> None:
    """Up to the longest context an endpoint may charge for what it reports; beyond it the number is no count."""
    bounds = replace(BOUNDS, choices=choices)
    most = 100 + TOKENS_PER_MESSAGE + MOST_HIDDEN if key == "prompt_tokens" else choices * (20 + MOST_HIDDEN)
    most += 30 * (key == "total_tokens")
    usage = {name: count for name, count in GOOD.items() if name != "total_tokens"}
    possible = refused({**usage, key: most}, bounds=bounds)
    assert max(possible.prompt or 0, possible.generated or 0) > MOST_HIDDEN
    beyond = refused({**usage, key: most + 1}, bounds=bounds)
    assert (beyond.prompt, beyond.generated) == (None, None)
    assert "more than any model has" in str(beyond)
    with pytest.raises(BadUsageError, match="more than any model has"):
        refuse_beyond({**usage, key: most + 1}, bounds)


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert read_usage({key: float(value) for key, value in GOOD.items()}, TEXT, BOUNDS).generated == 10


def test_zero_beside_text() -> None:
    assert "0 completion tokens for 41 bytes" in str(refused({"prompt_tokens": 30, "completion_tokens": 0}))
    assert "0 prompt tokens for a prompt of 100 bytes" in str(refused({"prompt_tokens": 0, "completion_tokens": 10}))
    refused({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
    assert read_usage({"prompt_tokens": 0, "completion_tokens": 0}, [""], BOUNDS).generated == 0
    assert read_usage({"prompt_tokens": 30, "completion_tokens": 0}, ["", ""], BOUNDS).prompt == 30


def test_zero_for_an_empty_answer() -> None:
    """A request that failed at the endpoint may be free; an answer that the model ended is not."""
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    with pytest.raises(BadUsageError, match="0 prompt tokens for a prompt of 100 bytes"):
        read_usage(zero, [""], BOUNDS, ended=True)
    assert read_usage(zero, [""], BOUNDS, ended=False).prompt == 0
    assert read_usage({"prompt_tokens": 30, "completion_tokens": 0}, [""], BOUNDS, ended=True).prompt == 30


def test_fewer_of_the_prompt_than_it_needs_are_said() -> None:
    """An endpoint may leave out those that it read from a cache, so the run goes on."""
    prompt = " ".join(f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst")
    bounds = replace(BOUNDS, prompt_bytes=len(prompt), texts=(prompt,))
    enough = -(-len(prompt) // 16)
    assert read_usage({"prompt_tokens": enough, "completion_tokens": 10}, TEXT, bounds).remark == ""
    read = read_usage({"prompt_tokens": enough - 1, "completion_tokens": 10}, TEXT, bounds)
    assert f"{enough - 1} prompt tokens for {len(prompt)} bytes of prompt" in read.remark
    assert read.prompt == enough - 1
    assert read_usage({"prompt_tokens": 2, "completion_tokens": 10}, TEXT, replace(bounds, texts=("so " * 900, "\n" * 900))).remark == ""


@pytest.mark.parametrize(
    ("usage", "prompt", "generated"),
    [
        ({"prompt_tokens": 30, "completion_tokens": "9000", "total_tokens": "x"}, 30, 9000),
        ({"prompt_tokens": "30", "completion_tokens": "9000"}, 30, 9000),
        ({"prompt_tokens": 30, "completion_tokens": None, "total_tokens": 9030}, 30, 9000),
        ({"prompt_tokens": None, "completion_tokens": 9000}, 0, 9000),
        ({"prompt_tokens": [], "completion_tokens": "9" * 400}, None, None),
        (None, None, None),
    ],
)
def test_what_can_be_read_of_usage_that_cannot_be_right_is_charged(usage: Any, prompt: int | None, generated: int | None) -> None:
    error = refused(usage)
    assert (error.prompt, error.generated) == (prompt, generated)


@pytest.mark.parametrize(("choices", "most"), [(1, 20), (4, 80)])
def test_no_more_than_was_asked_for(choices: int, most: int) -> None:
    bounds = replace(BOUNDS, choices=choices)
    assert read_usage({"prompt_tokens": 30, "completion_tokens": most}, TEXT, bounds).generated == most
    error = refused({"prompt_tokens": 30, "completion_tokens": most + 1}, TEXT, bounds)
    assert (error.prompt, error.generated) == (30, most + 1)
    assert "max_tokens 20" in str(error)
    assert "sampling.max_tokens" in error.advice


@pytest.mark.parametrize(("messages", "hidden"), [(1, 0), (2, 0), (1, 500)])
def test_no_more_of_the_prompt_than_it_has_bytes(messages: int, hidden: int) -> None:
    bounds = replace(BOUNDS, messages=messages, hidden_prompt_tokens=hidden)
    most = 100 + TOKENS_PER_MESSAGE * messages + hidden
    assert read_usage({"prompt_tokens": most, "completion_tokens": 10}, TEXT, bounds).prompt == most
    error = refused({"prompt_tokens": most + 7, "completion_tokens": 10}, TEXT, bounds)
    settled = int(error.advice.rpartition(" ")[2])
    assert (
        read_usage({"prompt_tokens": most + 7, "completion_tokens": 10}, TEXT, replace(bounds, hidden_prompt_tokens=settled)).prompt
        == most + 7
    )


def test_no_fewer_than_the_text_needs() -> None:
    bounds = replace(BOUNDS, max_tokens=10_000)
    words = [" ".join(f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst")]
    size = len(words[0])
    enough = -(-size // 16)
    assert read_usage({"prompt_tokens": 30, "completion_tokens": enough}, words, bounds).generated == enough
    error = refused({"prompt_tokens": 30, "completion_tokens": enough - 1}, words, bounds)
    settled = float(error.advice.rpartition(" ")[2])
    assert read_usage({"prompt_tokens": 30, "completion_tokens": enough - 1}, words, replace(bounds, bytes_per_token=settled))


def test_all_choices_count_together() -> None:
    bounds = replace(BOUNDS, choices=3, max_tokens=1000)
    words = [" ".join(f"{name}{i}" for i in range(100)) for name in ("a", "bb", "ccc")]
    read_usage({"prompt_tokens": 30, "completion_tokens": 200}, words, bounds)
    refused({"prompt_tokens": 30, "completion_tokens": 60}, words, bounds)
    refused({"prompt_tokens": 30, "completion_tokens": 2}, ["a", "b", "c"], bounds)


@pytest.mark.parametrize(
    "text", [" " * 4000, "\n" * 500 + "yes", "=" * 900, "-+" * 700, "ha" * 300, "哈" * 400, "\t \n" * 1000 + "x", ". " * 800]
)
def test_runs_are_no_text(text: str) -> None:
    assert read_usage({"prompt_tokens": 30, "completion_tokens": 2}, [text], BOUNDS).generated == 2


def test_a_short_answer_may_be_one_token() -> None:
    read_usage({"prompt_tokens": 30, "completion_tokens": 1}, ["中华人民共和国"], BOUNDS)
    read_usage({"prompt_tokens": 30, "completion_tokens": 1}, ["x" * 3 + "abcdefgh" * 3 + "y"], BOUNDS)
    refused({"prompt_tokens": 30, "completion_tokens": 1}, ["".join(map(chr, range(33, 34 + ONE_TOKEN)))])


@pytest.mark.parametrize(
    ("usage", "charged"),
    [
        ({"prompt_tokens": 21, "completion_tokens": 0, "total_tokens": 31}, 10),
        ({"prompt_tokens": 21, "completion_tokens": 4, "total_tokens": 31, "completion_tokens_details": {"reasoning_tokens": 6}}, 10),
        ({"prompt_tokens": 21, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 6}}, 10),
        ({"prompt_tokens": 21, "completion_tokens": 4, "output_tokens_details": {"reasoning_tokens": 6}}, 10),
        ({"prompt_tokens": 21, "completion_tokens": 4, "reasoning_tokens": 6, "completion_tokens_details": None}, 10),
        ({"prompt_tokens": 21, "completion_tokens": 4, "reasoning_tokens": "6"}, 10),
    ],
)
def test_reasoning_that_is_left_out_is_charged_and_said(usage: dict[str, Any], charged: int) -> None:
    read = read_usage(usage, TEXT, BOUNDS)
    assert read.generated == charged
    assert f"{charged} are charged" in read.remark
    error = refused({**usage, "total_tokens": 200})
    assert error.generated == 179


def test_reasoning_that_is_counted_is_counted_once() -> None:
    usage = {**GOOD, "completion_tokens_details": {"reasoning_tokens": 8}}
    assert (read_usage(usage, TEXT, BOUNDS).generated, read_usage(usage, TEXT, BOUNDS).remark) == (10, "")


@pytest.mark.parametrize("cost", [0.5, 0, "0.5", "0", 1e-9])
def test_the_endpoints_own_cost(cost: float | str) -> None:
    usage = read_usage({**GOOD, "cost": cost}, TEXT, BOUNDS)
    assert (usage.usd, usage.remark) == (float(cost), "")


@pytest.mark.parametrize("cost", [-1, "-1", math.nan, "nan", math.inf, 1e308, 10**400, True, "", "free", "$0.5", [], {"total": 0.5}])
def test_an_own_cost_that_cannot_be_one_is_told(cost: Any) -> None:
    usage = read_usage({**GOOD, "cost": cost}, TEXT, BOUNDS)
    assert usage.usd is None
    assert "is no amount of dollars" in usage.remark
    assert len(usage.remark) <= 100


def test_without_an_own_cost_there_is_nothing_to_tell() -> None:
    for usage in (GOOD, {**GOOD, "cost": None}):
        assert (read_usage(usage, TEXT, BOUNDS).usd, read_usage(usage, TEXT, BOUNDS).remark) == (None, "")


ANTHROPIC = {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 40}


@pytest.mark.parametrize(
    ("cache", "cached", "written"),
    [
        ({"cache_read_input_tokens": 20, "cache_creation_input_tokens": 10}, 20, 10),
        (ANTHROPIC, 60, 40),
        ({**ANTHROPIC, "cache_creation_input_tokens": 80}, 60, 74),  # 164 tokens at most: 100 bytes and a message
        ({"cache_read_input_tokens": 10**9, "cache_creation_input_tokens": 5}, 134, 0),
    ],
)
def test_tokens_of_caches_beside_the_prompts_are_no_more_than_the_prompt_can_have(cache: dict[str, int], cached: int, written: int) -> None:
    read = read_usage({**GOOD, **cache}, TEXT, BOUNDS)
    assert (read.prompt, read.cached, read.cache_written) == (30, cached, written)
    assert ("are above prompt_tokens 30; they are charged beside it" in read.remark) == (cached + written > 30)


def test_a_prompt_that_was_read_from_a_cache_as_a_whole_has_no_tokens_beside_it() -> None:
    read = read_usage({"prompt_tokens": 0, "completion_tokens": 10, "cache_read_input_tokens": 12}, TEXT, BOUNDS, ended=True)
    assert (read.prompt, read.cached, read.cache_written) == (0, 12, 0)
    assert "cached_tokens 12 are above prompt_tokens 0" in read.remark


VALUES = st.none() | st.booleans() | st.integers(-5, 10**5) | st.floats() | st.text(max_size=3) | st.just({}) | st.just(20.0)


KEYS = ["prompt_tokens", "completion_tokens", "total_tokens", "completion_tokens_details", "cost", *ANTHROPIC]


@given(st.dictionaries(st.sampled_from(KEYS), VALUES),
       st.lists(st.text(), max_size=4))  # fmt: skip
def test_whatever_passes_costs_no_more_than_was_reserved(usage: dict[str, Any], texts: list[str]) -> None:
    bounds = replace(BOUNDS, choices=max(1, len(texts)))
    try:
        read = read_usage(json.loads(json.dumps(usage)), texts, bounds)
    except BadUsageError:
        return
    assert 0 <= read.prompt <= bounds.prompt_tokens
    assert read.cached >= 0
    assert read.cache_written >= 0
    assert max(read.prompt, read.cached + read.cache_written) <= bounds.prompt_tokens
    if read.cached + read.cache_written > read.prompt:
        assert read.prompt + read.cached + read.cache_written <= bounds.prompt_tokens
    assert 0 <= read.generated <= bounds.generated_tokens
    assert read.generated >= sum(bool(text.strip()) for text in texts)


@pytest.mark.parametrize(
    "body",
    [
        {"best_of": 4},
        {"n_predict": 4000},
        {"num_return_sequences": 2},
        {"numBeams": 4},
        {"use_beam_search": True},
        {"max_new_tokens": 900},
        {"options": {"num_predict": 900}},
        {"generation_config": {"candidateCount": 3}},
        {"sampling_params": {"n": 3}},
        {"parameters": {"max_tokens": 10_000}},
        {"extra": {"deep": {"best-of": 2}}},
        {"stages": [{"name": "draft"}, {"sampling": {"n": 5}}]},
    ],
)
def test_keys_that_multiply_are_refused_at_load(body: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match="multiplies what a request may cost"):
        load_engine("openai", {"model": "m", "extra_body": body}, base=Path())


@pytest.mark.parametrize(
    "body",
    [
        {"min_p": 0.1, "reasoning_effort": "low"},
        {"reasoning": {"max_tokens": 100}},
        {"thinking": {"type": "enabled", "budget_tokens": 50}},
        {"response_format": {"type": "json_schema", "json_schema": {"properties": {"n": {}, "best_of": {"type": "number"}}}}},
        {"best_of": 1, "use_beam_search": False, "n_predict": None},
        {"usage": {"include": True}},
    ],
)
def test_keys_that_do_not_are_not(body: dict[str, Any]) -> None:
    load_engine("openai", {"model": "m", "extra_body": body}, base=Path())
