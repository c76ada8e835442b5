"""Training sets of arms with rules of their own, in whole runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import StudyError
from isocost.events import Note
from isocost.results import rules
from isocost.running import run, runs
from tests.builders import InlineExecutor, write_study, write_table
from tests.test_run_auditing import JUDGE, write_audited

ARMS = {
    "weak": {"models": ["weak"]},
    "one": {"models": ["weak"], "curate": {"per_problem": 1}},
    "few": {"models": ["weak"], "curate": {"problems": 10}},
    "unfiltered": {"models": ["weak"], "curate": {"filter": "none"}},
    "sound": {"models": ["weak"], "curate": {"audit": "steps"}},
}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def trainset(out: Path, arm: str) -> pl.DataFrame:
    return pl.read_parquet(out / "trainsets" / f"{arm}@low" / "train.parquet")


def funnel(out: Path, arm: str) -> dict[str, int]:
    """The counts on the card."""
    lines = (out / "trainsets" / f"{arm}@low" / "README.md").read_text().partition("## From drawn to kept")[2].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if line.startswith("| ") and line[2] != "-"]
    return {what: int(count) for what, count in cells if count.isdigit()}


def lying_rows(n_problems: int) -> list[dict[str, object]]:
    """Six draws of each problem: right, right with a false equation, right in the same words, wrong three times."""
    texts = ("{i} + 7 = {a}\n#### {a}", "{i} + 8 = {a}\n#### {a}", "{i} + 7 = {a}\n#### {a}", "#### 1{a}", "so #### 2{a}", "or #### 3{a}")
    return [
        {
            "problem_id": f"p{i:02d}", "model": model, "sample_index": index, "generation": text.format(i=i, a=i + 7),
            "num_prompt_tokens": 9, "num_generated_tokens": 10, "finish_reason": "stop",
        }
        for model in ("weak", "strong") for i in range(n_problems) for index, text in enumerate(texts)
    ]  # fmt: skip


def lying_study(folder: Path, **changes: Any) -> Path:
    path = write_study(folder, n_problems=30, **changes)
    write_table(folder, lying_rows(30))
    return path


def test_arms_of_one_plan_share_draws_and_keep_what_their_own_rules_keep(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(lying_study(tmp_path, arms=ARMS), out)
    assert pl.read_parquet(out / "samples.parquet").height == 30 * 6
    assert {arm: trainset(out, arm).height for arm in ARMS} == {"weak": 60, "one": 30, "few": 20, "unfiltered": 150, "sound": 30}
    assert trainset(out, "few")["problem_id"].unique().sort().to_list() == [f"p{i:02d}" for i in range(10)]
    assert not trainset(out, "sound")["completion"].str.contains(r"\+ 8").any()
    assert funnel(out, "sound") == {"drawn": 180, "error": 0, "ungraded": 0, "no answer": 0, "incorrect": 90, "cut off": 0,
                                    "unsound": 30, "duplicate": 30, "over cap": 0, "kept": 30}  # fmt: skip
    assert funnel(out, "unfiltered")["duplicate"] == 30
    measures = json.loads((out / "measures.json").read_text())["cells"]
    assert measures["one@low"]["kept_per_problem"]["value"] == 1.0
    assert measures["weak@low"]["kept_per_problem"]["value"] == 2.0
    assert "kept_per_problem" not in measures["unfiltered@low"]
    differences = (out / "tables" / "cell_differences.csv").read_text().splitlines()
    assert any("unfiltered" in line for line in differences)
    assert not any("unfiltered" in line for line in differences if line.startswith("Kept"))
    # A wrong draw stays rejected, though a control trains on it.
    assert "Samples,weak,60,120,0,0,180" in (out / "tables" / "ledger.csv").read_text()


def test_problems_that_nearly_repeat_a_set_are_left_out_counted_and_listed(tmp_path: Path) -> None:
    near = [{"id": "t3", "question": "what is 3 + 7", "answer": "10"}, {"id": "t4", "question": "What is 99 + 98?", "answer": "197"}]
    (tmp_path / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in near))
    out = tmp_path / "run"
    run(lying_study(tmp_path, curate={"decontaminate": ["held.jsonl"]}), out)
    (listed,) = json.loads((out / "trainsets" / "contaminated.json").read_text())
    assert listed == {"problem_id": "p03", "named": "held.jsonl", "other_id": "t3", "share": 1.0}
    assert "p03" not in trainset(out, "weak")["problem_id"].to_list()
    assert funnel(out, "weak")["contaminated"] == 3
    assert "| p03 | held.jsonl | t3 | 100% |" in (out / "trainsets" / "weak@low" / "README.md").read_text()


def test_a_set_that_cannot_be_loaded_is_refused_before_anything_is_bought(tmp_path: Path) -> None:
    path = lying_study(tmp_path, curate={"decontaminate": ["missing.jsonl"]})
    with pytest.raises(StudyError, match=r"curate.decontaminate: missing.jsonl: .*missing.jsonl"):
        run(path, tmp_path / "run")
    assert not (tmp_path / "run" / "samples.parquet").exists()


@pytest.mark.slow
def test_a_judge_is_asked_once_about_each_correct_solution_of_the_arms_that_want_it(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"]}, "judged": {"models": ["weak"], "curate": {"audit": "judge"}}}
    out = tmp_path / "run"
    path = write_audited(tmp_path, arms=arms)
    run(path, out, settings=[*JUDGE, "audit.per_model=3"])
    kept, judged = trainset(out, "weak"), trainset(out, "judged")
    assert 0 < judged.height < kept.height
    assert funnel(out, "judged")["unsound"] > 0
    ledger = (out / "ledger.jsonl").read_bytes()
    run(path, out, settings=[*JUDGE, "audit.per_model=3"])
    assert (out / "ledger.jsonl").read_bytes() == ledger


def label(out: Path, said: dict[str, str]) -> None:
    """Write people's verdicts on solutions of the arm `weak`, by the text that is labelled: one draw of those with that text."""
    labels = [
        {"at": f"2026-01-0{i + 1}T00:00:00+00:00", "labeller": who, "sample_id": row["sample_id"], "verdict": verdict}
        for row in trainset(out, "weak").filter(problem_id="p00").to_dicts()
        for i, (who, verdict) in enumerate(each.split(":") for each in said.get(row["completion"], "").split())
    ]
    with (out / "audits" / "labels.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in labels)


TRUE, FALSE = "0 + 7 = 7\n#### 7", "0 + 8 = 7\n#### 7"  # of problem p00: drawn twice, drawn once


def test_solutions_that_people_label_unsound_leave_the_training_sets_at_the_next_run(tmp_path: Path) -> None:
    arms = {**ARMS, "labelled": {"models": ["weak"], "curate": {"audit": "labels"}}}
    out, path = tmp_path / "run", lying_study(tmp_path, arms=arms)
    assert "nobody has labelled a solution" in " ".join(notes_of(path, out))
    assert trainset(out, "labelled").height == trainset(out, "weak").height == 60
    label(out, {TRUE: "ann:unsound"})
    assert "people's labels: 1 unsound, 0 sound" in " ".join(notes_of(path, out))
    left = trainset(out, "labelled").filter(problem_id="p00")["completion"].to_list()
    assert left == [FALSE]  # and no copy of the labelled text
    assert (funnel(out, "labelled")["labelled unsound"], funnel(out, "labelled")["kept"]) == (2, 59)
    assert trainset(out, "weak").height == 60
    assert "labelled unsound" not in funnel(out, "sound")


def test_labels_join_the_steps_and_overrule_them_where_people_agree(tmp_path: Path) -> None:
    out = tmp_path / "run"
    path = lying_study(tmp_path, arms={"weak": ARMS["weak"], "both": {"models": ["weak"], "curate": {"audit": ["steps", "labels"]}}})
    run(path, out)
    assert trainset(out, "both").height == 30
    label(out, {TRUE: "ann:unsound ben:sound", FALSE: "ann:sound ben:unsure"})
    run(path, out)
    assert sorted(trainset(out, "both").filter(problem_id="p00")["completion"]) == [TRUE, FALSE]
    assert (funnel(out, "both")["labelled unsound"], funnel(out, "both")["unsound"]) == (0, 29)


def notes_of(path: Path, out: Path) -> list[str]:
    notes: list[str] = []
    run(path, out, listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    return notes


def test_more_problems_than_there_are_is_no_subset(tmp_path: Path) -> None:
    from isocost.preparing.prepare import Prepared
    from isocost.records import Problem
    from tests.builders import study

    problems = {"train": [Problem(id=f"p{i}", question=str(i), answer="1") for i in range(3)]}
    arms = {name: {"models": ["weak"], "curate": {"problems": n}} for name, n in (("two", 2), ("three", 3), ("many", 9))}
    prepared = Prepared(study=study(arms=arms), problems=problems, cards={}, specs={}, identities={}, facts={}, templates={})
    assert {arm: rules.rules_of(prepared, arm, ()).problems for arm in arms} == {"two": {"p0", "p1"}, "three": None, "many": None}
