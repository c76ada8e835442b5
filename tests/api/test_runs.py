"""Studies, runs and functions in Python: what the command line prints, as records and frames."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import isocost
from isocost.api.progress import NotebookProgress
from isocost.errors import InputError, RunDirectoryError, StudyError, TableError
from isocost.events import Note, StageProgress
from isocost.running import runs
from tests.builders import InlineExecutor, nested, raw_study, write_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> isocost.Run:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LocalExecutor", InlineExecutor)
        return isocost.run(str(write_study(folder)), str(folder / "run"), progress=False)


def test_a_run_gives_frames(finished: isocost.Run) -> None:
    assert finished.samples.height == finished.verdicts.height > 0
    assert {"problem_id", "model", "correct"} <= set(finished.verdicts.columns)
    assert set(finished.training_sets) == set(finished.arms["cell"]) == {"weak@low", "strong@low", "equal@number"}
    cell = finished.measures["cells"]["weak@low"]
    assert finished.arms["covered_share"][0] == pytest.approx(cell["covered"]["value"])
    assert finished.problems.height == 30
    assert finished.report.name == "report.html"
    assert finished.headline == isocost.Run(str(finished.directory)).headline
    assert finished.status() == isocost.status(finished.directory)


def test_a_training_set_is_found_by_its_arm(finished: isocost.Run) -> None:
    sets = finished.training_sets
    assert sets["weak"].equals(sets["weak@low"])
    with pytest.raises(KeyError, match=r"no one cell is named 'wek'; cells: .*weak@low"):
        sets["wek"]


def test_a_table_may_be_a_run(finished: isocost.Run) -> None:
    assert isocost.measure(finished, k=1).to_dict() == isocost.measure(finished.directory, k=1).to_dict()
    assert isocost.read_samples(finished).height == finished.samples.height


def test_an_iterated_study_has_a_run_per_round(finished: isocost.Run, tmp_path: Path) -> None:
    assert [each.directory for each in finished.rounds] == [finished.directory]
    folders = [tmp_path, *(tmp_path / "rounds" / name for name in ("2", "10"))]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.yaml").write_text("name: a\n")
    (tmp_path / "rounds" / "11").mkdir()  # not begun
    assert [each.directory for each in isocost.Run(tmp_path).rounds] == folders


def test_training_sets_of_earlier_versions_are_found() -> None:
    old = isocost.Run(Path(__file__).parents[1] / "oldruns" / "0.1.0" / "trained" / "run").training_sets
    assert set(old) == {"weak@low", "strong@low", "equal@number"}


def test_functions_return_what_the_command_line_prints(finished: isocost.Run) -> None:
    by_path, by_frame = isocost.measure(str(finished.directory)), isocost.measure(finished.samples, k=[1, 2])
    assert {"weak", "strong"} == set(by_path.to_dict()["models"]) == set(by_frame.to_dict()["models"])
    assert "| " in by_path.text
    assert by_path._repr_markdown_() == str(by_path)
    assert isocost.forecast(finished.samples, pilot=2).to_dict()["pilot"] == 2
    assert len(isocost.backtest(finished.samples, targets=[0.3], seeds=5, cost={"weak": 1, "strong": 3}).record.targets) == 1
    planned = isocost.plan(finished.directory / ".." / "study.yaml")
    assert planned.record
    assert planned.to_dict()


def test_samples_are_written_and_read_as_they_were(finished: isocost.Run, tmp_path: Path) -> None:
    for name in ("a.parquet", "a.jsonl"):
        path = isocost.write_samples(finished.samples, str(tmp_path / name))
        assert isocost.read_samples(path)["problem_id"].to_list() == finished.samples["problem_id"].to_list()
    with pytest.raises(TableError, match="ends in"):
        isocost.write_samples(finished.samples, tmp_path / "a.csv")
    with pytest.raises(TableError):
        isocost.write_samples(pl.DataFrame({"text": ["a"]}), tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


def test_one_sided_prices_are_refused_in_the_same_words_from_a_file_a_dict_and_keywords(tmp_path: Path) -> None:
    one_sided = nested(raw_study(), "models", "weak", "price", value={"input": 1.0})
    file = write_study(tmp_path, **one_sided)
    for source, keys in ((file, {}), (one_sided, {}), (None, one_sided)):
        with pytest.raises(StudyError, match=r"models\.weak\.price: output is missing: US dollars per million generated tokens"):
            isocost.Study(source, **keys)
    one_sided = nested(raw_study(), "models", "weak", "price", value={"output": 1.0})
    file = write_study(tmp_path, **one_sided)
    needed = r"models\.weak\.price\.input is missing: prompts are paid too\n  give it, in USD per million tokens; 0 if they are free"
    for source, keys in ((file, {}), (one_sided, {}), (None, one_sided)):
        with pytest.raises(StudyError, match=needed):
            isocost.Study(source, **keys).run(tmp_path / "refused")


def test_solutions_of_a_frame_are_graded() -> None:
    rows = pl.DataFrame({"gold": ["4", "5"], "prediction": ["#### 4", "#### 6"]})
    assert isocost.verify(rows, grader="number", jobs=1)["outcome"].to_list() == ["correct", "incorrect"]


def test_rows_that_cannot_be_graded_and_misspelt_columns_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    graded = isocost.verify([{"gold": "4", "generaton": "#### 4"}], grader="number", jobs=1)
    assert graded["outcome"].to_list() == ["ungraded"]
    expected = 'solutions: 1 row could not be used: row 1 has no "prediction" (nor "generation"); rename its "generaton"'
    assert capsys.readouterr().err == f"note: {expected}\n"
    isocost.verify([{"gold": "4", "prediction": "#### 4", "problm_id": "p"}], grader="number", jobs=1)
    assert 'column "problm_id" is not read: it may be a misspelt "problem_id"' in capsys.readouterr().err


def test_misspelt_columns_of_a_frame_are_named() -> None:
    rows = [
        {"problem_id": f"p{i}", "model": "m", "correct": i > j, "num_generated_tokens": 9, "generaton": "x", "sampleindex": j}
        for i in range(6)
        for j in range(4)
    ]
    for answer in (isocost.measure(rows), isocost.forecast(rows), isocost.backtest(rows, policies=["uniform"], seeds=2)):
        assert 'column "generaton" is not read: it may be a misspelt "generation", which is missing.' in answer.text
        assert 'column "sampleindex" is not read: it may be a misspelt "sample_index", which is missing.' in answer.text


def test_a_cell_is_exported(finished: isocost.Run, tmp_path: Path) -> None:
    made = isocost.export(str(finished.directory), "weak@low", str(tmp_path / "data"))
    assert made.rows == finished.training_sets["weak@low"].height
    assert "--arm weak@low" in (tmp_path / "data" / "README.md").read_text()


def test_a_study_is_made_from_a_dict_and_from_keywords(finished: isocost.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.directory.parent)
    raw = raw_study()
    study = isocost.Study(raw)
    assert study.name == isocost.Study(**raw).name == raw["name"]
    assert study.to_dict() == raw
    assert isocost.Study("study.yaml", name="other").name == "other"
    assert isocost.plan(study).to_dict() == isocost.plan("study.yaml").to_dict()
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    again = study.run(tmp_path / "again", progress=False)
    assert again.measures["cells"] == finished.measures["cells"]
    assert isocost.Study(tmp_path / "again.yaml").name == study.name  # the study that can be run again


def test_a_study_never_takes_the_place_of_another_file(finished: isocost.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    mine = write_study(tmp_path)
    before = mine.read_text()
    changed = isocost.Study(mine, seed=3)
    with pytest.raises(InputError, match=r"study\.yaml: exists, and the study would be written there"):
        changed.run("study", progress=False)
    with pytest.raises(InputError, match="is no name for a run directory"):
        changed.run("/", progress=False)
    assert mine.read_text() == before
    changed.run("other", progress=False)
    changed.run("other", progress=False)  # its own copy is written again
    assert isocost.Study("other.yaml").name == changed.name


def test_a_study_that_was_refused_leaves_its_name_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    mine = write_study(tmp_path)
    wrong = isocost.Study(mine, problems={"train": {"source": "jsonl", "path": "none.jsonl"}})
    with pytest.raises(InputError, match="none"):
        wrong.run("out", progress=False)
    assert not (tmp_path / "out.yaml").exists()
    assert isocost.Study(mine, seed=3).run("out", until="sample", progress=False).directory.name == "out"


def test_arguments_out_of_range_are_refused(finished: isocost.Run, tmp_path: Path) -> None:
    table = finished.directory / "samples.parquet"
    with pytest.raises(InputError, match="k: must be at least 1, not 0"):
        isocost.measure(table, k=(0,))
    with pytest.raises(InputError, match="targets: each must be above 0, not 0"):
        isocost.backtest(table, targets=(0, 0.5))
    with pytest.raises(InputError, match="seeds: must be at least 2, not 1"):
        isocost.backtest(table, seeds=1)
    with pytest.raises(InputError, match="jobs: must be at least 1, not -1"):
        isocost.verify(pl.DataFrame({"gold": ["1"], "prediction": ["1"]}), jobs=-1)
    with pytest.raises(InputError, match="budgets=nan: is not an amount above 0"):
        isocost.forecast(table, budgets=(float("nan"),))
    with pytest.raises(InputError, match='no stage "samples"\n  did you mean "sample"'):
        isocost.run(write_study(tmp_path), tmp_path / "run", until="samples", progress=False)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="is no folder that isocost export has written"):
        isocost.push_to_hub(tmp_path / "nowhere", "owner/name")


@pytest.mark.parametrize(
    ("source", "message"), [({"name": "a"}, "missing"), ({"nmae": "a"}, "unknown key"), ("none.yaml", "none.yaml"), ({}, "missing")]
)
def test_a_wrong_study_is_refused_with_its_mistakes(source: str | dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises((StudyError, InputError), match=message):
        isocost.Study(source)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="is it a run directory"):
        isocost.Run(tmp_path)
    (tmp_path / "study.yaml").write_text("name: a\n")
    with pytest.raises(RunDirectoryError, match=r"no samples\.parquet yet"):
        isocost.Run(str(tmp_path)).samples  # noqa: B018


def test_it_runs_under_a_running_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)

    async def work() -> str:
        return isocost.run(write_study(tmp_path), tmp_path / "run", progress=False).headline

    assert "per problem" in asyncio.run(work())


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    """A spawned worker would run the script again, and the pool would break."""
    write_study(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, isocost\n"
        "with open('starts', 'a') as file: file.write('start\\n')\n"
        "run = isocost.run('study.yaml', 'run', until='sample', progress=False)\n"
        "print(run.samples.height)\n"
    )
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "starts").read_text().splitlines() == ["start"]
    assert int(done.stdout) > 0


def test_a_notebook_has_one_display_with_a_line_per_stage() -> None:
    shown: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            shown.append(bundle["text/plain"])

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        shown.append(bundle["text/plain"])
        return Handle()

    listener = NotebookProgress(display)
    for done in range(0, 101, 10):
        listener(
            StageProgress(
                stage="sample", done=done, total=100, unit="samples", seconds=done / 10, done_before=0, tokens=0, detail="",
                finished=done == 100, rate=10.0,
            )
        )  # fmt: skip
    listener(Note(text="cut off \x1b[2J"))
    assert 2 <= len(shown) < 11  # not a redraw per event
    assert shown[-1].splitlines()[0].startswith("sample    100/100 samples")
    assert "\x1b" not in shown[-1]


def test_measures_are_json(finished: isocost.Run) -> None:
    assert json.loads(json.dumps(isocost.measure(finished.directory).to_dict()))
