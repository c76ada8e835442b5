"""Errors become one to three lines and an exit status."""

from __future__ import annotations

import errno
import runpy
from pathlib import Path

import pytest

from isocost import cli
from isocost.cli.leaving import report_errors, stoppable
from isocost.errors import InputError, RunError, StudyError


def left(error: BaseException, *, debug: bool = False) -> int:
    """Return the exit status with which an error leaves."""
    with pytest.raises(SystemExit) as leaving, report_errors(debug=debug):
        raise error
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("a.jsonl: is missing\n  name another"), 2, "error: a.jsonl: is missing\n  name another\n"),
        (StudyError(["a: is missing", "b: is unknown"]), 2, "error: a: is missing\nerror: b: is unknown\n"),
        (RunError("the engine failed"), 1, "error: the engine failed\n"),
        (MemoryError(), 1, "error: out of memory; give it more, or use smaller pieces\n"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a.parquet"), 1, "error: a.parquet: File name too long\n"),
        (PermissionError(errno.EACCES, "Permission denied", "x/a"), 1, "error: x/a: Permission denied\n"),
        (OSError(errno.ENOSPC, "No space left on device", "run/ledger.jsonl"), 1, "error: run/ledger.jsonl: No space left on device\n"),
    ],
)
def test_an_error_is_told_in_short(error: Exception, status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert left(error) == status
    assert capsys.readouterr() == ("", said)


def test_an_unexpected_error_of_the_study_s_own_code_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.py"
    own.write_text("def propose(arguments, **options):\n    return {}['x']\n")
    monkeypatch.setattr("isocost.cli.signal.signal", lambda *_: None)  # the handlers of the process that tests stay as they are
    monkeypatch.setattr(cli, "app", runpy.run_path(str(own))["propose"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    advice = f"raised by the study's own code at {own}:2; --debug prints the traceback"
    assert capsys.readouterr().err == f"error: unexpected KeyError: 'x'\n  {advice}\n"


def test_so_does_one_that_came_from_a_worker_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failed = KeyError("x")
    failed.add_note('Traceback (most recent call last):\n  File "/home/me/own.py", line 7, in generate\n    return {}["x"]\n')
    left(failed)
    assert "raised by the study's own code at /home/me/own.py:7;" in capsys.readouterr().err


def test_any_other_unexpected_error_is_a_fault_of_isocost(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("isocost.cli.signal.signal", lambda *_: None)  # the handlers of the process that tests stay as they are
    monkeypatch.setattr(cli, "app", len)  # has no call in Python of its own, so that the error is raised in main
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    advice = "this is a fault of isocost; please report it with what --debug prints"
    assert capsys.readouterr().err == f"error: unexpected TypeError: len() takes no keyword arguments\n  {advice}\n"


@pytest.mark.parametrize("error", [InputError("no such file"), ZeroDivisionError("division by zero")])
def test_debug_shows_the_traceback_before_the_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    left(error, debug=True)
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "error: " in shown.partition(str(error))[2]


def test_an_exit_passes_as_it_is() -> None:
    assert left(SystemExit(141)) == 141


def test_a_closed_standard_output_is_an_error_of_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(SystemExit, match="2"), report_errors(debug=False):
        raise AssertionError("never reached")
    assert capsys.readouterr().err == "error: standard output: is closed\n"


def test_ctrl_c_ends_work_with_one_line_and_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("isocost.cli.leaving.install_interrupts", lambda: None)  # the handlers of the process that tests stay as they are
    with pytest.raises(SystemExit, match="130"), stoppable():
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "\nstopped\n"
