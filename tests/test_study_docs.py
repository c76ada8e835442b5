"""docs/study-file.md is what the models of the study file say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, Field

from isocost.config import Study
from isocost.engines import ENGINES
from isocost.graders import GRADERS
from isocost.problems import SOURCES
from tests.load_script import load_script


class Inner(BaseModel):
    """An inner section."""


class Outer(BaseModel):
    """A section.

    More of it,
    in two lines.

    Attributes:
        count: How many,
            in two lines.
        names: Names.
    """

    count: Annotated[int, Field(gt=0, le=10_000)] | None = None
    names: tuple[str, ...] = ()
    kind: Literal["a", "b"] = "a"
    inner: Inner = Inner()


@pytest.fixture(scope="module")
def study_docs() -> ModuleType:
    return load_script("study_docs")


def test_the_page_is_up_to_date(study_docs: ModuleType) -> None:
    assert study_docs.check(), "write it again: python scripts/study_docs.py"


def test_every_section_engine_grader_and_source_is_there(study_docs: ModuleType) -> None:
    page = study_docs.page()
    headings = [f"## {key}" for key in Study.model_fields] + [f"### Engine {name}" for name in ENGINES]
    headings += [f"### Grader {name}" for name in GRADERS] + [f"### Source {name}" for name in SOURCES]
    assert [heading for heading in headings if page.count(f"\n{heading}\n") != 1] == []


def test_every_section_has_one_example(study_docs: ModuleType) -> None:
    examples = study_docs.cut(study_docs.EXAMPLE.read_text(encoding="utf-8"))
    assert list(examples) == list(Study.model_fields)
    assert all(list(yaml.safe_load(text)) == [key] for key, text in examples.items())


def test_a_section_in_words(study_docs: ModuleType) -> None:
    assert study_docs.summary(Outer.__doc__) == "A section.\n\nMore of it, in two lines."
    assert study_docs.meanings(Outer) == {"count": "How many, in two lines.", "names": "Names."}
    types = {key: study_docs.kind(hint, {Inner: "#inner"}) for key, hint in study_docs.hints(Outer).items()}
    assert types == {
        "count": "whole number > 0 and <= 10,000 or null",
        "names": "list of text",
        "kind": "`a`, `b`",
        "inner": "[inner](#inner)",
    }


def test_a_key_without_a_meaning_is_an_error(study_docs: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"Outer: its docstring lacks kind\n  add a line `kind: \.\.\.` under `Attributes:`"):
        study_docs.rows_of(Outer, {Inner: "#inner"})

    def source(*, size: int) -> None:
        """Yield problems."""

    with pytest.raises(SystemExit, match=r"source: its docstring lacks size\n  add a line `size: \.\.\.` under `Args:`"):
        study_docs.arguments(source, source.__doc__ or "")


def test_the_exit_status_says_whether_it_is_stale(study_docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_docs, "check", lambda: False)
    assert study_docs.main(["--check"]) == 1
    monkeypatch.setattr(study_docs, "check", lambda: True)
    assert study_docs.main(["--check"]) == 0
    assert study_docs.main(["--chekc"]) == 2
    monkeypatch.setattr(study_docs, "PAGE", tmp_path / "page.md")
    assert study_docs.main([]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == study_docs.page()
