"""The command `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.amounts import quantity
from isocost.cli.arguments import Directory
from isocost.cli.completing import FORMATS, cells, one_of
from isocost.cli.leaving import stoppable
from isocost.cli.printing import say
from isocost.errors import InputError

FORMAT_HELP = "messages, prompt-completion, text: the training set; kto, open-r1, parquet: every draw."


def export(
    directory: Directory,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="The folder to write; must not exist.")],
    arm: Annotated[
        str | None,
        typer.Option(
            "--arm",
            metavar="ARM@BUDGET",
            autocompletion=cells,
            help="The cell; an arm's name is enough if it has one budget.",
            show_default="the only one",
        ),
    ] = None,
    shape: Annotated[
        str | None, typer.Option("--format", metavar="NAME", autocompletion=one_of(FORMATS), help=FORMAT_HELP, show_default="messages")
    ] = None,
    student: Annotated[
        str | None, typer.Option("--student", metavar="NAME", help="Export this student, trained on the cell's data, instead of the data.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="With --student: the training seed, if there are several.")] = None,
    hub_name: Annotated[
        str | None,
        typer.Option(
            "--push-to-hub", metavar="OWNER/NAME", help="Push the folder to the Hugging Face hub too, as a private data set or model."
        ),
    ] = None,
) -> None:
    """Export the data of one cell of a run, as a folder with a card that datasets.load_dataset opens and TRL trains on.

    With --student, export a student that was trained on the data, as a folder with a card that transformers loads.

    The card says models, prompts, sampling, budget planned and realised, measures with intervals, false positives, terms and the command.
    The format parquet is a table of samples, which isocost measure reads. See docs/formats.md.

    isocost export runs/study --arm weak@high --format messages -o data

    isocost export runs/study --arm weak@high --student small -o model
    """
    if student is None and seed is not None:
        raise InputError("--seed: goes with --student", advice="leave it out, or name the student")
    if student is not None and shape is not None:
        raise InputError("--format: is the form of data, and --student exports a model", advice="leave one of them out")
    from isocost.exporting import export as write
    from isocost.exporting.hub import Hub
    from isocost.exporting.students import export_student

    with stoppable():
        # Token and name are checked before anything is written.
        hub = Hub(hub_name, "dataset" if student is None else "model") if hub_name else None
        if student is None:
            made = write(directory, arm, shape or "messages", out)
            share = f"{made.of_problems:,} of {quantity(made.problems, 'problem')}"
            say(f"wrote {made.rows:,} rows ({shape or 'messages'}) of {made.cell} to {made.folder}, for {share}")
            if made.note:
                say(f"note: {made.note}")
        else:
            trained = export_student(directory, student, arm, out, seed=seed)
            say(f"wrote {student}, trained on {trained.cell} with seed {trained.seed}, to {out}")
        if hub:
            say(f"pushed it, private: {hub.push(out)}")
