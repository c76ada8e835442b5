"""What is shown of a reply without a verdict: enough to see why, nothing that a terminal obeys."""

from pathlib import Path
from typing import Any

import pytest

from isocost.auditing import Judged
from isocost.summaries.audits import example_unjudged as example
from isocost.summaries.audits import format_labels, next_steps, to_markdown


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


def estimate(value: float, n: int) -> dict[str, Any]:
    return {"value": value, "low": value / 2, "high": min(1.0, 2 * value), "n": n, "n_ungraded": 0}


def found(**best: str) -> dict[str, Any]:
    """Audits of weak and strong as `to_json` gives them, each with the rate that is used."""
    labelled = {"people": estimate(0.3, 40), "combined": estimate(0.3, 40)}
    models = {
        model: {
            "solved": 300, "chosen": 300, "best": way, "predictor": "steps" if way == "combined" else None, "error_ratio": 1.0,
            "rates": {"steps": estimate(0.02, 300)} | (labelled if way == "combined" else {}),
            "cost_per_correct": {"usd": estimate(0.1, 300)}, "cost_per_truly_correct": {"usd": estimate(0.2, 300)},
        }
        for model, way in best.items()
    }  # fmt: skip
    return {
        "models": models,
        "agreement": {},
        "labels": {"labelled": 0, "disagreed": 0, "unsure": 0, "not_chosen": 0, "passed_over": 0},
        "differences": [{"models": ["weak", "strong"], "difference": None if len(set(best.values())) > 1 else estimate(0.1, 300)}],
        "labels_needed": [],
        "judge": None,
        "not_judged": {},
        "without_verdict": None,
    }


def test_the_rate_that_is_used_is_named_with_its_error() -> None:
    text = to_markdown(found(weak="steps", strong="steps"), Path("run"))
    assert "Of weak and strong the rate by steps is used. It counts false equations alone, so it is a lower bound." in text
    assert "To correct this, label solutions: 30 of weak, 30 of strong." in text
    assert "| weak − strong | +10.0 [+5.0, +20.0] | told apart by steps |" in text
    assert text.count("(one without a false equation) |") == 2


def test_rates_of_different_methods_are_not_compared() -> None:
    text = to_markdown(found(weak="steps", strong="combined"), Path("run"))
    assert "Use the combined rate of strong: labels correct what the other audit gets wrong. Of weak the rate by steps is used." in text
    assert "| weak − strong | not compared | weak has no labels |" in text
    few = found(weak="steps", strong="combined")
    few["models"]["weak"]["rates"]["people"] = estimate(0.5, 2)
    assert "| weak − strong | not compared | weak has too few labels |" in to_markdown(few, Path("run"))
    other = to_markdown(found(weak="steps", strong="judge"), Path("run"))
    assert "| weak − strong | not compared | weak is judged by steps and strong is judged by judge |" in other


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "if the true rates are 7.1% and 50.5%, 30 labels per model tell them apart (about 60 in page order). "
            "Labels of all chosen solutions would show a difference of 6.0 points or more.",
        ),
        (
            {"with_judge": 31, "in_order": None},
            "(more than were chosen). With a judge that is right 90% of the time: 31 (about 62 in page order). ",
        ),
        (
            {"labels": None, "apart": None},
            "7.1% and 50.5% are too close for labels to tell them apart. Labels of all chosen solutions would show no difference.",
        ),
    ],
)
def test_the_labels_that_tell_models_apart(changes: dict[str, Any], line: str) -> None:
    pair = {
        "models": ["weak", "strong"], "guesses": [0.071, 0.505], "labels": 30, "with_judge": None, "in_order": 60,
        "with_judge_in_order": 62, "apart": 0.06,
    }  # fmt: skip
    text = to_markdown(found(weak="steps", strong="steps") | {"labels_needed": [pair | changes]}, Path("run"))
    assert line in next(each for each in text.splitlines() if each.startswith("- weak and strong: "))


def test_counts_of_labels() -> None:
    none = {"labelled": 0, "disagreed": 0, "unsure": 0, "not_chosen": 0, "passed_over": 0}
    assert format_labels(none) == "No solution is labelled."
    assert format_labels(none | {"labelled": 15, "disagreed": 1, "unsure": 2}) == (
        "People have labelled 15. They disagree on 1 more and are unsure of 2 more."
    )
