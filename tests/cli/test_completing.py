"""Values that the shell offers, through typer's own means, in a process of its own as a shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isocost.cli import completing
from isocost.config.study import ExecutorSpec
from isocost.drafting import DEFAULTS
from isocost.exporting import SHAPES
from isocost.graders import GRADERS
from isocost.measuring.survey import ALL_LEVELS
from isocost.policies import POLICIES
from isocost.running.stages import LAST_STAGES

HEAVY = ("numpy", "polars", "torch", "yaml", "isocost.config")  # pydantic is imported by typer itself


def offered(*words: str) -> list[str]:
    """Return what bash is offered for the last word."""
    line = {"_ISOCOST_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("isocost", *words)), "COMP_CWORD": str(len(words))}
    code = (
        "import sys; sys.argv = ['isocost']\n"
        "from isocost.cli import app\n"
        "try: app(prog_name='isocost')\n"
        f"finally: sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **line}, capture_output=True, text=True, check=False)
    assert done.stderr == "", f"imported for a completion: {done.stderr}"
    return done.stdout.split()


def test_names_that_are_written_out_are_those_of_the_package() -> None:
    assert completing.STAGES == LAST_STAGES
    assert tuple(SHAPES) == completing.FORMATS
    assert tuple(DEFAULTS) == completing.TEMPLATES
    assert (*ALL_LEVELS, "none") == completing.LEVELS
    assert set(completing.EXECUTORS) <= set(ExecutorSpec.model_fields["name"].annotation.__args__)  # type: ignore[union-attr]


def test_stages_are_offered_without_an_import_that_takes_long() -> None:
    assert offered("run", "study.yaml", "--until", "") == list(completing.STAGES)
    assert offered("run", "study.yaml", "--until", "e") == ["evaluate"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("verify", "a.jsonl", "--grader", ""), list(GRADERS)),
        (("backtest", "a.parquet", "--policies", ""), list(POLICIES)),
        (("backtest", "a.parquet", "--policies", "uniform,a"), ["uniform,adaptive"]),
        (("export", "run", "--format", "p"), ["prompt-completion", "parquet"]),
        (("init", "--template", ""), list(DEFAULTS)),
        (("run", "study.yaml", "--executor", "r"), ["ray"]),
        (("forecast", "a.parquet", "--distinct", "n"), ["normalised", "none"]),
    ],
)
def test_names_of_parts_are_offered(words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_policies_that_are_named_already_are_not_offered_again() -> None:
    assert completing.policies("uniform,u") == []
    assert completing.policies("fir") == ["first-hit"]


def test_cells_of_the_run_on_the_line_are_offered(tmp_path: Path) -> None:
    for name in ("weak@low", "weak@high", "strong@low"):
        (tmp_path / "trainsets" / name).mkdir(parents=True)
    (tmp_path / "trainsets" / "contaminated.json").touch()
    assert offered("export", str(tmp_path), "--arm", "weak") == ["weak@high", "weak@low"]
    assert offered("export", str(tmp_path), "--arm=strong") == ["strong@low"]
    assert offered("export", "--arm", "weak") == []  # no run is named yet
    assert offered("export", str(tmp_path / "none"), "--arm", "") == []


def test_cells_of_runs_of_earlier_versions_are_offered(tmp_path: Path) -> None:
    (tmp_path / "trainsets").mkdir()
    for name in ("weak@low.parquet", "weak@low.md"):
        (tmp_path / "trainsets" / name).touch()
    assert offered("export", str(tmp_path), "--arm", "") == ["weak@low"]
