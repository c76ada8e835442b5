"""The command `report`: the report of a run, or several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.arguments import FORCE, Address, Strict, Where, names_of
from isocost.cli.leaving import stoppable
from isocost.cli.printing import print_data, say
from isocost.cli.studies import finish, run_stage
from isocost.errors import InputError, StorageError


def report(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="A run directory, or several.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help=FORCE["report"])] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write the figures as PDF too, for papers: DIR/figures/NAME.pdf.")] = False,
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
) -> None:
    """Write the report of a run again, or compare several runs.

    Of one run: what earlier stages still lack is done first. Of several: their verdicts and a table of their cells go to standard output as
    Markdown; nothing is run or written.

    isocost report runs/a runs/b
    """
    if len(directories) == 1:
        finish(run_stage(directories[0], "report", None, force=force, strict=strict, executor=executor, address=address))
        if pdf:
            with stoppable():
                _write_papers(directories[0])
        return
    if pdf:
        raise InputError("--pdf: is of no use with several runs; name one")
    from isocost.reporting.comparing import comparison
    from isocost.results.stored import read_results

    names = names_of(directories)
    with stoppable():
        print_data(comparison({name: read_results(directory) for name, directory in zip(names, directories, strict=True)}))


def _write_papers(directory: Path) -> None:
    from isocost.reporting import report as make
    from isocost.results.stored import read_results

    papers = make(read_results(directory), pdf=True).papers
    for name, content in papers.items():
        path = directory / "figures" / f"{name}.pdf"
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
    say(f"wrote {len(papers)} figures as PDF to {directory / 'figures'}")
