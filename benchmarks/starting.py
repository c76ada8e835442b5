"""Processor seconds of `import isocost` and of short commands: a process each, median and range of several.

    python benchmarks/starting.py runs/study

Imports are read from bytecode, as in an installed package. Processor time is counted, not the clock, so that other work on the machine
changes little.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a run directory, for isocost status")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    isocost = str(Path(sys.executable).with_name("isocost"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import isocost": [sys.executable, "-c", "import isocost"],
        "import typer": [sys.executable, "-c", "import typer"],
        "isocost --version": [isocost, "--version"],
    }
    if arguments.run:
        commands["isocost status"] = [isocost, "status", str(arguments.run)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": cache}
        for name, command in commands.items():
            seconds(command, environment)  # writes the bytecode
            times = [seconds(command, environment) for _ in range(arguments.repeats)]
            print(f"{name:20s} {statistics.median(times):.3f} s, {min(times):.3f} to {max(times):.3f}")


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the processor seconds of a command, its output discarded."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
