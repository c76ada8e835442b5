"""Whole runs whose solutions a model judges: its prompts, their cost, and that no later run repeats them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from isocost.amounts import format_amount as budget
from isocost.errors import EngineError, InputError, LimitReachedError, StudyError
from isocost.events import Listener, Note, StageProgress
from isocost.judging import replies
from isocost.ledger import Ledger, Reservation
from isocost.prompts.base import CHAT_TOKENS
from isocost.running import dry_run, run, run_stage, runs
from isocost.sampling.pools import Pool
from isocost.summaries.plans import to_markdown
from isocost.summaries.status import describe_saved, status_of, to_text
from tests import openai_runs
from tests.builders import InlineExecutor, raw_study, study
from tests.engines.openai.server import Server
from tests.judging_engine import JUDGING
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell  # noqa: F401 - a fixture

ENGINE = "tests.judging_engine:open_engine"
N = 20
WEAK, STRONG = 6 * N, 2 * N  # draws that the budget buys


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "workers" not in request.keywords:
        monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def write_judged(folder: Path, *, judge: dict[str, object] | None = None, **changes: Any) -> Path:
    """A study of `tests.builders` without a reference answer: a weak model that errs on every other draw, and a strong one that judges."""
    options = judge or {}
    models = {
        "weak": {"engine": ENGINE, "params": 1000, "errs": 2},
        "strong": {"engine": ENGINE, "params": 3000, **options},
    }
    problems = {"train": {"source": "jsonl", "path": "problems.jsonl", "unanswered": True}}
    grader = {"name": "judge", "model": "strong", "max_tokens": 60}
    lines = [json.dumps({"id": f"p{i:02d}", "question": f"What is {i} + 7?"}) for i in range(N)]
    (folder / "problems.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = folder / "study.yaml"
    raw = raw_study(**{"name": "judged", "models": models, "problems": problems, "grader": grader} | changes)
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    return path


def told(folder: Path) -> list[str]:
    """Return the prompts that the judge received, in order."""
    path = folder / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def samples(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "samples.parquet")


def truth(out: Path) -> list[bool]:
    """Return, for each stored solution in order, True if it is right."""
    rows = samples(out).iter_rows(named=True)
    return [row["generation"].endswith(f"#### {int(row['problem_id'][1:]) + 7}") for row in rows]


def ledger(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def state(out: Path) -> dict[str, bytes]:
    names = ("ledger.jsonl", "measures.json", "samples.parquet", "tables/bill.csv")
    return {name: (out / name).read_bytes() for name in names}


def verdicts(out: Path) -> list[bool | None]:
    return samples(out)["correct"].to_list()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a judged study and its finished run; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LocalExecutor", InlineExecutor)
        run(write_judged(folder), folder / "run")
    return folder


def test_the_judge_decides_what_is_trained_on(judged: Path) -> None:
    out = judged / "run"
    assert verdicts(out) == truth(out)
    assert len(verdicts(out)) == WEAK + STRONG
    assert 0 < sum(truth(out)) < WEAK + STRONG
    assert samples(out)["expected_answer"].null_count() == WEAK + STRONG
    kept = pl.read_parquet(out / "trainsets" / "weak@low" / "train.parquet")
    assert kept.height == sum(truth(out)[:WEAK])
    assert "judged correct by the model `strong`" in (out / "trainsets" / "weak@low" / "README.md").read_text()
    assert not (out / "excluded.jsonl").exists()


@pytest.mark.slow
def test_what_both_models_wrote_is_asked_once(judged: Path) -> None:
    out, asked = judged / "run", told(judged)
    assert set(Counter(asked).values()) == {1}
    written = samples(out).select("problem_id", "generation").unique().height
    assert len(asked) == written < WEAK + STRONG


def test_a_judge_is_asked_with_its_own_system_message_and_reserves_the_tokens_of_its_chat(tmp_path: Path, out: Path) -> None:
    run(write_judged(tmp_path, judge={"prompt": {"chat": True, "system": "Be strict. "}}), out)
    asked = told(tmp_path)
    assert asked
    assert all(prompt.startswith("Be strict. You are grading") for prompt in asked)
    reserved = sum(e["flops"] for e in ledger(out) if e["event"] == "reserve" and e["account"] == "judge")
    assert reserved == 2 * 3000 * sum(len(prompt) + 1 + CHAT_TOKENS + 60 for prompt in asked)


@pytest.mark.slow
def test_a_run_judged_without_its_system_message_by_an_earlier_version_asks_nothing_again(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_judged(tmp_path, judge={"prompt": {"chat": True, "system": "Be strict. "}})
    assert "Be strict. \n\nYou are grading" in str(dry_run(study)[3])
    with monkeypatch.context() as earlier:
        earlier.setattr(replies, "own_system", lambda *_: None)
        run(study, out)
    asked = told(tmp_path)
    run(study, out)
    assert told(tmp_path) == asked


def test_a_second_run_asks_nothing(judged: Path) -> None:
    out = judged / "run"
    before, asked = state(out), told(judged)
    run(judged / "study.yaml", out)
    run_stage(out, "report")
    assert state(out) == before
    assert told(judged) == asked


@pytest.mark.slow
def test_the_bill_is_what_the_ledger_says(tmp_path: Path, out: Path) -> None:
    run(write_judged(tmp_path), out)
    bill = pl.read_csv(out / "tables" / "bill.csv")
    line = bill.filter(pl.col("account") == "Judge").row(0, named=True)
    assert (line["model"], line["count"]) == ("strong", len(told(tmp_path)))
    done = sum(entry["flops"] for entry in ledger(out) if entry["event"] == "done")
    assert bill.filter(pl.col("model") == "The whole run")["spent_flops"].item() == pytest.approx(done)
    prompts = sum(len(prompt.split()) for prompt in told(tmp_path))
    assert line["spent_flops"] == pytest.approx(2 * 3000 * (prompts + line["tokens"]))
    assert "with the judge it is " in (out / "report.md").read_text()
    (found,) = (each for each in status_of(out)["accounts"] if each["account"] == "judge")
    assert (found["model"], found["samples"], found["flops"]) == ("strong", len(told(tmp_path)), pytest.approx(line["spent_flops"]))
    assert status_of(out)["spent"]["flops"] == pytest.approx(done)
    assert f"| judge | strong | {len(told(tmp_path))} |" in to_text(status_of(out))
    assert f"they cost {budget('flops', done)}" in describe_saved(out)


@pytest.mark.slow
def test_stopped_between_reply_and_verdict_nothing_is_asked_again(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_judged(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(Pool, "judged", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(study, out)
    paid = len(told(tmp_path))
    assert paid
    run(study, out)
    assert set(Counter(told(tmp_path)).values()) == {1}
    run(study, tmp_path / "whole")
    assert samples(out).equals(samples(tmp_path / "whole"))


@pytest.mark.slow
def test_verdicts_made_again_cost_nothing(tmp_path: Path, out: Path) -> None:
    run(write_judged(tmp_path), out)
    paid, asked = (out / "ledger.jsonl").read_bytes(), told(tmp_path)
    run_stage(out, "grade", force=True)
    assert (out / "ledger.jsonl").read_bytes() == paid
    assert told(tmp_path) == asked
    assert verdicts(out) == truth(out)


@pytest.mark.slow
def test_the_limit_holds_for_the_judge_and_raising_it_goes_on(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tmp_path / "whole"
    run(write_judged(tmp_path), whole)
    bill = sum(entry["flops"] for entry in ledger(whole) if entry["event"] == "done")
    (tmp_path / "told.jsonl").unlink()
    over: list[float] = []
    reserve = Ledger.reserve

    def watched(self: Ledger, wanted: Sequence[Reservation], **more: Any) -> int:
        fitting = reserve(self, wanted, **more)
        over.append(self.spending.spent + self.spending.reserved - (self.spending.limit or 0))
        return fitting

    monkeypatch.setattr(Ledger, "reserve", watched)
    study = write_judged(tmp_path, limit={"unit": "flops", "amount": bill * 0.5})
    with pytest.raises(LimitReachedError, match="stopped at the limit"):
        run(study, out)
    assert max(over) <= 1e-3
    assert told(tmp_path)
    assert not (out / "report.html").exists()
    run(study, out, settings=[f"limit.amount={3 * bill}"])
    assert set(Counter(told(tmp_path)).values()) == {1}
    assert samples(out).equals(samples(whole))
    done = sum(entry["flops"] for entry in ledger(out) if entry["event"] == "done")
    assert done == pytest.approx(bill)
    assert not any(entry["event"] == "redone" for entry in ledger(out))


@pytest.mark.slow
def test_a_judge_that_fails_stops_the_run_and_is_asked_later(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path, judge={"fails": "failing"})
    (tmp_path / "failing").touch()
    with pytest.raises(EngineError, match="the judge is not there"):
        run(study, out)
    (tmp_path / "failing").unlink()
    run(study, out)
    assert verdicts(out) == truth(out)
    assert set(Counter(told(tmp_path)).values()) == {1}


@pytest.mark.slow
def test_ctrl_c_ends_the_judging_too(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.sampling.loop.PATIENCE", 0.1)
    study = write_judged(tmp_path, judge={"seconds": 0.05})
    with pytest.raises(KeyboardInterrupt):
        run(study, out, listener=interrupting())
    asked = told(tmp_path)
    time.sleep(0.3)
    assert told(tmp_path) == asked
    run(study, out)
    assert verdicts(out) == truth(out)
    assert 2 * len(asked) < len(told(tmp_path))  # most of it was not asked before


def interrupting() -> Listener:
    def listen(event: StageProgress | Note) -> None:
        if isinstance(event, StageProgress) and event.done >= 20:
            raise KeyboardInterrupt

    return listen


@pytest.mark.slow
def test_another_judge_is_another_grader_and_both_are_paid(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path)
    run(study, out)
    first = len(told(tmp_path))
    run(study, out, settings=["grader.model=weak"])
    assert len(told(tmp_path)) == 2 * first
    bill = pl.read_csv(out / "tables" / "bill.csv").filter(pl.col("account") == "Judge")
    assert set(bill["model"]) == {"strong", "weak", "all judge"}
    assert verdicts(out) == truth(out)


@pytest.mark.slow
def test_a_larger_budget_asks_about_the_remainder_only(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path)
    run(study, out)
    first = set(told(tmp_path))
    run(study, out, settings=["budgets.low.match.samples_per_problem=3"])
    assert set(Counter(told(tmp_path)).values()) == {1}
    assert first < set(told(tmp_path))
    assert verdicts(out) == truth(out)


def test_without_a_judge_unanswered_problems_are_refused(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path)
    for grader in ("math", "number", "exact", "choice"):
        with pytest.raises(
            InputError, match=rf"the grader {grader} accepts no reference answer of problems.train; p00 \('', problems.jsonl:1\)"
        ):
            run(study, out, settings=[f"grader={{name: {grader}}}"])


def test_other_splits_are_graded_by_their_reference_answers(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path)
    (tmp_path / "test.jsonl").write_text('{"question": "What is 1 + 1?"}', encoding="utf-8")
    section = "problems.test={source: jsonl, path: test.jsonl, unanswered: true}"
    with pytest.raises(InputError, match=r"the grader math accepts no reference answer of problems.test"):
        run(study, out, settings=[section])
    with pytest.raises(InputError, match=r"the grader number accepts no"):
        run(study, out, settings=[section, "evaluate.grader={name: number}"])


def test_students_are_graded_by_math_unless_another_grader_is_named() -> None:
    judge = {"name": "judge", "model": "strong"}
    assert study(grader=judge).reference_grader.name == "math"
    assert study(grader=judge, evaluate={"grader": {"name": "number"}}).reference_grader.name == "number"
    assert study(grader={"name": "exact"}).reference_grader.name == "exact"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["grader={name: judge}"], "grader.*: the judge is a model of the study, give its name; known: strong, weak"),
        (["grader.model=stron"], 'grader.model: unknown model "stron"; did you mean "strong"'),
        (["grader.max_tokens=0"], "grader.max_tokens: must be a whole number above 0, not 0"),
        (["grader.temperature=1"], 'grader.temperature: unknown key "temperature"'),
        (["grader.time_limit=1"], "grader.time_limit: a judge has no time limit"),
        (["evaluate.grader={name: judge}"], "evaluate.grader.name: students are graded by reference answers"),
        (["evaluate.grader={name: maths}"], 'evaluate.grader.name: unknown grader "maths"; did you mean "math"'),
        (["evaluate.grader={name: math}", "grader={name: number}"], 'evaluate.grader: is for studies whose grader is "judge"'),
        (["limit={unit: usd, amount: 1}"], "grader.model: the cost of strong in usd is not known\n  give models.strong.price"),
        (["models.strong.price={output: 1}"], "models.strong.price.input is missing"),
    ],
)
def test_mistakes_are_found_before_anything_is_spent(tmp_path: Path, out: Path, settings: list[str], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        run(write_judged(tmp_path), out, settings=settings)
    assert not out.exists()


def test_a_dry_run_shows_what_the_judge_is_asked(tmp_path: Path) -> None:
    prepared, costs, plans, prompts = dry_run(write_judged(tmp_path))
    assert "strong judges the solutions." in to_markdown(prepared, costs, plans)
    prompt = prompts.split("prompt to the judge strong")[1]
    assert prompt.startswith(" (temperature 0, max_tokens 60):")
    assert "What is 0 + 7?" in prompt
    assert told(tmp_path) == []


@pytest.mark.slow
@pytest.mark.workers
def test_killed_while_the_judge_works_it_ends_with_the_same_verdicts(tmp_path: Path, out: Path) -> None:
    study = write_judged(tmp_path, judge={"seconds": 0.02})
    command = [sys.executable, "-m", "isocost", "run", str(study), "-o", str(out)]
    for stored in (1, 6, 12):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        deadline = time.monotonic() + 120
        while sum(path.read_text().count("\n") for path in out.glob("judge/strong/*.jsonl")) < stored:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert verdicts(out) == truth(out)
    twice = sum(count - 1 for count in Counter(told(tmp_path)).values())
    redone = sum(entry["event"] == "redone" for entry in ledger(out))
    assert twice <= 4 * redone  # what was in flight at a kill, no more
    rows = [row for part in out.glob("judge/strong/*.parts/*.parquet") for row in pl.read_parquet(part)["id"]]
    assert len(rows) == len(set(rows)) == len(set(told(tmp_path)))


@pytest.mark.parametrize("chat", first_fast([False, True]))
def test_a_judge_is_asked_in_a_chat_where_its_prompt_says_so(tmp_path: Path, shell: Shell, *, chat: bool) -> None:  # noqa: F811
    def reply(prompt: str, seed: int | None, number: int) -> str:
        return "verdict: correct" if JUDGING in prompt else "It is so. #### 9"

    out = tmp_path / "run"
    with Server(answer=reply) as server:
        models = {
            "weak": openai_runs.model(server.url),
            "strong": openai_runs.model(server.url, "strong", **({"prompt": {"chat": True}} if chat else {})),
        }
        asked = openai_runs.raw(server.url, models=models, grader={"name": "judge", "model": "strong"})
        asked["problems"]["train"]["unanswered"] = True
        left = shell("run", openai_runs.write(tmp_path, asked), "-o", out)
        assert left.code == 0, left.err
        judging = {each.path for each in server.asked if JUDGING in each.prompt}
        solving = {each.path for each in server.asked if JUDGING not in each.prompt}
    assert judging == {"/v1/chat/completions" if chat else "/v1/completions"}
    assert solving == {"/v1/completions"}
