"""Training sets of cells, with texts read from the table."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from isocost.curating import Rules
from isocost.metrics.diversity import distinct_key
from isocost.prompts.base import Template
from isocost.records import Allocation, Cell, Outcome
from isocost.results import trainsets
from isocost.results.trainsets import Asked, Candidates, RowForm
from isocost.store import RunDirectory
from tests.results.tabled import MODELS, PROBLEMS, Draw, all_of, draw, table

ALL, SOME = Cell(arm="all", budget=None), Cell(arm="some", budget="low")
QUESTIONS = {problem: f"What is {problem}?" for problem in PROBLEMS}
FORM = RowForm(template=Template(form="Q: {question}\nA:\n", chat=True, system="Be brief."))


def drawn() -> list[Draw]:
    return [
        draw(model, problem, index, Outcome.INCORRECT if index == 3 else Outcome.CORRECT, generation=f"{problem} way {index // 2}")
        for index in range(5)
        for problem in PROBLEMS
        for model in MODELS
    ]


@pytest.mark.parametrize("distinct", ["string", "normalised", None])
@pytest.mark.parametrize("part", [2, 100])
def test_a_cell_keeps_the_texts_of_its_own_draws(tmp_path: Path, distinct: str | None, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainsets, "_ROWS", part)
    draws = drawn()
    some = [Allocation(problem_id=problem, model="weak", first_index=0, count=3) for problem in PROBLEMS]
    made = table(tmp_path, draws, {ALL: all_of(draws), SOME: some})
    by_id = {each["id"]: each for each in draws}
    candidates = Candidates.of(made, Asked(distinct=distinct), 0)  # type: ignore[arg-type]
    for cell, own in ((ALL, draws), (SOME, [each for each in draws if each["model"] == "weak" and each["sample_index"] < 3])):
        curated = candidates.curate(cell, Rules())
        parts = list(trainsets.rows(made, curated, QUESTIONS, FORM))
        assert all(each.height <= part for each in parts)
        rows = [row for each in parts for row in each.to_dicts()]
        order = [(row["problem_id"], row["model"], by_id[row["sample_id"]]["sample_index"]) for row in rows]
        assert order == sorted(order)
        assert all(row["completion"] == by_id[row["sample_id"]]["generation"] for row in rows)
        assert all(row["prompt"] == f"Q: {QUESTIONS[row['problem_id']]}\nA:\n" for row in rows)
        right = [each for each in own if each["outcome"] is Outcome.CORRECT]
        texts = {(each["problem_id"], distinct_key(each["generation"], distinct) if distinct else each["id"]) for each in right}  # type: ignore[arg-type]
        assert len(rows) == len(texts) == curated.kept.size
        assert {row["sample_id"] for row in rows} <= {each["id"] for each in right}


def test_a_set_of_several_parts_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = drawn()
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    curated = Candidates.of(made, Asked(distinct=None), 0).curate(ALL, Rules())
    directory = RunDirectory(tmp_path)
    whole = directory.write_frames(trainsets.rows(made, curated, QUESTIONS, FORM), "whole.parquet")
    monkeypatch.setattr(trainsets, "_ROWS", 7)
    split = directory.write_frames(trainsets.rows(made, curated, QUESTIONS, FORM), "split.parquet")
    assert pl.read_parquet(whole).equals(pl.read_parquet(split))
    assert pl.read_parquet_schema(whole) == pl.read_parquet_schema(split)


def test_a_cell_without_a_correct_draw_has_an_empty_set(tmp_path: Path) -> None:
    draws = [draw("weak", "p1", 0, Outcome.INCORRECT)]
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    curated = Candidates.of(made, Asked(distinct="string"), 0).curate(ALL, Rules())
    assert (curated.kept.size, dict(curated.funnel)["incorrect"]) == (0, 1)
    for chat, columns in ((False, {"prompt", "completion"}), (True, {"messages"})):
        written = RunDirectory(tmp_path).write_frames(trainsets.rows(made, curated, QUESTIONS, replace(FORM, chat=chat)), "none.parquet")
        assert pl.read_parquet(written).is_empty()
        assert set(pl.read_parquet_schema(written)) == {"problem_id", "model", "sample_id"} | columns


def test_a_cell_may_keep_wrong_solutions_and_the_others_keep_the_same_as_without_it(tmp_path: Path) -> None:
    draws = drawn()
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    alone = Candidates.of(made, Asked(distinct="string"), 0)
    beside = Candidates.of(made, Asked(distinct="string", correct_only=False, ways=True), 0)
    assert beside.curate(ALL, Rules()).kept.tolist() == alone.curate(ALL, Rules()).kept.tolist()
    assert beside.solutions().tolist() == alone.solutions().tolist()
    unfiltered = beside.curate(ALL, Rules(correct_only=False, per_problem=None))
    wrong = (made.draws["outcome"] == "incorrect").to_numpy()
    assert wrong[unfiltered.kept].any()


def test_verdicts_of_steps_and_of_a_judge_leave_different_solutions_out(tmp_path: Path) -> None:
    texts = ["1 + 1 = 2", "1 + 1 = 3", "no equation"]
    draws = [draw("weak", "p1", index, generation=text) for index, text in enumerate(texts)]
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    ids = [each["id"] for each in draws]
    candidates = Candidates.of(made, Asked(distinct=None, steps=True), 0, {ids[0]: False, ids[1]: True})
    own = {by: candidates.curate(ALL, Rules(sound_only=True), by).kept.tolist() for by in (("steps",), ("judge",), ("steps", "judge"))}
    assert own == {("steps",): [0, 2], ("judge",): [1, 2], ("steps", "judge"): [2]}


def test_conversations_have_the_messages_that_the_student_is_asked_with(tmp_path: Path) -> None:
    draws = [draw("weak", "p1", 0, Outcome.CORRECT, generation="It is 1.\n#### 1")]
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    curated = Candidates.of(made, Asked(distinct="string"), 0).curate(ALL, Rules())
    (part,) = trainsets.rows(made, curated, QUESTIONS, replace(FORM, chat=True))
    (row,) = part.to_dicts()
    assert list(row) == ["problem_id", "messages", "model", "sample_id"]
    assert row["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Q: What is p1?\nA:\n"},
        {"role": "assistant", "content": "It is 1.\n#### 1"},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("chat", [False, True])
def test_the_datasets_library_loads_one_folder_as_one_cell(tmp_path: Path, *, chat: bool) -> None:
    datasets = pytest.importorskip("datasets")
    draws = drawn()
    made = table(tmp_path, draws, {ALL: all_of(draws)})
    directory, sizes = RunDirectory(tmp_path / "run"), {}
    for cell, most in ((ALL, None), (SOME, 1)):
        curated = Candidates.of(made, Asked(distinct="string", ways=most is not None), 0).curate(ALL, Rules(per_problem=most))
        directory.write_frames(trainsets.rows(made, curated, QUESTIONS, replace(FORM, chat=chat)), "trainsets", cell.name, trainsets.FILE)
        directory.write_text("# a card\n", "trainsets", cell.name, trainsets.CARD)
        sizes[cell.name] = curated.kept.size
    for name, size in sizes.items():
        found = datasets.load_dataset(str(tmp_path / "run" / "trainsets" / name), cache_dir=str(tmp_path / "cache"))
        assert {split: rows.num_rows for split, rows in found.items()} == {"train": size}
        assert ("messages" in found["train"].column_names) == chat
    assert len(set(sizes.values())) == 2


def test_files_of_earlier_versions_are_found(tmp_path: Path) -> None:
    (tmp_path / "trainsets").mkdir()
    old = tmp_path / "trainsets" / "weak@low.parquet"
    old.touch()
    assert trainsets.find(tmp_path, "weak@low") == (old, old.with_suffix(".md"))
    (tmp_path / "trainsets" / "weak@low").mkdir()
    assert [path.name for path in trainsets.find(tmp_path, "weak@low")] == ["train.parquet", "README.md"]


def test_solutions_whose_reasoning_is_trained_on_are_compared_and_audited_with_it(tmp_path: Path) -> None:
    thoughts = ["2 + 2 = 4", "2 + 2 = 4", "1 + 3 = 4", "2 + 1 = 4"]
    draws = [draw("weak", "p1", index, generation="4", reasoning=thought) for index, thought in enumerate(thoughts)]
    made = table(tmp_path, draws, {ALL: all_of(draws)}, extras=["reasoning"])
    funnels = {}
    for form in (None, "<think>{reasoning}</think>"):
        asked = Asked(distinct="equations", ways=True, steps=True, reasoning=form)
        candidates = Candidates.of(made, asked, 0)
        kept = dict(candidates.curate(ALL, Rules(sound_only=True)).funnel)
        funnels[form] = [kept[reason] for reason in ("unsound", "duplicate", "kept")]
        assert len(set(candidates.solutions().tolist())) == (1 if form is None else 3)
        assert candidates.found["way"].n_unique() == (1 if form is None else 3)
    assert funnels == {None: [0, 3, 1], "<think>{reasoning}</think>": [1, 1, 2]}
