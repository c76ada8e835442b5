"""Print data to standard output, and everything else to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from isocost.errors import StorageError
from isocost.terminal import end_line, printable, write_text

if TYPE_CHECKING:
    from rich.table import Table


def print_data(value: object) -> None:
    """Print a text as it is, anything else as JSON. On a terminal, the Markdown tables of a text are drawn.

    Raises:
        SystemExit: 141 if the reader has closed the pipe, as `yes | head` ends.
        StorageError: standard output cannot be written.
    """
    end_line()
    try:
        if isinstance(value, str) and sys.stdout.isatty():
            _draw(value)
        else:
            sys.stdout.write((value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)).rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe
        _drop_output()
        raise SystemExit(141) from None
    except OSError as error:
        _drop_output()
        raise StorageError(f"standard output: {error.strerror}") from error


def say(line: str) -> None:
    """Print a line to standard error, below a progress line that was left."""
    end_line()
    write_text(sys.stderr, printable(line) + "\n")


def _drop_output() -> None:
    """Discard the buffered rest of standard output: Python would fail on it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _draw(text: str) -> None:
    """Print a text on a terminal, its tables with lines and aligned columns."""
    from rich.console import Console  # takes a while to import, and pipes do without

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    for is_table, lines in _parts(text):
        if is_table:
            console.print(_table([_cells(line) for line in lines]), soft_wrap=False)
        else:
            console.print("\n".join(map(printable, lines)))


def _parts(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield the text in parts of whole lines, each with True if it is a Markdown table."""
    for begins, lines in groupby(text.rstrip("\n").split("\n"), key=lambda line: line.startswith("|")):
        part = list(lines)
        yield begins and len(part) > 1 and re.fullmatch(r"[|\s:-]+", part[1]) is not None, part


def _cells(line: str) -> list[str]:
    """Return the cells of a row of a Markdown table, unescaped."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _table(rows: Sequence[Sequence[str]]) -> Table:
    """Return a table to draw from the rows of a Markdown table, whose second one has the alignment of the columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    header, rule, *body = rows
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, mark in zip(header, rule, strict=True):
        table.add_column(Text(printable(name)), justify="right" if mark.endswith(":") else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
