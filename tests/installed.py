"""An installed copy of the package, and mypy as a program that uses it would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import isocost


def install(folder: Path) -> Path:
    """Create an environment in which a copy of the package is installed, alone; return its interpreter.

    Reading what the package depends on would take a minute and says nothing about isocost's own types.
    """
    venv.create(folder, with_pip=False)
    shutil.copytree(Path(isocost.__file__).parent, site(folder) / "isocost", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    return folder / "bin" / "python"


def site(folder: Path) -> Path:
    """Return the folder in which packages are installed."""
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def mypy(programs: list[Path], python: Path) -> subprocess.CompletedProcess[str]:
    """Run `mypy --strict` on programs, from their folder, without a configuration file."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--python-executable", str(python)]
    command += ["--cache-dir", str(python.parent / "cache"), *(program.name for program in programs)]
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(command, cwd=programs[0].parent, env=clean, capture_output=True, text=True, check=False)
