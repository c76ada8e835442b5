"""What is shown of a reply without a verdict: enough to see why, nothing that a terminal obeys."""

from pathlib import Path

import pytest

from isocost.auditing import Judged
from isocost.summaries.audits import example_unjudged as example
from isocost.summaries.audits import next_steps


def silent(reply: str) -> Judged:
    return Judged(sample_id="s", sound=None, reason="no_verdict", reply=reply)


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("I cannot\n\n say.", "I cannot say."),
        ("", ""),
        ("\x1b[2Jno \x07\u202ebad\ud800", "\ufffd[2Jno \ufffd\ufffdbad\ufffd"),
        ("a" * 90 + "z" * 70, "a" * 90 + "z" * 70),
        ("a" * 100 + "b" + "z" * 60, "a" * 100 + " \u2026 " + "z" * 60),
        ("a" * 10**6 + "z" * 10**6, "a" * 100 + " \u2026 " + "z" * 60),
        (" " * 10**6 + "z" * 61, " \u2026 " + "z" * 60),
    ],
)
def test_beginning_and_end_in_one_line(reply: str, shown: str) -> None:
    assert example({"s": silent(reply)}) == shown


def test_where_all_have_a_verdict_or_no_reply_nothing_is_shown() -> None:
    assert example({"s": Judged(sample_id="s", sound=None, reason="judge_failed", reply=None)}) is None
    assert example({}) is None


@pytest.mark.parametrize(
    ("labelled", "unsure", "disagreed", "steps"),
    [
        (0, 0, 0, ["label them: isocost view 'my run'"]),
        (3, 0, 0, ["label more: isocost view 'my run'", "put the labels into the report: isocost report 'my run'"]),
        (7, 2, 1, ["put the labels into the report: isocost report 'my run'"]),
        (10, 0, 0, ["put the labels into the report: isocost report 'my run'"]),
        (0, 10, 0, []),
    ],
)
def test_what_is_left_to_do(labelled: int, unsure: int, disagreed: int, steps: list[str]) -> None:
    labels = {"labelled": labelled, "unsure": unsure, "disagreed": disagreed}
    assert next_steps({"labels": labels, "models": {"weak": {"chosen": 6}, "strong": {"chosen": 4}}}, Path("my run")) == steps
