"""kill -9 of runs that buy in batches: the script that measures it, with few kills; it compares with the endpoint's own bill."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def kills(*options: str) -> dict[str, list[int]]:
    """Run the script; return the numbers of each line that it prints, by its words."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    script = [sys.executable, "benchmarks/batch_kills.py", *options]
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [re.split(r"\s{2,}", line, maxsplit=1) for line in done.stdout.splitlines()]
    return {words: [int(number) for number in re.findall(r"\d+", rest.replace(",", ""))] for words, rest in lines}


def assert_safe(found: dict[str, list[int]], number: int) -> None:
    assert found["kills"][0] >= number
    assert found["lost"][0] == found["charged without an answer"][0] == found["stored twice"][0] == 0
    assert found["runs that differ"][0] == found["limit exceeded"][0] == found["files left at the endpoint"][0] == 0


def test_a_killed_run_loses_nothing_buys_nothing_twice_and_keeps_its_limit() -> None:
    found = kills("--kills", "4", "--seed", "7")
    assert_safe(found, 4)
    assert found["bought twice, by its bill"] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--kills", "40"), ("--kills", "5", "--processes")])
def test_kills_at_many_boundaries_change_nothing(options: tuple[str, ...]) -> None:
    found = kills(*options)
    assert_safe(found, int(options[1]))
    assert found["bought twice, by its bill"] == [0]
