"""How the last start of a run ended, and what goes on with it."""

import json
import os
from pathlib import Path

import pytest

from isocost.errors import LimitReachedError, StorageError
from isocost.events import Note, StageProgress
from isocost.preparing.changes import note_changes
from isocost.preparing.executing import ExecutorChoice
from isocost.running.starts import FILE, Start, resume_command
from isocost.store import RunDirectory
from isocost.summaries.status import KILLED, START, status_of, to_text

LIMIT = "stopped at the limit: $4.98 of $5.00 spent\n  3 of 4 samples are saved\n  raise limit.amount and run the same command again"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text("name: x\n")
    return tmp_path


def ended(out: Path, error: BaseException | None) -> str:
    """The status after a start that ended with an error, or well."""
    with RunDirectory(out) as directory:
        start = Start(directory, "isocost run study.yaml")
        if error is None:
            with start:
                pass
        else:
            with pytest.raises(type(error)), start:
                raise error
    return to_text(status_of(out))


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            LimitReachedError(LIMIT),
            ["stopped at the limit: $4.98 of $5.00 spent", "  raise limit.amount and run the same command again"],
        ),
        (KeyboardInterrupt(), ["stopped: Ctrl-C, or a signal to stop"]),
        (StorageError("x: the disk is full"), ["stopped: x: the disk is full"]),
        (ValueError("odd\nvery"), ["stopped: unexpected ValueError: odd"]),
    ],
)
def test_a_run_that_stopped_says_why_and_what_goes_on(out: Path, error: BaseException, lines: list[str]) -> None:
    said = ended(out, error).splitlines()
    assert said[: len(lines) + 2] == [f"run: {out}", *lines, "resume with: isocost run study.yaml"]


def test_a_finished_run_says_so_though_its_process_lives(out: Path) -> None:
    assert ended(out, None).splitlines()[0] == f"run: {out} (finished)"
    assert "resume with" not in to_text(status_of(out))


def test_a_run_under_way_says_which_process(out: Path) -> None:
    with RunDirectory(out) as directory, Start(directory, "isocost run study.yaml"):
        assert to_text(status_of(out)).splitlines()[0] == f"run: {out} (running, process {os.getpid()})"
        assert status_of(out)["pid"] == os.getpid()


def test_a_killed_run_says_so(out: Path) -> None:
    with RunDirectory(out) as directory:
        Start(directory, "isocost run study.yaml").begin()
    (out / "lock").write_text("4194305")  # above the largest number that a process may have
    assert to_text(status_of(out)).splitlines()[1] == f"stopped: {KILLED}"
    entry = json.loads((out / FILE).read_text())
    (out / FILE).write_text(json.dumps({**entry, "ended": "now"}))
    assert status_of(out)["finished"]


def test_nothing_is_written_where_there_is_no_study(tmp_path: Path) -> None:
    with RunDirectory(tmp_path) as directory:
        with pytest.raises(ValueError, match="x"), Start(directory, "isocost"):
            raise ValueError("x")
        assert not (tmp_path / FILE).exists()
        assert directory.unknown_names() == []
    assert FILE == START


def test_the_command_that_goes_on(tmp_path: Path) -> None:
    study, out = tmp_path / "my study.yaml", tmp_path / "out"
    ray = ExecutorChoice(name="ray", address="auto")
    said = resume_command(study, out, "report", settings=["limit.amount=5"], strict=True, executor=ray)
    assert said == f"isocost run '{study}' -o {out} --set limit.amount=5 --strict --executor ray --address auto"
    assert resume_command(None, out, "evaluate") == f"isocost evaluate {out}"
    assert resume_command(study, out, "sample") == f"isocost run '{study}' -o {out} --until sample"
    assert resume_command(None, out, "sample") == f"isocost sample {out}"


def test_settings_that_changed_since_the_last_start_are_said() -> None:
    said: list[str] = []

    def listen(event: StageProgress | Note) -> None:
        assert isinstance(event, Note)
        said.append(event.text)

    old = "limit: {unit: usd, amount: 50}\nmodels: {weak: {n: 8}}\n"
    note_changes(None, old, listen)
    note_changes(old, old.replace("\n", " \n"), listen)
    assert said == []
    note_changes(old, "limit: {unit: usd, amount: 5}\nmodels: {weak: {n: 8}}\nseed: 1\n", listen)
    assert said == ["settings changed since the last start: limit.amount 5 (was 50), seed 1 (was not set)"]
