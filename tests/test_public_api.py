import inspect
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import isocost

HEAVY = ("torch", "transformers", "trl", "datasets", "polars", "pandas", "scipy", "sympy", "matplotlib", "math_verify")


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_public_names_are_a_sorted_list() -> None:
    assert isinstance(isocost.__all__, list)
    assert isocost.__all__ == sorted(isocost.__all__)


@pytest.mark.parametrize("name", isocost.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(isocost, name).__name__ == name


def test_the_public_names_are_exactly_these() -> None:
    assert isocost.__all__ == [
        "IsocostError", "Run", "Study", "backtest", "export", "forecast", "measure", "plan", "push_to_hub", "read_samples", "run", "status",
        "verify", "write_samples",
    ]  # fmt: skip
    assert dir(isocost) == isocost.__all__


def test_every_public_name_is_documented_and_typed() -> None:
    page = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    for name in isocost.__all__:
        public = getattr(isocost, name)
        assert public.__doc__
        assert f"`{name}" in page
        if inspect.isfunction(public):
            signature = inspect.signature(public)
            assert signature.return_annotation is not inspect.Signature.empty
            assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match="module 'isocost' has no attribute 'walk'"):
        isocost.walk  # noqa: B018


def test_importing_isocost_imports_nothing_heavy() -> None:
    assert modules_after("import isocost").isdisjoint(HEAVY)


def test_what_a_run_imports_works_without_torch() -> None:
    found = modules_after("from isocost import run, Run, Study")
    assert found.isdisjoint({"torch", "transformers", "trl", "datasets", "matplotlib", "sympy"})


def test_types_are_published() -> None:
    assert files("isocost").joinpath("py.typed").is_file()
