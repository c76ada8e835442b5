"""What is known of an engine before it is imported is what the engine says."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.engines import ENGINES, Registration, load_engine, options_model
from isocost.errors import MissingExtraError, StudyError
from tests.test_extras import EXTRAS


@pytest.mark.parametrize("name", ENGINES)
def test_the_listed_keys_are_those_of_the_options(name: str) -> None:
    assert ENGINES[name].keys == tuple(options_model(name).model_fields)


@pytest.mark.parametrize("name", ENGINES)
def test_its_extra_can_be_installed(name: str) -> None:
    assert ENGINES[name].extra in {"", *EXTRAS}


def test_a_missing_package_is_told_with_the_engine_s_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needy.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(ENGINES, "needy", Registration(open="needy:open_engine", options="needy:Options", keys=(), extra="gym"))
    with pytest.raises(MissingExtraError, match=r"nowhere_to_be_found is not installed\n.*isocost\[gym\]"):
        load_engine("needy", {}, base=tmp_path)


def test_an_engine_without_all_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "partial.py").write_text("class Partial:\n    def __init__(self, options, base):\n        self.identity = 'p'\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StudyError, match="engine: partial:Partial has no remote, concurrency, shares_prompts, size, render, batches"):
        load_engine("partial:Partial", {}, base=tmp_path)


@pytest.mark.parametrize("name", ["builtins:len", "os:name"])
def test_what_is_no_engine_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=f"engine: {name} cannot be opened with options and a folder: "):
        load_engine(name, {}, base=tmp_path)


@pytest.mark.parametrize("name", ["nowhere_to_be_found:open_engine", "isocost.engines.replay:open_engin", ":open_engine"])
def test_an_engine_that_cannot_be_imported_is_an_error(name: str) -> None:
    with pytest.raises(StudyError, match=f"engine: {name} cannot be imported"):
        load_engine(name, {}, base=Path())
