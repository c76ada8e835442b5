"""Parts of the user's own, imported by name: whatever their module does, the error is one line."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from isocost.parts import PartError, import_part


def test_an_attribute_is_imported() -> None:
    assert import_part("math:pi") == math.pi


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            "nowhere:f",
            "cannot be imported: ModuleNotFoundError: No module named 'nowhere'; modules are looked for on PYTHONPATH",
        ),
        ("math:tau_and_pi", "cannot be imported: AttributeError: module 'math' has no attribute 'tau_and_pi'"),
        ("folder/file:f", "is a file, not a module: write package.module:attribute, with its folder on PYTHONPATH"),
        (".file:f", "is a file, not a module: write package.module:attribute, with its folder on PYTHONPATH"),
        (":f", "cannot be imported: ValueError: Empty module name"),
    ],
)
def test_what_is_not_there_is_told(place: str, told: str) -> None:
    with pytest.raises(PartError) as caught:
        import_part(place)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("module", "cause"),
    [
        ("def broken(:", SyntaxError),
        ("import sys; sys.exit(3)", SystemExit),
        ("raise RuntimeError('two\\n lines')", RuntimeError),
        ("1 / 0", ZeroDivisionError),
    ],
)
def test_whatever_a_module_raises_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, cause: type[BaseException]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "a_part_of_mine.py").write_text(f"{module}\n")
    with pytest.raises(PartError, match=f"^cannot be imported: {cause.__name__}: ") as caught:
        import_part("a_part_of_mine:f")
    assert isinstance(caught.value.__cause__, cause)
    assert "\n" not in str(caught.value)
    assert "a_part_of_mine" not in sys.modules
