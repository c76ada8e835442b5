"""`isocost export`: data sets that load, a card that says what they are, and the same measures after an import."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from isocost.cli import main
from isocost.errors import InputError, IsocostError, RunDirectoryError
from isocost.exporting import SHAPES, export
from isocost.exporting.shapes import Shape
from isocost.importing import import_samples
from isocost.measuring import survey_file, survey_json
from isocost.running import run
from isocost.store import RunDirectory
from isocost.tables.imports import Wishes
from isocost.viewer.labelbook import LabelBook
from tests.builders import write_study

CELL = "weak@low"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    return run(write_study(folder, n_problems=12), folder / "run").directory


def rows(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(file_of(folder))


def file_of(folder: Path) -> Path:
    (path,) = (folder / "data").glob("train-00000-of-00001-????????????????.parquet")
    return path


def measured(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = survey_json(survey_file(path, (1, 2, 5)))["models"]["weak"]
    return found


@pytest.mark.parametrize("shape", ["parquet", "open-r1"])
def test_export_then_import_gives_the_same_measures(finished: Path, tmp_path: Path, shape: str) -> None:
    made = export(finished, CELL, shape, tmp_path / "data")
    problems = set(pl.read_parquet(tmp_path / "data" / "data" / "*.parquet")["problem_id"])
    assert 0 < made.of_problems == len(problems) <= made.problems
    import_samples([str(tmp_path / "data" / "data")], str(tmp_path / "table.parquet"), Wishes())
    before, after = measured(finished / "samples.parquet"), measured(tmp_path / "table.parquet")
    # A table of open-r1 has no costs.
    left_out = {"cost_per_draw", "cost_per_correct"} if shape == "open-r1" else set()
    assert {name: value for name, value in after.items() if name not in left_out} == {
        name: value for name, value in before.items() if name not in left_out
    }
    assert made.rows == (12 if shape == "open-r1" else 72)
    cell = json.loads((finished / "measures.json").read_text())["cells"][CELL]
    assert after["covered"] == {name: cell["covered"][name] for name in ("value", "low", "high", "n")}


@pytest.mark.slow
def test_draws_of_a_pilot_are_among_those_of_a_cell(tmp_path: Path) -> None:
    study = write_study(tmp_path, n_problems=12, pilot={"problems": 5, "samples_per_problem": 3})
    directory = run(study, tmp_path / "run").directory
    cells = json.loads((directory / "measures.json").read_text())["cells"]
    for name in (CELL, "strong@low"):
        export(directory, name, "parquet", tmp_path / name)
        found = rows(tmp_path / name)
        assert found.height == cells[name]["n_samples"]
        # A cell's draws of a problem are the first ones of the model's pool, the pilot's before all others.
        assert found.group_by("problem_id").agg(gap=pl.col("sample_index").max() + 1 - pl.len())["gap"].to_list() == [0] * 12


def test_a_cell_has_its_own_draws_and_no_others(finished: Path, tmp_path: Path) -> None:
    export(finished, "equal", "parquet", tmp_path / "data")
    found = rows(tmp_path / "data")
    assert found.height == 24
    assert found["sample_index"].max() == 1  # weak@low drew six of each problem out of the same pool


def test_the_training_set_comes_in_three_forms(finished: Path, tmp_path: Path) -> None:
    for shape in ("messages", "prompt-completion", "text"):
        export(finished, CELL, shape, tmp_path / shape)
    kept = pl.read_parquet(finished / "trainsets" / CELL / "train.parquet")
    pairs, texts, chats = (rows(tmp_path / shape) for shape in ("prompt-completion", "text", "messages"))
    assert pairs.select("prompt", "completion").equals(kept.select("prompt", "completion"))
    assert texts["text"].to_list() == [prompt + completion for prompt, completion in kept.select("prompt", "completion").rows()]
    first = chats["messages"].to_list()[0]
    assert [message["role"] for message in first] == ["user", "assistant"]
    assert first[0]["content"].startswith("What is ")
    assert first[1]["content"] == kept["completion"][0].strip()
    assert chats["sample_id"].to_list() == kept["sample_id"].to_list()


def test_kto_has_every_graded_draw_with_a_label(finished: Path, tmp_path: Path) -> None:
    export(finished, CELL, "kto", tmp_path / "data")
    samples = pl.read_parquet(finished / "samples.parquet").filter(pl.col("model") == "weak")
    found = rows(tmp_path / "data")
    assert (found.height, found["label"].sum()) == (72, samples["correct"].sum())
    assert found["prompt"][0] == "Question: What is 0 + 7?\nAnswer:"


def test_reasoning_beside_the_solutions_goes_along(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    for name in ("samples.parquet", f"trainsets/{CELL}/train.parquet"):
        frame = pl.read_parquet(tmp_path / "run" / name)
        thought = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("hm"))
        frame.with_columns(reasoning=thought, num_reasoning_tokens=pl.lit(3)).write_parquet(tmp_path / "run" / name)
    for name in ("samples.json", "digests.jsonl"):  # the digests of what was there before
        (tmp_path / "run" / name).unlink()
    study = yaml.safe_load((tmp_path / "run" / "study.yaml").read_text())
    (tmp_path / "run" / "study.yaml").write_text(yaml.safe_dump({**study, "curate": {"reasoning": "<think>{reasoning}</think>"}}))
    for shape in ("parquet", "messages", "prompt-completion", "kto"):
        export(tmp_path / "run", CELL, shape, tmp_path / shape)
    assert rows(tmp_path / "parquet").select("reasoning", "num_reasoning_tokens").head(2).rows() == [("hm", 3), (None, 3)]
    assert rows(tmp_path / "messages")["reasoning"].to_list()[:2] == ["hm", None]
    assert rows(tmp_path / "prompt-completion").columns[-1] == "reasoning"
    texts = rows(tmp_path / "parquet")["generation"].to_list()
    assert rows(tmp_path / "kto")["completion"].to_list()[:2] == [f"<think>hm</think>{texts[0]}", texts[1]]


def test_kto_rows_have_the_form_in_which_the_student_is_trained(finished: Path, tmp_path: Path) -> None:
    study = changed(finished, tmp_path / "run")
    study["models"]["strong"] |= {"prompt": {"form": "Q: {question}\nA: "}, "reasoning": {"open": "<r>", "close": "</r>"}}
    study["problems"] |= {split: {"source": "lab", "split": split} for split in ("validation", "test")}
    study["finetune"] = {"students": ["strong"], "arms": ["weak"], "reasoning": "keep"}
    (tmp_path / "run" / "study.yaml").write_text(yaml.safe_dump(study))
    samples = pl.read_parquet(tmp_path / "run" / "samples.parquet")
    samples.with_columns(reasoning=pl.lit("hm")).write_parquet(tmp_path / "run" / "samples.parquet")
    (tmp_path / "run" / "samples.json").unlink(missing_ok=True)  # the digest of the table that was there before
    export(tmp_path / "run", CELL, "kto", tmp_path / "data")
    first = rows(tmp_path / "data").row(0, named=True)
    assert first["prompt"] == "Q: What is 0 + 7?\nA: "
    assert first["completion"] == f"<r>\nhm\n</r>\n\n{samples['generation'][0]}"
    card = (tmp_path / "data" / "README.md").read_text()
    assert "Solutions of `weak`:\n\n```yaml\ntemplate: gsm8k\n```" in card
    assert "Rows of training sets, for `strong`, without worked examples:\n\n```yaml\nform:" in card


def test_the_card_of_judged_solutions_names_the_judge(finished: Path, tmp_path: Path) -> None:
    study = changed(finished, tmp_path / "run")
    (tmp_path / "run" / "study.yaml").write_text(yaml.safe_dump({**study, "grader": {"name": "judge", "model": "strong"}}))
    export(tmp_path / "run", CELL, "messages", tmp_path / "data")
    card = (tmp_path / "data" / "README.md").read_text()
    assert "Correct solutions were judged correct by the model `strong`; they were not compared with reference answers." in card
    assert "reach the reference answer" not in card


def changed(finished: Path, run: Path) -> dict[str, Any]:
    """Copy a run and return its study, to be changed."""
    shutil.copytree(finished, run)
    study: dict[str, Any] = yaml.safe_load((run / "study.yaml").read_text())
    return study


def test_a_training_set_that_is_older_than_its_labels_is_named(finished: Path, tmp_path: Path) -> None:
    study = changed(finished, tmp_path / "run")
    study["curate"] = {**study.get("curate", {}), "audit": "labels"}
    labels = tmp_path / "run" / "audits" / "labels.jsonl"
    labels.write_text("")
    assert export(tmp_path / "run", CELL, "messages", tmp_path / "unlabelled").note == ""
    (tmp_path / "run" / "study.yaml").write_text(yaml.safe_dump(study))
    reported = (tmp_path / "run" / "report.md").stat().st_mtime_ns
    os.utime(labels, ns=(reported + 1, reported + 1))
    note = f"people have labelled since {CELL} was made; isocost report {tmp_path / 'run'} makes it again"
    assert export(tmp_path / "run", CELL, "messages", tmp_path / "stale").note == note
    assert export(tmp_path / "run", CELL, "kto", tmp_path / "draws").note == ""  # every draw, whatever people say
    os.utime(labels, ns=(reported - 1, reported - 1))
    assert export(tmp_path / "run", CELL, "messages", tmp_path / "made").note == ""


def test_rows_that_people_labelled_unsound_are_counted(finished: Path, tmp_path: Path) -> None:
    """By default labels measure, and take nothing out."""
    copied = tmp_path / "a run"
    shutil.copytree(finished, copied)
    kept = rows_of(copied, tmp_path / "before")
    first, second, third = kept["sample_id"].to_list()[:3]
    book = LabelBook(copied, "ann")
    for sample_id, verdict in ((first, "unsound"), (second, "sound"), (third, "unsure")):
        book.say(sample_id, verdict)
    command = f"isocost run STUDY.yaml -o '{copied}' --set curate.audit=labels"
    told = f"1 row is a solution that people labelled unsound; to leave such out and buy nothing: {command}"
    assert export(copied, CELL, "messages", tmp_path / "after").note == told
    assert export(copied, CELL, "kto", tmp_path / "draws").note == ""
    LabelBook(copied, "bob").say(first, "sound")  # they disagree
    assert export(copied, CELL, "messages", tmp_path / "disagreed").note == ""


def rows_of(run: Path, folder: Path) -> pl.DataFrame:
    export(run, CELL, "messages", folder)
    return rows(folder)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_form_loads_with_the_datasets_library(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    datasets = pytest.importorskip("datasets")
    made = export(finished, CELL, shape, tmp_path / "data")
    found = datasets.load_dataset(str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["train"]
    assert found["train"].num_rows == made.rows
    assert set(found["train"].column_names) == set(SHAPES[shape].schema)


def test_a_folder_that_is_made_again_is_no_stale_one_to_the_datasets_library(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    (tmp_path / "elsewhere").mkdir()

    def loaded(folder: Path) -> list[str]:
        found: list[str] = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))["sample_id"]
        return list(found)

    cells = [path.name for path in sorted((finished / "trainsets").glob("*@*"))]
    for cell in cells:
        own = pl.read_parquet(finished / "trainsets" / cell / "train.parquet")["sample_id"].to_list()
        for folder in (tmp_path / "data", tmp_path / "elsewhere" / "data"):  # the same name again, and at another place
            shutil.rmtree(folder, ignore_errors=True)
            export(finished, cell, "messages", folder)
            assert loaded(folder) == own
        copied = tmp_path / "copies" / "a@b"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(finished / "trainsets" / cell, copied, copy_function=shutil.copy)
        assert loaded(copied) == own
    assert len(cells) > 1
    assert len({tuple(loaded(finished / "trainsets" / cell)) for cell in cells}) == len(cells)


def test_the_card_says_what_the_data_are(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["isocost", "export", str(finished), "--arm", CELL, "-o", str(tmp_path / "data")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    text = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    _, front, card = text.split("---\n", 2)
    assert yaml.safe_load(front)["configs"][0]["data_files"][0]["path"] == f"data/{file_of(tmp_path / 'data').name}"
    cell = json.loads((finished / "measures.json").read_text())["cells"][CELL]
    covered = cell["covered"]
    for said in (
        f"# recorded: {CELL}",
        f"{100 * covered['value']:.1f}% [{100 * covered['low']:.1f}, {100 * covered['high']:.1f}] | 12",
        "- budget: 9.2 MFLOPs over all problems",
        "- realised: 72 draws, ",
        "template: gsm8k",
        "right answer, wrong reasoning. Judged by checking the equations in the text, so it is probably too low.",
        "| weak |",
        "replay:",
        f"$ isocost export run --arm {CELL} --format messages -o data",
    ):
        assert said in card
    assert str(finished.parent) not in text  # a path of this machine


@pytest.mark.slow
def test_the_card_of_unfiltered_data_promises_no_correct_answers(tmp_path: Path) -> None:
    out = run(write_study(tmp_path, n_problems=6, curate={"filter": "none"}), tmp_path / "run").directory
    export(out, CELL, "messages", tmp_path / "data")
    card = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    assert "Solutions are kept whatever their answer" in card
    assert "Correct solutions reach the reference answer" not in card


def test_the_card_has_the_rate_of_the_way_that_it_names(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    rates = json.loads((run / "audits" / "rates.json").read_text())
    rates["models"]["weak"] |= {
        "best": "combined",
        "rates": {"steps": {"value": 0.0}, "combined": {"value": 0.25, "low": 0.013, "high": 0.796, "n": 4}},
    }
    RunDirectory(run).write_json(rates, "audits", "rates.json")
    export(run, CELL, "messages", tmp_path / "data")
    card = (tmp_path / "data" / "README.md").read_text(encoding="utf-8")
    assert (
        "- `weak`: 25.0% [1.3, 79.6] of the problems that it solved (n 4): right answer, wrong reasoning. Judged by a check of all" in card
    )


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def other_rounds(folder: Path) -> None:
    path = folder / "arms" / CELL / "rounds.jsonl"
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, "allocations": line["allocations"][1:]}) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("study.yaml"), "holds what a run bought, but no study.yaml\n  restore it from a copy"),
        (without("samples.parquet"), "has no samples.parquet\n  finish it: isocost report"),
        (without("measures.json"), "has no measures of its cells"),
        (without(f"trainsets/{CELL}/train.parquet"), f"has no trainsets/{CELL}/train.parquet"),
        (other_rounds, f"the draws of {CELL} are not those that were measured"),
    ],
)
def test_an_unfinished_or_damaged_run_is_refused_and_nothing_is_written(
    finished: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(IsocostError) as caught:
        export(tmp_path / "run", CELL, "parquet", tmp_path / "data")
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_rounds_of_earlier_terms_do_not_count(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    path = tmp_path / "run" / "arms" / CELL / "rounds.jsonl"
    line = json.loads(path.read_text())
    fewer = {**line, "terms": "0" * 16, "allocations": [[p, m, first, 1] for p, m, first, _ in line["allocations"]]}
    path.write_text("".join(json.dumps(each) + "\n" for each in (fewer, line, {**fewer, "terms": "1" * 16})), encoding="utf-8")
    assert export(tmp_path / "run", CELL, "parquet", tmp_path / "data").rows == 72


@pytest.mark.parametrize(
    ("arm", "shape", "message"),
    [
        ("week@low", "text", 'the run has no cell "week@low"\n  did you mean "weak@low"?'),
        ("strong@high", "text", 'the run has no cell "strong@high"'),
        (CELL, "message", 'unknown format "message"\n  did you mean "messages"?'),
    ],
)
def test_names_that_do_not_exist_are_refused(finished: Path, tmp_path: Path, arm: str, shape: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        export(finished, arm, shape, tmp_path / "data")
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_without_an_arm_the_cells_of_a_run_are_named(finished: Path, tmp_path: Path) -> None:
    measures = json.loads((finished / "measures.json").read_text())["cells"]
    with pytest.raises(InputError) as caught:
        export(finished, None, "messages", tmp_path / "data")
    assert all(f"{name} ({cell['n_kept']} solutions)" in str(caught.value) for name, cell in measures.items())
    shutil.copytree(finished, tmp_path / "run")
    path = tmp_path / "run" / "measures.json"
    path.write_text(json.dumps({"cells": {CELL: measures[CELL]}}))
    (tmp_path / "run" / "digests.jsonl").unlink()
    assert export(tmp_path / "run", None, "messages", tmp_path / "data").cell == CELL
    assert f"--arm {CELL} " in (tmp_path / "data" / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_exists_is_left_as_it_is(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        export(finished, CELL, "text", tmp_path)
    with pytest.raises(InputError, match="its parent folder does not exist"):
        export(finished, CELL, "text", tmp_path / "no" / "data")


def test_an_error_in_the_middle_leaves_no_folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(cell: object) -> Any:
        raise KeyboardInterrupt

    shape = SHAPES["text"]
    monkeypatch.setitem(SHAPES, "text", Shape(schema=shape.schema, rows=failing, about="", is_training_set=True))
    with pytest.raises(KeyboardInterrupt):
        export(finished, CELL, "text", tmp_path / "data")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_card_counts_the_problems_that_nearly_repeat_others(tmp_path: Path) -> None:
    study = write_study(tmp_path, n_problems=12)
    same = [{"id": f"t{i}", "question": f"What is {i} + {i}?", "answer": str(2 * i)} for i in range(3)]
    (tmp_path / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in same))
    sets = {"decontaminate": ["test"], "ngram": 3, "overlap": 0.5}
    settings = ["problems.test={source: jsonl, path: test.jsonl}", f"curate={json.dumps(sets)}"]
    run_directory = run(study, tmp_path / "run", settings=settings).directory
    found = json.loads((run_directory / "trainsets" / "contaminated.json").read_text())
    assert found
    export(run_directory, CELL, "parquet", tmp_path / "data")
    assert f"{len(found)} training problems nearly repeat a problem of `test`" in (tmp_path / "data" / "README.md").read_text()
    (run_directory / "trainsets" / "contaminated.json").write_text("{}")
    with pytest.raises(IsocostError, match=r"contaminated\.json was changed after the run had written it"):
        export(run_directory, CELL, "parquet", tmp_path / "other")
    (run_directory / "digests.jsonl").unlink()  # as a run of an earlier version
    with pytest.raises(IsocostError, match=r"contaminated\.json: does not hold a list\n  make it again: isocost report"):
        export(run_directory, CELL, "parquet", tmp_path / "other")


def test_a_damaged_training_set_is_named(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    data = copy / "trainsets" / CELL / "train.parquet"
    (copy / "digests.jsonl").unlink()  # as a run of an earlier version
    data.write_bytes(data.read_bytes()[:40] + b"x" * 400 + data.read_bytes()[-60:])
    with pytest.raises(RunDirectoryError, match=r"train\.parquet: cannot be read.*\n  write it again: isocost report "):
        export(copy, CELL, "messages", tmp_path / "data")


@pytest.mark.parametrize(
    "name", ["measures.json", f"trainsets/{CELL}/train.parquet", f"trainsets/{CELL}/README.md", "problems/train.parquet", "manifest.json"]
)
def test_a_file_that_is_not_the_one_that_the_run_wrote_is_not_exported(finished: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    path = copy / name
    if path.suffix == ".parquet":
        pl.read_parquet(path).reverse().write_parquet(path)  # as readable as that of another run
    else:
        path.write_text(path.read_text() + "\n")
    with pytest.raises(RunDirectoryError, match=rf"{name} was changed after the run had written it\n  isocost report .* writes it again"):
        export(copy, CELL, "messages", tmp_path / "data")
    assert not (tmp_path / "data").exists()
    (copy / "digests.jsonl").unlink()  # a run of an earlier version stored none
    assert export(copy, CELL, "messages", tmp_path / "data").rows


@pytest.mark.parametrize("kept", ["digests", "none"])
@pytest.mark.parametrize(
    "name", ["samples.parquet", "problems/train.parquet", "study.yaml", f"trainsets/{CELL}/train.parquet", f"trainsets/{CELL}/README.md"]
)
def test_a_pipe_in_the_place_of_a_file_of_the_run_keeps_no_export_waiting(finished: Path, tmp_path: Path, name: str, kept: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    if kept == "none":
        (copy / "digests.jsonl").unlink()
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(IsocostError, match=rf"{name}: .*is not an ordinary file, but a pipe or a device"):
        export(copy, CELL, "messages", tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("data", "said"), [(b"PAR1", "cannot be read: "), (None, "is a folder, not a file\n  move it away, and ")])
def test_a_damaged_pilot_is_named_by_export(finished: Path, tmp_path: Path, data: bytes | None, said: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    (copy / "pilot.parquet").mkdir() if data is None else (copy / "pilot.parquet").write_bytes(data)
    with pytest.raises(RunDirectoryError) as caught:
        export(copy, CELL, "messages", tmp_path / "data")
    assert f"{copy / 'pilot.parquet'}: {said}" in str(caught.value)
    assert str(caught.value).endswith(f"write it again: isocost report {copy}")
