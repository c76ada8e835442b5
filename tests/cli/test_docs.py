"""docs/cli.md is what the command line says."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.load_script import load_script


@pytest.fixture(scope="module")
def cli_docs() -> ModuleType:
    return load_script("cli_docs")


def test_the_page_is_what_the_command_line_says(cli_docs: ModuleType) -> None:
    assert cli_docs.check(), "write it again: python scripts/cli_docs.py"


def test_a_page_that_says_something_else_is_found(cli_docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "cli.md"
    monkeypatch.setattr(cli_docs, "PAGE", page)
    assert not cli_docs.check(page)
    assert cli_docs.main([]) == 0
    assert cli_docs.check(page)
    page.write_text(page.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    assert not cli_docs.check(page)


def test_the_exit_status_says_whether_it_is_stale(cli_docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_docs, "check", lambda: False)
    assert cli_docs.main(["--check"]) == 1
    monkeypatch.setattr(cli_docs, "check", lambda: True)
    assert cli_docs.main(["--check"]) == 0
    assert cli_docs.main(["--chekc"]) == 2


def test_the_page_does_not_depend_on_the_terminal(cli_docs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    page = cli_docs.page()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert cli_docs.page() == page


def test_every_command_has_a_section(cli_docs: ModuleType) -> None:
    for name in ("isocost", "isocost run", "isocost measure", "isocost lab", "isocost lab train"):
        assert f"## {name}\n" in cli_docs.page()
