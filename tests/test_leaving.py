"""What is said of errors that isocost did not raise."""

import errno
import os
import shlex
import sys

import pytest

from isocost.cli.leaving import report_errors, resumable


@pytest.mark.parametrize("name", ["runs/a b", "it's [1]*?", "$HOME;ls", "a\nb", "-x", "\u00fc"])
def test_the_command_that_goes_on_is_this_one_in_any_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words = ["run", "study.yaml", "-o", name, "--set", "arms.a.models=[m]"]
    monkeypatch.setattr(sys, "argv", ["isocost", *words, "--no-wait"])
    with pytest.raises(SystemExit), resumable(None):
        raise KeyboardInterrupt
    command = capsys.readouterr().err.partition("resume with: ")[2]
    assert shlex.split(command) == ["isocost", *words]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EAGAIN])
def test_what_the_system_allows_no_more_of_is_no_fault_of_isocost(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, report_errors(debug=False):
        raise OSError(number, os.strerror(number))
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert "fault of isocost" not in said
    assert "ulimit -n" in said
