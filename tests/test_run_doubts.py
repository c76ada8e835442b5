"""Whole runs whose references no answer agrees with, or whose model refuses: told before the money is spent, and no verdict on models."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isocost.events import Note
from isocost.records import Failed, Truncation
from isocost.sampling.doubts import doubt_references, note_failures
from tests import openai_runs as runs
from tests.engines.openai.replies import FAULTS, Asked, Reply
from tests.engines.openai.server import Server
from tests.openai_runs import Left, Shell, shell

__all__ = ["shell"]

PILOT = {"problems": 6, "samples_per_problem": 2}


def two(url: str, other: str = "", **changes: Any) -> dict[str, Any]:
    """A weak and a strong model with the same prices, which a pilot measures."""
    models = {name: runs.model(where, "weak", api="chat") for name, where in (("weak", url), ("strong", other or url))}
    for own in models.values():
        del own["prompt_tokens"]
    models["strong"]["model"] = "tiny" if other else "other"
    arms = {name: {"models": [name]} for name in models}
    budgets = {"low": {"unit": "usd", "amount": 0.01}}
    return runs.raw(url, models=models, arms=arms, budgets=budgets, pilot=PILOT, **changes)


def warnings(left: Left) -> list[str]:
    return [line for line in left.err.splitlines() if line.startswith("WARNING: ")]


def one_more(prompt: str, seed: int | None, choice: int) -> str:
    """The sum and one: the references of `write_problems` are the sums."""
    first, second = (int(part) for part in prompt.partition("What is ")[2].partition("?")[0].split(" + "))
    return f"The answer is {first + second + 1}."


def test_references_that_no_answer_agrees_with_are_doubted_after_the_pilot(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(models=("tiny", "other"), answer=one_more) as server:
        path = runs.write(tmp_path, two(server.url))
        left = shell("run", path, "-o", out)
        assert left.code == 0, left
        (warning,) = warnings(left)
        planned = shell("plan", path, "-o", out)
    said = "none of the 24 graded samples is correct and on 6 of 6 problems all models agree on another answer than the reference"
    assert warning.startswith(f"WARNING: {said}")
    example = warning.partition("Example: ")[2]
    assert example.startswith("p0")
    assert "reference '" in example
    assert "weak answered '" in example
    assert "(2 of 2)" in example
    assert "Samples are graded again at no cost" in warning
    assert any("another answer than the reference" in line for line in warnings(planned))
    assert "WARNING: none of the" in shell("status", out).out
    assert left.out.strip().startswith("None of the")


def test_the_doubt_of_a_pilot_ends_with_later_samples_that_are_correct(tmp_path: Path, shell: Shell) -> None:
    """Wrong until the pilot is over, then right."""
    out, asked = tmp_path / "out", [0]

    def answer(prompt: str, seed: int | None, choice: int) -> str:
        first, second = (int(part) for part in prompt.partition("What is ")[2].partition("?")[0].split(" + "))
        asked[0] += 1
        return f"The answer is {first + second + (asked[0] <= 24) * asked[0]}."

    with Server(models=("tiny", "other"), answer=answer) as server:
        path = runs.write(tmp_path, two(server.url))
        assert "none of the 24 graded samples is correct" in shell("run", path, "-o", out, "--until", "pilot").err
        shell("run", path, "-o", out)
        again = shell("run", path, "-o", out, "--set", "curate.distinct=normalised")
    assert again.code == 0, again
    assert warnings(again) == []


@pytest.mark.slow
def test_a_model_that_is_right_now_and_then_casts_no_doubt(tmp_path: Path, shell: Shell) -> None:
    """Right on problems with an odd number, else wrong in a way of its own each time."""

    def answer(prompt: str, seed: int | None, choice: int) -> str:
        first, second = (int(part) for part in prompt.partition("What is ")[2].partition("?")[0].split(" + "))
        return f"The answer is {first + second if first % 2 else 1000 + (seed or 0) % 997}."

    with Server(models=("tiny", "other"), answer=answer) as server:
        left = shell("run", runs.write(tmp_path, two(server.url)), "-o", tmp_path / "out")
    assert left.code == 0
    assert warnings(left) == []


def refusing(share: int) -> Any:
    """Refuse every so many-th problem."""

    def fault(asked: Asked, good: Reply) -> Reply:
        number = int(asked.prompt.partition("What is ")[2].split()[0])
        if number % share:
            return good
        body = json.loads(good.body)
        body["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
        return Reply(body=json.dumps(body).encode())

    return fault


@pytest.mark.slow
@pytest.mark.parametrize(("share", "refused"), [(1, 8), (4, 2)])
def test_a_model_that_refuses_is_not_the_worse_one(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, share: int, refused: int
) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "refuses", refusing(share))
    with Server(answer=one_more) as weak, Server(answer=one_more, every={"refuses": 1}) as strong:
        path = runs.write(tmp_path, two(weak.url, strong.url))
        left = shell("run", path, "-o", out)
        assert left.code == 0, left
        planned = shell("plan", path, "-o", out)
    words = f"strong refused {refused} of 8 problems or failed on them (refused: I can't help with that)"
    assert words in left.out
    assert planned.code == 0, planned
    assert "give a smaller pilot" not in planned.err
    report = (out / "report.md").read_text()
    if refused == 8:
        assert f"{words}, so the comparison is not made" in left.out
        assert "buy from" not in left.out
        assert "is ahead by" not in report
        assert any(line.startswith("WARNING: strong refused 6 of 6 problems") for line in warnings(left))
        assert any("model strong has no graded draw" in line for line in warnings(planned))
    else:
        assert f"{words}: they count as not covered." in left.out
        assert "the comparison is not made" not in left.out


def test_nothing_is_concluded_from_a_handful() -> None:
    assert doubt_references({}, []) == ""
    assert not Failed(draws=1, n=100, problems=1, n_problems=100).matters
    assert Failed(draws=5, n=100, problems=5, n_problems=100).matters
    assert not Failed(draws=49, n=100, problems=49, n_problems=100).prevents
    assert Failed(draws=50, n=100, problems=50, n_problems=100).prevents


@pytest.mark.slow
def test_samples_without_an_answer_cast_no_doubt_on_the_references(tmp_path: Path, shell: Shell) -> None:
    with Server(models=("tiny", "other"), answer=lambda prompt, seed, choice: "I would rather not say") as server:
        left = shell("run", runs.write(tmp_path, two(server.url)), "-o", tmp_path / "out")
    assert left.code == 0
    (warning,) = warnings(left)
    assert warning.startswith(
        "WARNING: none of the 24 graded samples is correct, and 24 have no answer that the grader can read: check the prompt"
    )


def test_what_cuts_samples_off_below_max_tokens_is_not_max_tokens() -> None:
    assert "hit max_tokens 50: raise it" in Truncation(cut=9, n=9, max_tokens=50, longest=50).warning("weak")
    assert "hit max_tokens 50: raise it" in Truncation(cut=9, n=9, max_tokens=50).warning("weak")
    text = Truncation(cut=9, n=9, max_tokens=50, longest=10).warning("weak")
    assert text.startswith("100% of weak's samples were cut off after at most 10 tokens, below max_tokens 50: the endpoint or the context ")


def test_words_of_an_endpoint_make_no_lines_of_their_own() -> None:
    heard: list[Any] = []
    pool = SimpleNamespace(failures=lambda: [("p\x1b[1m1", "finish_reason x\nerror: all is lost\r\x1b[2J", True)])
    note_failures({"weak": pool}, heard.append)  # type: ignore[dict-item]
    assert heard == [
        Note(text="1 draw of 1 problem failed, not graded (first: weak, p\\x1b[1m1): finish_reason x error: all is lost \\x1b[2J")
    ]
