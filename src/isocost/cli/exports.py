"""The command `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.arguments import Directory
from isocost.cli.leaving import stoppable
from isocost.cli.printing import say

FORMATS = "messages, prompt-completion, text: the training set; kto, open-r1, parquet: every draw."


def export(
    directory: Directory,
    arm: Annotated[str, typer.Option("--arm", metavar="ARM@BUDGET", help="The cell; an arm's name is enough if it has one budget.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="The folder to write; must not exist.")],
    shape: Annotated[str, typer.Option("--format", metavar="NAME", help=FORMATS)] = "messages",
    hub_name: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Push the folder to the Hugging Face hub too, as a private data set."),
    ] = None,
) -> None:
    """Export the data of one cell of a run, as a folder with a card that datasets.load_dataset opens and TRL trains on.

    The card says models, prompts, sampling, budget planned and realised, measures with intervals, false positives, terms and the command.
    The format parquet is a table of samples, which isocost measure reads. See docs/formats.md.

    isocost export runs/study --arm weak@high --format messages -o data
    """
    from isocost.exporting import export as write
    from isocost.exporting.hub import Hub

    with stoppable():
        # Token and name are checked before anything is written.
        hub = Hub(hub_name) if hub_name else None
        made = write(directory, arm, shape, out)
        say(f"wrote {made.rows:,} rows of {made.cell} to {made.folder}")
        if hub:
            say(f"pushed it, private: {hub.push(made.folder)}")
