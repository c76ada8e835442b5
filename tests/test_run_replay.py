"""Whole runs on recorded samples: what a first run leaves, and what every later run does not buy again."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import BudgetError, EngineError, InputError, LimitReachedError, RunDirectoryError, StudyError
from isocost.ledger import Answered, Ledger
from isocost.running import Note, StageProgress, run, run_stage, runs
from isocost.summaries.status import status_of, to_text
from tests.builders import MAX_TOKENS, PARAMS, InlineExecutor, nested, raw_study, recorded, write_study, write_table
from tests.matrices import first_fast

MATCH = "budgets.low.match.samples_per_problem"


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "workers" not in request.keywords:
        monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


KEPT = Path("trainsets") / "weak@low" / "train.parquet"


def samples(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "samples.parquet")


def drawn(out: Path, model: str) -> list[tuple[str, int]]:
    """(problem, index) of every stored draw of a model."""
    rows = samples(out).filter(pl.col("model") == model)
    return list(zip(rows["problem_id"], rows["sample_index"], strict=True))


def sample_ids(out: Path) -> set[str]:
    parts = list(out.glob("pools/*/*.parts/*.parquet"))
    found = [i for part in parts for i in pl.read_parquet(part)["id"]]
    assert len(found) == len(set(found))
    return set(found)


def flops(out: Path, model: str) -> float:
    """What the stored draws of a model cost."""
    return 2.0 * PARAMS[model] * float(samples(out).filter(pl.col("model") == model)["num_generated_tokens"].sum())


def ledger(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.workers
def test_a_run_with_worker_processes_leaves_everything(tmp_path: Path, out: Path) -> None:
    events: list[StageProgress | Note] = []
    finished = run(write_study(tmp_path), out, listener=events.append)
    assert finished.directory == out
    assert finished.report == out / "report.html"
    assert finished.headline
    assert {"report.md", "measures.json", "plan.json", "manifest.json", "study.yaml", "samples.parquet"} <= {p.name for p in out.iterdir()}
    assert sorted(p.parent.name for p in (out / "trainsets").glob("*/train.parquet")) == ["equal@number", "strong@low", "weak@low"]
    assert len(drawn(out, "weak")) == 6 * 30
    assert len(drawn(out, "strong")) == 2 * 30
    last = [e for e in events if isinstance(e, StageProgress) and e.stage == "sample"][-1]
    assert (last.done, last.total, last.finished) == (240, 240, True)


def test_the_stored_draws_are_the_recorded_ones(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path), out, until="sample")
    recording = {(r["model"], r["problem_id"], r["sample_index"]): r for r in recorded(30, 12)}
    for row in samples(out).iter_rows(named=True):
        original = recording[row["model"], row["problem_id"], row["sample_index"]]
        answer = str(int(row["problem_id"][1:]) + 7)
        assert row["generation"] == original["generation"]
        assert row["num_generated_tokens"] == original["num_generated_tokens"]
        assert row["expected_answer"] == answer
        assert row["correct"] == row["generation"].endswith(f"#### {answer}")


def test_training_sets_hold_correct_distinct_solutions_only(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path), out)
    correct = samples(out).filter("correct")
    measures = read(out / "measures.json")
    for cell, model, draws in (("weak@low", "weak", 6), ("strong@low", "strong", 2), ("equal@number", "weak", 2)):
        kept = pl.read_parquet(out / "trainsets" / cell / "train.parquet")
        expected = correct.filter((pl.col("model") == model) & (pl.col("sample_index") < draws))["generation"].unique()
        assert kept.height == len(expected) == measures["cells"][cell]["n_kept"]
        assert measures["cells"][cell]["n_samples"] == 30 * draws


def test_a_second_run_buys_nothing_and_finds_the_same(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out)
    before = [(out / name).read_bytes() for name in ("ledger.jsonl", "measures.json", "samples.parquet", "study.yaml")]
    run(study, out)
    assert [(out / name).read_bytes() for name in ("ledger.jsonl", "measures.json", "samples.parquet", "study.yaml")] == before


@pytest.mark.slow
def test_the_run_directory_runs_without_the_study_file(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out)
    study.unlink()
    before = (out / "measures.json").read_bytes()
    (out / "measures.json").unlink()
    (out / "report.html").unlink()
    assert run_stage(out, "report").report == out / "report.html"
    assert (out / "measures.json").read_bytes() == before


def test_a_raised_budget_buys_the_remainder_only(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out, until="sample")
    first, paid = sample_ids(out), len(ledger(out))
    run(study, out, settings=[f"{MATCH}=3"], until="sample")
    more = sample_ids(out)
    assert first < more
    assert len(drawn(out, "weak")) == 9 * 30
    assert len(drawn(out, "strong")) == 3 * 30
    assert sum(entry["count"] for entry in ledger(out)[paid:] if entry["event"] == "done") == 4 * 30
    before = (out / "ledger.jsonl").read_bytes()
    run(study, out, settings=[f"{MATCH}=3"], until="sample")
    assert (out / "ledger.jsonl").read_bytes() == before
    assert sample_ids(out) == more


@pytest.mark.slow
def test_buying_in_steps_is_buying_at_once(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    for count in (1, 2.5, 4):
        run(study, out, settings=[f"{MATCH}={count}"])
    run(study, tmp_path / "once", settings=[f"{MATCH}=4"])
    order = ["model", "problem_id", "sample_index"]  # each step's draws stand behind those of the former
    assert samples(out).sort(order).equals(samples(tmp_path / "once").sort(order))
    assert (out / KEPT).read_bytes() == (tmp_path / "once" / KEPT).read_bytes()
    assert read(out / "measures.json") == read(tmp_path / "once" / "measures.json")


@pytest.mark.slow
def test_a_lowered_budget_takes_a_part_of_what_is_there(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out)
    paid = (out / "ledger.jsonl").read_bytes()
    run(study, out, settings=[f"{MATCH}=1"])
    assert (out / "ledger.jsonl").read_bytes() == paid
    assert read(out / "measures.json")["cells"]["weak@low"]["n_samples"] == 3 * 30


@pytest.mark.slow
def test_fewer_problems_than_before_are_bought_nothing_for(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out)
    paid = (out / "ledger.jsonl").read_bytes()
    run(study, out, settings=["problems.train.limit=10"])
    assert (out / "ledger.jsonl").read_bytes() == paid
    assert read(out / "measures.json")["cells"]["weak@low"]["n_samples"] == 60
    run(study, out)
    assert (out / "ledger.jsonl").read_bytes() == paid


@pytest.mark.slow
def test_problems_taken_away_while_they_were_being_sampled_come_back_whole(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, limit={"unit": "flops", "amount": 1.0})
    with pytest.raises(LimitReachedError):
        run(study, out, until="sample")
    run(study, out, settings=["problems.train.limit=10", "limit=null"], until="sample")
    assert samples(out)["problem_id"].n_unique() == 10
    run(study, out, settings=["limit=null"], until="sample")
    assert len(drawn(out, "weak")) == 6 * 30
    sample_ids(out)


def test_a_question_that_was_changed_is_asked_anew(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out, until="sample")
    before = sample_ids(out)
    text = (tmp_path / "problems.jsonl").read_text()
    (tmp_path / "problems.jsonl").write_text(text.replace("What is 3 + 7?", "How much is 3 + 7?"))
    run(study, out, until="sample")
    assert len(sample_ids(out) - before) == 6 + 2
    assert len(drawn(out, "weak")) == 6 * 30


@pytest.mark.slow
def test_a_grader_that_refuses_more_problems_than_the_last_one_buys_nothing(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms={"equal": {"models": ["weak"], "samples_per_problem": 2}})
    run(study, out, until="sample")
    paid = (out / "ledger.jsonl").read_bytes()
    run(study, out, settings=["grader.name=tests.builders:Choosy"], until="sample")
    assert (out / "ledger.jsonl").read_bytes() == paid
    assert samples(out)["problem_id"].n_unique() == 29


@pytest.mark.slow
def test_a_table_that_lacks_a_draw_is_named_and_completed_later(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    rows = recorded(30, 12)
    write_table(tmp_path, [r for r in rows if (r["model"], r["problem_id"], r["sample_index"]) != ("strong", "p07", 1)])
    with pytest.raises(EngineError, match=r"table\.parquet: model 'strong' has no sample 1 of problem 'p07'"):
        run(study, out)
    assert not (out / "report.html").exists()
    write_table(tmp_path, rows)
    assert run(study, out).report
    run(study, tmp_path / "whole")
    assert samples(out).equals(samples(tmp_path / "whole"))


@pytest.mark.slow
@pytest.mark.parametrize("samples_per_problem", first_fast([2, 3]))
def test_a_realised_budget_is_spent_to_less_than_one_draw(tmp_path: Path, out: Path, samples_per_problem: int) -> None:
    match = {"model": "strong", "samples_per_problem": samples_per_problem}
    study = write_study(
        tmp_path, n_samples=60, budgets={"low": {"unit": "flops", "match": match, "basis": "realised"}},
        arms={"weak": {"models": ["weak"]}, "strong": {"models": ["strong"]}},
    )  # fmt: skip
    run(study, out, until="sample")
    amount = 30 * samples_per_problem * 2 * PARAMS["strong"] * MAX_TOKENS
    for model, params in PARAMS.items():
        spent = flops(out, model)
        assert spent <= amount
        assert amount - spent < 2 * params * MAX_TOKENS
        indices = [index for _, index in drawn(out, model)]
        assert max(indices) - min(max(i for p, i in drawn(out, model) if p == problem) for problem, _ in drawn(out, model)) <= 1
    before = (out / "samples.parquet").read_bytes(), (out / "ledger.jsonl").read_bytes()
    run(study, out, until="sample")
    assert ((out / "samples.parquet").read_bytes(), (out / "ledger.jsonl").read_bytes()) == before


def test_a_pilot_sets_the_expected_length_and_counts(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, n_samples=40, pilot={"problems": 5, "samples_per_problem": 4})
    run(study, out)
    pilots = {model: {p for p, i in drawn(out, model) if i == 3} for model in PARAMS}
    assert len(pilots["weak"]) >= 5
    (choice,) = (c for c in read(out / "plan.json")["budgets"]["low"]["choices"] if c["name"] == "weak")
    # Piloted lengths differ, so the plan is no longer the 6 to 2 of equal lengths.
    assert choice["samples_per_problem"]["weak"] != 6
    n_weak = read(out / "measures.json")["cells"]["weak@low"]["n_samples"]
    assert n_weak == round(choice["samples_per_problem"]["weak"] * 30)
    assert read(out / "measures.json")["cells"]["strong@low"]["n_samples"] == 60


@pytest.mark.slow
def test_the_bill_counts_what_other_settings_cost(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out)
    assert "other settings" not in (out / "tables" / "ledger.csv").read_text()
    run(study, out, settings=["sampling.temperature=0.3"])
    assert "other settings" in (out / "tables" / "ledger.csv").read_text()


@pytest.mark.slow
def test_a_pilot_is_read_the_same_on_every_start(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, n_samples=40, pilot={"problems": 5, "samples_per_problem": 4})
    run(study, out)
    first = {name: (out / name).read_bytes() for name in ("plan.json", "measures.json", "arms/weak@low/rounds.jsonl", "ledger.jsonl")}
    run(study, out)
    assert {name: (out / name).read_bytes() for name in first} == first


@pytest.mark.slow
def test_a_number_matched_arm_takes_its_number_whatever_the_pilot_drew(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, n_samples=40, pilot={"problems": 5, "samples_per_problem": 4}), out)
    assert read(out / "measures.json")["cells"]["equal@number"]["n_samples"] == 2 * 30


def test_what_a_lowered_budget_no_longer_asks_for_is_not_bought(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.engines.replay.engine._BATCH", 8)
    study = write_study(tmp_path, limit={"unit": "flops", "amount": 20 * 2 * PARAMS["weak"] * MAX_TOKENS})
    with pytest.raises(LimitReachedError):
        run(study, out, until="sample")
    run(study, out, settings=["limit=null", "budgets.low.match.samples_per_problem=1", "arms.equal.samples_per_problem=1"], until="sample")
    assert len(drawn(out, "strong")) == 30
    assert len(drawn(out, "weak")) < 6 * 30


def test_a_draw_that_the_engine_failed_on_is_not_graded(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    rows = recorded(30, 12)
    for row in rows:
        row["finish_reason"] = "error" if row["problem_id"] == "p03" else "stop"
    write_table(tmp_path, rows)
    run(study, out)
    cell = read(out / "measures.json")["cells"]["strong@low"]
    assert cell["pass@1"]["n_ungraded"] == 2
    assert samples(out).filter(pl.col("problem_id") == "p03")["correct"].null_count() == 6 + 2


@pytest.mark.slow
def test_a_pilot_of_every_problem_buys_no_other_draws(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, n_samples=40, pilot={"problems": 99, "samples_per_problem": 2}), out, until="sample")
    assert {i for _, i in drawn(out, "strong")} == {0, 1}


@pytest.mark.parametrize("basis", ["planned", "realised"])
def test_a_pilot_that_costs_more_than_the_budget_is_refused(tmp_path: Path, out: Path, basis: str) -> None:
    budget = {"unit": "flops", "amount": 1_000_000, "basis": basis}
    study = write_study(tmp_path, pilot={"problems": 10, "samples_per_problem": 4}, budgets={"low": budget})
    with pytest.raises(BudgetError, match="does not pay for"):
        run(study, out)


def test_the_limit_is_never_exceeded_and_raising_it_goes_on(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spending: list[float] = []
    release = Ledger.release

    def watched(ledger: Ledger, answers: Sequence[Answered]) -> None:
        release(ledger, answers)
        spending.append(ledger.spending.spent + ledger.spending.reserved)

    monkeypatch.setattr(Ledger, "release", watched)
    monkeypatch.setattr("isocost.engines.replay.engine._BATCH", 8)
    bill = 30 * 6 * 2 * PARAMS["weak"] * MAX_TOKENS
    study = write_study(tmp_path, limit={"unit": "flops", "amount": bill * 0.8})
    with pytest.raises(LimitReachedError, match="stopped at the limit"):
        run(study, out, until="sample")
    assert spending
    assert max(spending) <= bill * 0.8
    paid = sample_ids(out)
    kept = {row["id"] for path in out.glob("pools/*/*.jsonl") if path.name != "rounds.jsonl" for row in rows_of(path)}
    assert paid  # a batch that was under way may be stored after the table is written, and then is not in it
    run(study, out, settings=[f"limit.amount={2 * bill}"], until="sample")
    assert paid | kept < sample_ids(out)
    assert len(drawn(out, "weak")) == 180
    run(study, tmp_path / "free", settings=["limit=null"], until="sample")
    assert samples(out).equals(samples(tmp_path / "free"))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [row for line in path.read_text().splitlines() for row in json.loads(line)["rows"]]


@pytest.mark.parametrize("seed", first_fast(range(5)))
def test_a_run_killed_anywhere_ends_like_one_that_was_not(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Power fails while the n-th line is written: the line is torn, and the run goes on from what is there."""
    from isocost.store import Log

    monkeypatch.setattr("isocost.engines.replay.engine._BATCH", 8)
    study = write_study(tmp_path)
    lots, append = random.Random(seed), Log.append

    def torn(log: Log, *entries: Any, sync: bool = True) -> None:
        append(log, *entries, sync=sync)
        if lots.random() < 0.06:
            with log.path.open("rb+") as file:
                size = file.seek(0, 2)
                file.truncate(size - lots.randint(0, min(40, size)))
            raise KeyboardInterrupt

    kills = 0
    with monkeypatch.context() as patched:
        patched.setattr(Log, "append", torn)
        while kills < 60:
            try:
                run(study, out)
                break
            except KeyboardInterrupt:
                kills += 1
    assert kills
    run(study, out)
    run(study, tmp_path / "whole")
    assert (out / "samples.parquet").read_bytes() == (tmp_path / "whole" / "samples.parquet").read_bytes()
    assert read(out / "measures.json") == read(tmp_path / "whole" / "measures.json")
    assert sample_ids(out) == sample_ids(tmp_path / "whole")


def test_another_studys_folder_is_refused(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out, until="sample")
    with pytest.raises(RunDirectoryError, match='holds the study "recorded", not "other"'):
        run(study, out, settings=["name=other"])


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path, out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("precious")
    with pytest.raises(RunDirectoryError, match=r"is not empty and holds no study \(thesis\.tex\)"):
        run(write_study(tmp_path), out)
    assert (out / "thesis.tex").read_text() == "precious"


def test_a_study_file_of_the_users_own_is_never_written_over(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    text = "# why these prices\n" + study.read_text()
    study.rename(tmp_path / "study.yaml")
    study = tmp_path / "study.yaml"
    study.write_text(text)
    out.mkdir()
    (out / "study.yaml").write_text(text)
    for folder in (tmp_path, out):  # that of the file itself, and one with another
        with pytest.raises(RunDirectoryError, match=r"has a study\.yaml and no run; a run there would write over it\n  name another"):
            run(study, folder)
        assert (folder / "study.yaml").read_text() == text
    run(study, tmp_path / "new", until="sample")
    run(tmp_path / "new" / "study.yaml", tmp_path / "new", until="sample")  # that of a run is its own


def test_a_link_to_nothing_is_named(tmp_path: Path, out: Path) -> None:
    out.symlink_to(tmp_path / "gone")
    with pytest.raises(RunDirectoryError, match=r"is a link to .*gone, which does not exist"):
        run(write_study(tmp_path), out)


def test_a_stage_needs_a_run_directory(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"no study\.yaml; is it a run directory"):
        run_stage(tmp_path, "report")
    with pytest.raises(RunDirectoryError, match=r"no study\.yaml; is it a run directory"):
        status_of(tmp_path)


def test_samples_are_never_thrown_away(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path), out, until="sample")
    before = sample_ids(out)
    with pytest.raises(InputError, match="samples are paid for and never thrown away"):
        run_stage(out, "sample", force=True)
    assert sample_ids(out) == before


def test_grading_again_gives_the_same_verdicts(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path), out, until="sample")
    before, paid = samples(out), (out / "ledger.jsonl").read_bytes()
    assert run_stage(out, "grade", force=True).report is None
    assert samples(out).equals(before)
    assert (out / "ledger.jsonl").read_bytes() == paid


BAD = '{"id": "p00", "question": "Again?", "answer": "1"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (BAD, r'problems\.train: .*problems\.jsonl:31: id "p00" is already used in .*:1$'),
        ('{"id": "x", "question": "Why?"}', r"problems\.train: .*problems\.jsonl:31: no answer"),
        ("{", r"problems\.train: .*problems\.jsonl:31: not JSON"),
    ],
)
def test_a_bad_problem_is_refused_with_its_line_and_nothing_is_left(tmp_path: Path, out: Path, line: str, message: str) -> None:
    study = write_study(tmp_path)
    with (tmp_path / "problems.jsonl").open("a") as file:
        file.write(line)
    with pytest.raises(StudyError, match=message):
        run(study, out)
    assert not out.exists()


def test_an_empty_problem_set_is_refused(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    with pytest.raises(StudyError, match=r"problems\.train: .* none left after skip 30"):
        run(study, out, settings=["problems.train.skip=30"])
    (tmp_path / "problems.jsonl").write_text("")
    with pytest.raises(StudyError, match=r"problems\.train: .*problems\.jsonl: empty"):
        run(study, out)
    assert not out.exists()


def test_problems_whose_answer_the_grader_refuses_are_left_out(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    text = (tmp_path / "problems.jsonl").read_text().replace('"answer": "10"', '"answer": "ten"')
    (tmp_path / "problems.jsonl").write_text(text)
    notes: list[StageProgress | Note] = []
    run(study, out, listener=notes.append, until="sample")
    assert [n.text for n in notes if isinstance(n, Note)] == [
        "1 of 30 problems of train left out: the grader refuses their reference answer (p03: bad_reference); "
        f"{out / 'excluded.jsonl'} names all"
    ]
    assert "p03" not in set(samples(out)["problem_id"])
    assert samples(out)["problem_id"].n_unique() == 29


def test_no_problem_with_an_answer_that_the_grader_accepts(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    (tmp_path / "problems.jsonl").write_text('{"id": "p00", "question": "Why?", "answer": "because"}')
    with pytest.raises(InputError, match=r"the grader number accepts no reference answer of problems.train"):
        run(study, out)


@pytest.mark.slow
def test_models_that_never_answer_right_still_get_their_report(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    write_table(tmp_path, [{**row, "generation": "#### 999"} for row in recorded(30, 12)])
    assert "no difference found in coverage" in run(study, out).headline


@pytest.mark.parametrize(
    ("first", "second", "harm"),
    [
        ("train", "test", "training on them would flatter every student"),
        ("validation", "transfer", "students would be chosen on what they are tested on"),
        ("test", "transfer", "they would count twice"),
    ],
)
def test_questions_of_two_splits_are_refused(first: str, second: str, harm: str, tmp_path: Path, out: Path) -> None:
    source = {"source": "jsonl", "path": "problems.jsonl"}
    problems = {"train": {**source, "limit": 10}, first: {**source, "skip": 10, "limit": 10}, second: {**source, "skip": 17, "limit": 10}}
    study = write_study(tmp_path, problems=problems)
    text = rf"problems\.{second}: 3 questions are in problems\.{first} too, first p17 = p17\n  {harm}"
    with pytest.raises(StudyError, match=text):
        run(study, out)
    lines = (tmp_path / "problems.jsonl").read_text(encoding="utf-8")
    (tmp_path / "spaced.jsonl").write_text(lines.replace("What is ", " What  is\\n"), encoding="utf-8")
    study = write_study(tmp_path, problems={**problems, second: {**problems[second], "path": "spaced.jsonl"}})
    with pytest.raises(StudyError, match=text):
        run(study, out)


def test_a_recorded_model_cannot_be_trained(tmp_path: Path, out: Path) -> None:
    problems = {
        "train": {"source": "jsonl", "path": "problems.jsonl", "limit": 20},
        "test": {"source": "jsonl", "path": "problems.jsonl", "skip": 20},
    }
    study = write_study(tmp_path, problems=problems, finetune={"students": ["weak"], "arms": ["weak"], "checkpoints": 1})
    with pytest.raises(StudyError, match="model weak has engine replay; a student needs trainable weights"):
        run(study, out)


def test_prices_of_both_kinds_of_token_are_needed_to_spend(tmp_path: Path, out: Path) -> None:
    raw = nested(raw_study(), "models", "weak", "price", value={"output": 1.0})
    with pytest.raises(StudyError, match=r"models\.weak\.price\.input is missing: prompts are paid too"):
        run(write_study(tmp_path, **raw), out)


def test_the_status_of_a_run_counts_samples_and_costs(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out, until="sample")
    half = status_of(out)
    weak, strong = half["accounts"]
    assert [(each["account"], each["model"], each["samples"]) for each in (weak, strong)] == [("data", "weak", 180), ("data", "strong", 60)]
    assert half["report"] is None
    assert weak["flops"] == pytest.approx(flops(out, "weak"))
    assert weak["usd"] is None
    assert half["spent"] == {"flops": pytest.approx(flops(out, "weak") + flops(out, "strong")), "usd": None}
    assert half["reserved"] == {"flops": 0.0, "usd": 0.0}
    assert half["limit"] is None
    assert (half["sampling"]["done"], half["sampling"]["total"]) == (240, 240)
    by_cell = {each["cell"]: each for each in half["cells"]}
    assert {name: each["samples"] for name, each in by_cell.items()} == {"weak@low": 180, "strong@low": 60, "equal@number": 60}
    assert by_cell["weak@low"]["spent"] == pytest.approx(flops(out, "weak"))
    assert by_cell["weak@low"]["left"] == pytest.approx(by_cell["weak@low"]["amount"] - flops(out, "weak"))
    run(study, out)
    text = to_text(status_of(out))
    assert "| data | weak | 180 |" in text
    assert text.endswith(f"report: {out / 'report.html'}")


def test_the_resolved_study_names_its_files_absolutely(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path), out, until="sample", settings=["seed=5"])
    text = (out / "study.yaml").read_text()
    assert f"table: {tmp_path / 'table.parquet'}" in text
    assert f"path: {tmp_path / 'problems.jsonl'}" in text
    assert "seed: 5" in text


def test_what_a_kill_left_unanswered_is_paid_though_the_setting_was_changed_before_the_next_start(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    run(study, out, until="sample")
    paid = sum(entry["flops"] for entry in ledger(out) if entry["event"] == "done")
    text = (out / "ledger.jsonl").read_text()
    (out / "ledger.jsonl").write_text(text[: text.rindex('{"event": "done"')])  # killed after a batch was stored, before its line
    run(study, out, until="sample", settings=["sampling.temperature=0.3"])
    run(study, out, until="sample")
    assert sum(entry["flops"] for entry in ledger(out) if entry["event"] == "done") == pytest.approx(2 * paid)


def test_a_kill_before_the_study_was_written_leaves_a_folder_that_can_be_used(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    out.mkdir()
    (out / "lock").write_text("1")
    (out / "models.json").write_text("{}")
    (out / ".models.json.tmp").write_text("{")
    run(study, out, until="sample")
    assert (out / "samples.parquet").exists()
