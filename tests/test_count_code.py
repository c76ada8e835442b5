"""scripts/count_code.py: lines, functions, docstrings and comments of small sources, counted by hand."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.load_script import load_script

SOURCE = '''"""What a module says."""

# a comment of its own
VALUE = """two lines

of text"""  # after code


class Shelf:
    """Hold books."""

    def put(self, book):
        """How to put a book.

        More.
        """
        return (
            book,  # noqa: X1
        )

    def take(self): ...

    def _hide(self):
        """Hide it."""


async def read():
    def inner():
        return 1

    return inner
'''


@pytest.fixture(scope="module")
def counter() -> ModuleType:
    return load_script("count_code")


def test_code_is_neither_blank_nor_comment_nor_docstring(counter: ModuleType) -> None:
    assert counter.count(SOURCE).code == 13


def test_directives_are_no_comments(counter: ModuleType) -> None:
    found = counter.count(SOURCE)
    assert (found.own, found.trailing) == (1, 1)


def test_functions_have_their_lines_of_code(counter: ModuleType) -> None:
    assert sorted(counter.count(SOURCE, "a.py").functions) == [
        (1, "a.py:_hide"),
        (1, "a.py:take"),
        (2, "a.py:inner"),
        (4, "a.py:put"),
        (4, "a.py:read"),
    ]


def test_docstrings_are_sorted_by_their_first_word(counter: ModuleType) -> None:
    assert counter.count(SOURCE).openings == {"what": 1, "hold": 1, "how": 1, "hide": 1}


def test_public_functions_are_those_at_the_top_and_the_methods_of_classes(counter: ModuleType) -> None:
    found = counter.count(SOURCE)
    assert (found.public, found.documented) == (3, 1)


def test_the_report_names_the_largest_and_the_rooms(counter: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "isocost" / "store").mkdir(parents=True)
    (tmp_path / "isocost" / "store" / "logs.py").write_text(SOURCE)
    (tmp_path / "isocost" / "ids.py").write_text("A = 1\n")
    text = counter.report(tmp_path)
    assert "files             2\n" in text
    assert "largest file      isocost/store/logs.py, 13 lines\n" in text
    assert "store/               13\n    (modules)             1\n" in text
    assert "4: 2 open with a verb or thing, 2 (50.0%) with a question word\n" in text
    assert "question words    how 1, what 1\n" in text


def test_an_empty_folder_is_counted_too(counter: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert counter.main([str(tmp_path)]) == 0
    assert "no Python files" in capsys.readouterr().out
