"""Remarks on replies that are unusual but possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isocost.engines.base import Request
from isocost.engines.openai import reading
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.reading import Reader
from isocost.records import SamplingParams

PARAMS = SamplingParams(max_tokens=50)


@pytest.fixture
def reader() -> Reader:
    options = OpenAIOptions(model="m", base_url="http://127.0.0.1:9/v1")
    return Reader(Endpoint(base_url=options.base_url, model="m", key_variable="KEY", key=None), options)


def told(reader: Reader, prompt: str, reply_id: str, *texts: str, params: SamplingParams = PARAMS) -> list[str]:
    """The remarks on a reply to a prompt."""
    usage = {"prompt_tokens": 5, "completion_tokens": 25 * len(texts)}
    choices = [{"text": text, "finish_reason": "stop"} for text in texts]
    reply: dict[str, Any] = {"id": reply_id, "choices": choices, "usage": usage}
    found = reader.read(reply, Request(problem_id="p", prompt=prompt, first_index=0, count=len(texts)), params, None)
    return [remark.text for each in found for remark in each.remarks]


def test_a_reply_that_another_prompt_got_before_is_told(reader: Reader) -> None:
    """As on a connection that is one reply behind: each prompt gets the answer to the one before."""
    assert told(reader, "first question", "a", "It is 1.") == []
    assert told(reader, "second question", "b", "The answer is 2.") == []
    (remark,) = told(reader, "third question", "b", "The answer is 2.")
    assert remark.startswith("two prompts got one and the same reply, id b: replies are mixed up")


def test_a_reply_that_the_first_two_prompts_got_is_told_with_the_next_one(reader: Reader) -> None:
    assert told(reader, "first question", "a", "The answer is 1.") == []
    assert told(reader, "second question", "a", "The answer is 1.") == []
    (remark,) = told(reader, "third question", "b", "The answer is 2.")
    assert remark.startswith("two prompts got one and the same reply, id a: replies are mixed up")
    assert told(reader, "fourth question", "c", "The answer is 3.") == []


@pytest.mark.parametrize(
    "replies",
    [
        [(q, "x", "The answer is 1.") for q in ("q1", "q2", "q3")],  # one id for everything
        [("q1", "a", "1"), ("q2", "b", "2"), ("q2", "b", "2")],  # a cache, or a request that was sent again
        [("q1", "t1", "1"), ("q2", "t2", "2"), ("q3", "t2", "3")],  # the time in seconds
        [("q1", "", "The answer is 1."), ("q2", "", "The answer is 1.")],
        [("q1", "t1", "The answer is 1."), ("q2", "t2", "4"), ("q3", "t2", "4")],
    ],
)
def test_ids_that_say_nothing_are_no_news(reader: Reader, replies: list[tuple[str, str, str]]) -> None:
    assert [told(reader, *reply) for reply in replies] == [[] for _ in replies]


def test_ids_are_remembered_for_a_while(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_REMEMBERED", 3)
    for n in range(5):
        told(reader, f"q{n}", f"id{n}", "1")
    assert list(reader._last) == ["id2", "id3", "id4"]


@pytest.mark.parametrize("reply_id", ["one", "id{}", ""])
def test_an_endpoint_that_gives_one_reply_to_everything_is_told_once(reader: Reader, reply_id: str) -> None:
    params = replace(PARAMS, temperature=0.8)
    remarks = [told(reader, f"q{n // 3}", reply_id.format(n), "Cached reply of the endpoint.", params=params) for n in range(60)]
    (text,) = [each for of_reply in remarks for each in of_reply]
    assert text.startswith("6 different prompts in a row got one and the same text of 29 characters")


def test_equal_solutions_of_each_reply_are_told_once(reader: Reader) -> None:
    params = replace(PARAMS, temperature=0.8)
    remarks = [told(reader, f"q{n}", f"id{n}", *[f"It is {n}. " * 12] * 2, params=params) for n in range(12)]
    (text,) = [each for of_reply in remarks for each in of_reply]
    assert text.startswith("all solutions of a reply are equal, for 6 prompts in a row")


@pytest.mark.parametrize(
    ("temperature", "texts"),
    [
        (0.8, ["The answer is 7."] * 40),
        (0.8, ["I cannot answer this question.", "It is 5."] * 20),
        (0.8, [*["I cannot answer this question."] * 5, "It is 5."] * 8),
        (0.0, ["The solution is sound and its answer is right.\nverdict: correct"] * 40),  # a judge
    ],
)
def test_equal_answers_of_honest_endpoints_are_no_news(reader: Reader, temperature: float, texts: list[str]) -> None:
    params = replace(PARAMS, temperature=temperature)
    assert not any(told(reader, f"q{n}", f"id{n}", text, params=params) for n, text in enumerate(texts))
    assert not any(told(reader, f"q{n}", f"n{n}", text, text, params=params) for n, text in enumerate(texts[:5]))
