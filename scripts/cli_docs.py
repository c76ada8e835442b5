"""Writes docs/cli.md from the command line itself: every command with its usage, help, arguments and options.

python scripts/cli_docs.py             write the page again
python scripts/cli_docs.py --check     exit 1 if the page is not what the command line says
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from isocost.cli import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
WIDTH = 110  # columns of the help texts: the page must not depend on the terminal it is made in
HEAD = """# The command line

This page is made from the command line by `python scripts/cli_docs.py` (or `make docs`); do not edit it.

Data goes to standard output, progress and messages to standard error. Exit status: 0 done; 1 a run that began has failed; 2 something
given cannot be used; 130 stopped by Ctrl-C.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(typer.main.get_command(app), "isocost", None)])


def check(path: Path = PAGE) -> bool:
    """Whether the page at `path` is what the command line says now."""
    return path.exists() and path.read_text(encoding="utf-8") == page()


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; the exit status."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}")
        return 2
    if not arguments:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if check():
        return 0
    sys.stderr.write(f"{PAGE}: not what the command line says\n  write it again: python scripts/cli_docs.py\n")
    return 1


def _sections(command: Any, name: str, parent: Any) -> Iterator[str]:
    """A section for the command and for each command below it, in the order of `isocost --help`."""
    # Any: typer carries its own copy of click, whose classes have no public name.
    context = command.context_class(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH, color=False)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from _sections(subcommand, below, context)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
