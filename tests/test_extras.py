"""What is installed besides the core, and what to type where something of it is missing."""

import re
import tomllib
from pathlib import Path

from isocost.errors import MissingExtraError

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def packages(extra: str) -> set[str]:
    """The packages of an extra, those of extras in it too."""
    found: set[str] = set()
    for requirement in EXTRAS[extra]:
        nested = re.fullmatch(r"isocost\[(.+)\]", requirement)
        found |= set.union(*map(packages, nested[1].split(","))) if nested else {re.split(r"[<>=\[]", requirement)[0]}
    return found


def test_who_ran_the_demo_can_look_at_it_and_label() -> None:
    assert packages("view") <= packages("demo")


def test_constraints_pin_what_the_demo_installs() -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert packages("demo") <= pinned


def test_the_hint_holds_in_a_clone_too() -> None:
    happened, hint = str(MissingExtraError("uvicorn", "view")).splitlines()
    assert happened == "uvicorn is not installed"
    assert hint == '  install it: pip install "isocost[view]", in a clone: pip install -e ".[view]"'
