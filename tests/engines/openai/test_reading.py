"""Remarks on replies that are unusual but possible."""

from __future__ import annotations

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


def told(reader: Reader, prompt: str, reply_id: str, text: str) -> list[str]:
    """The remarks on a reply to a prompt."""
    usage = {"prompt_tokens": 5, "completion_tokens": 5}
    reply: dict[str, Any] = {"id": reply_id, "choices": [{"text": text, "finish_reason": "stop"}], "usage": usage}
    (found,) = reader.read(reply, Request(problem_id="p", prompt=prompt, first_index=0, count=1), PARAMS, None)
    return [remark.text for remark in found.remarks]


def test_a_reply_that_another_prompt_got_before_is_told(reader: Reader) -> None:
    """As on a connection that is one reply behind: each prompt gets the answer to the one before."""
    assert told(reader, "first question", "a", "It is 1.") == []
    assert told(reader, "second question", "b", "The answer is 2.") == []
    (remark,) = told(reader, "third question", "b", "The answer is 2.")
    assert remark.startswith("two prompts got one and the same reply, id b: replies are mixed up")


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
