"""`python -m isocost` is the command line."""

from __future__ import annotations

import subprocess
import sys

from isocost import __main__ as module
from isocost.cli import main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The finished command `python -m isocost ARGUMENTS`."""
    return subprocess.run([sys.executable, "-m", "isocost", *arguments], capture_output=True, text=True, timeout=100)


def test_an_import_of_the_module_runs_nothing_and_names_the_command() -> None:
    assert vars(module)["main"] is main


def test_the_module_exits_with_the_status_of_the_command() -> None:
    assert (shown := run("--help")).returncode == 0
    assert "Usage: python -m isocost " in shown.stdout
    assert run("no-such-command").returncode == 2
