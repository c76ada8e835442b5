"""The published types: what a program that installs isocost gets to see of them. No setting of this project's own mypy counts here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import isocost

CONSUMER = Path(__file__).parent / "typed" / "consumer.py"
WRONG = """
import isocost
from isocost.records import Verdict
isocost.run("study.yaml")
Verdict(outcome="right")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which a copy of the package is installed, alone.

    Reading what it depends on takes a minute and says nothing about isocost's own types.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    shutil.copytree(Path(isocost.__file__).parent, site / "isocost", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    return folder / "bin" / "python"


def mypy(program: Path, python: Path) -> subprocess.CompletedProcess[str]:
    """`mypy --strict` on a program, from its folder, without a configuration file."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--python-executable", str(python), program.name]
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(
        [*command, "--cache-dir", str(python.parent / "cache")], cwd=program.parent, env=clean, capture_output=True, text=True, check=False
    )


def test_a_typed_program_passes(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "consumer.py"
    shutil.copyfile(CONSUMER, program)
    found = mypy(program, python)
    assert found.returncode == 0, found.stdout + found.stderr


def test_wrong_uses_are_found(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(WRONG)
    found = mypy(program, python).stdout
    assert '"run" has incompatible type "str"; expected "Path"' in found
    assert '"outcome" to "Verdict" has incompatible type "str"' in found


def test_without_the_marker_nothing_would_be_read(python: Path, tmp_path: Path) -> None:
    marker = (
        python.parents[1] / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages" / "isocost" / "py.typed"
    )
    text = marker.read_text()
    marker.unlink()
    try:
        program = tmp_path / "consumer.py"
        shutil.copyfile(CONSUMER, program)
        assert "py.typed" in mypy(program, python).stdout
    finally:
        marker.write_text(text)
