"""The published types: what a program that installs isocost gets to see of them. No setting of this project's own mypy counts here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.installed import install, mypy, site

CONSUMER = Path(__file__).parent / "typed" / "consumer.py"
WRONG = """
import isocost
from isocost.records import Verdict
isocost.run(7)
Verdict(outcome="right")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with an installed copy."""
    return install(tmp_path_factory.mktemp("installed"))


def test_a_typed_program_passes(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "consumer.py"
    shutil.copyfile(CONSUMER, program)
    found = mypy([program], python)
    assert found.returncode == 0, found.stdout + found.stderr


def test_wrong_uses_are_found(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(WRONG)
    found = mypy([program], python).stdout
    assert '"run" has incompatible type "int"; expected "str | Path | Study"' in found
    assert '"outcome" to "Verdict" has incompatible type "str"' in found


def test_without_the_marker_nothing_would_be_read(python: Path, tmp_path: Path) -> None:
    marker = site(python.parents[1]) / "isocost" / "py.typed"
    text = marker.read_text()
    marker.unlink()
    try:
        program = tmp_path / "consumer.py"
        shutil.copyfile(CONSUMER, program)
        assert "py.typed" in mypy([program], python).stdout
    finally:
        marker.write_text(text)
