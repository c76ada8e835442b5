"""Solutions whose judge's request is never answered: they cost a bounded number of attempts, stay ungraded, and hold nothing up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.dispatch.calls import Retrying
from tests import openai_runs as runs
from tests.engines.openai.replies import FAULTS, Asked, Reply
from tests.engines.openai.server import Server
from tests.judging_engine import JUDGING
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

N = 6
IMPATIENT = Retrying(first=0.001, longest=0.002, patience=0.3)


class Judging(Server):
    """An endpoint that solves every problem, and answers the judge's prompts with 500 for some of them, or for all."""

    def __init__(self, *fails: int) -> None:
        super().__init__(answer=self._solve_or_judge)
        self._fails = fails

    @staticmethod
    def _solve_or_judge(prompt: str, seed: int | None, choice: int) -> str:
        return "verdict: correct" if JUDGING in prompt else "It is so. #### 9"

    def _reply(self, asked: Asked) -> Reply:
        good = super()._reply(asked)
        return FAULTS["500"](asked, good) if judged(asked) in self._fails else good

    def attempts(self) -> list[int]:
        """Return the problems that the judge was asked about, in order."""
        return [problem for asked in self.asked if (problem := judged(asked)) is not None]


def judged(asked: Asked) -> int | None:
    """Return the number of the problem whose solution a request asks to judge; None for a request of another kind."""
    found = re.search(r"What is (\d+) \+ 7", asked.prompt)
    return int(found[1]) if found and JUDGING in asked.prompt else None


def write(folder: Path, server: Server, judge: dict[str, Any] | None = None) -> Path:
    models = {"weak": runs.model(server.url), "strong": runs.model(server.url, "strong", concurrency=1, **(judge or {}))}
    arms = {"weak": {"models": ["weak"], "samples_per_problem": 1}}
    raw = runs.raw(server.url, models=models, arms=arms, grader={"name": "judge", "model": "strong"})
    return runs.write(folder, raw, n_problems=N)


def outcomes(out: Path) -> dict[int, bool | None]:
    rows = pl.read_parquet(out / "samples.parquet").select("problem_id", "correct").iter_rows()
    return {int(problem[1:]): correct for problem, correct in rows}


@pytest.mark.parametrize("poison", first_fast([[N - 1], [0], [2, 3]]))
def test_a_solution_that_cannot_be_judged_is_left_out_after_a_few_attempts(tmp_path: Path, shell: Shell, poison: list[int]) -> None:
    out = tmp_path / "out"
    with Judging(*poison) as server:
        path = write(tmp_path, server)
        if is_first := poison == [0]:  # no answer shows yet that the endpoint is up, until the next solution is judged
            shell.retry(replace(IMPATIENT, patience=3.0))
        left = shell("run", path, "-o", out)
        assert (left.code, left.errors) == (0, [])
        assert outcomes(out) == {i: None if i in poison else True for i in range(N)}
        asked = server.attempts()
        if not is_first:
            assert [asked.count(i) for i in poison] == [runs.SOON.attempts] * len(poison)
        assert runs.events(out)["lost"] == sum(asked.count(i) for i in poison)  # each attempt is charged once
        assert shell("run", path, "-o", out).code == 0
        assert server.attempts() == asked


def test_a_judge_that_never_answers_stops_the_run(tmp_path: Path, shell: Shell) -> None:
    shell.retry(IMPATIENT)
    out = tmp_path / "out"
    with Judging(*range(N)) as server:
        left = shell("run", write(tmp_path, server), "-o", out)
        asked = server.attempts()
    assert left.code == 1
    assert "no answer for 0.3 seconds; answers so far are saved" in left.errors[1]
    assert len(set(asked)) <= 2
    assert asked.count(asked[-1]) == 1  # the second solution only shows if the first one was at fault
    assert not list(out.glob("verdicts/**/*.jsonl"))
