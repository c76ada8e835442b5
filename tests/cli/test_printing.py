"""Data goes to standard output, everything else to standard error."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from isocost.cli.printing import print_data, say


@pytest.mark.parametrize(
    ("data", "printed"),
    [
        ("a table\n\n", "a table\n"),
        ("", "\n"),
        ({"name": "é", "n": 1}, '{\n  "name": "é",\n  "n": 1\n}\n'),
        ([], "[]\n"),
    ],
)
def test_text_is_printed_as_it_is_and_all_else_as_json(data: object, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_data(data)
    assert capsys.readouterr() == (printed, "")


def test_lines_for_people_keep_a_terminal_from_being_controlled(capsys: pytest.CaptureFixture[str]) -> None:
    say("loading \x1b[2J done")
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert err.endswith("done\n")


def test_a_full_disk_is_one_line_and_exit_status_1(tmp_path: Path) -> None:
    code = "from isocost.cli.leaving import report_errors\nfrom isocost.cli.printing import print_data\n"
    code += "with report_errors(debug=False): print_data('x' * 99)"
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


TABLE = """# Measures

| model | n |
| --- | ---: |
| weak | 7 |
| a\\|b \x1b[2J | 1,234 |

| no table
"""


def test_tables_are_drawn_on_a_terminal_and_are_markdown_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_data(TABLE)
    assert capsys.readouterr().out == TABLE
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    print_data(TABLE)
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert lines[0] == "# Measures"
    assert "---" not in screen.getvalue()
    (weak,) = (line for line in lines if "weak" in line)
    (piped,) = (line for line in lines if "a|b" in line)
    assert len(weak) == len(piped)  # the numbers end below each other
    assert "\x1b[2J" not in screen.getvalue()
    assert "| no table" in lines
