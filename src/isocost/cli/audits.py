"""The commands `audit` and `view`, which find false positives and have people label them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.arguments import Address, AsJson, Directory, Settings, Strict, Where, force_option, names_of
from isocost.cli.leaving import stoppable
from isocost.cli.printing import print_data, say
from isocost.cli.studies import run_stage


def audit(
    directory: Directory,
    settings: Settings = None,
    as_json: AsJson = False,
    force: bool = False,
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
) -> None:
    """Look for false positives among the answer-correct solutions; what sampling still lacks is bought first.

    Chooses solutions of each model, one per problem, and checks their arithmetic. With --set audit.by=judge --set audit.model=NAME, a
    model of the study judges them too; its replies are bought within the limit. Reads the labels that people gave in isocost view. Prints
    each model's rate with its interval and, before there are labels, how many labels tell the models apart. Settings are kept in
    DIR/study.yaml. No stored reply is requested again. See docs/audits.md.
    """
    run_stage(directory, "audit", settings, force=force, strict=strict, executor=executor, address=address)
    from isocost.summaries import audits

    found = audits.read(directory)
    print_data(found if as_json else audits.to_markdown(found, directory))


# The help of --force comes from the table that all stages share.
audit.__annotations__["force"] = force_option("audit")


def view(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="A run directory, or several.", show_default=False)],
    labeller: Annotated[
        str | None,
        typer.Option("--labeller", metavar="NAME", help="The name of the person who labels; default: your login name.", show_default=False),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port on 127.0.0.1; 0 picks a free one.")] = 0,
) -> None:
    """Open a run in the browser: its problems with all solutions, and the page on which people label false positives, blind.

    Prints one link, which opens the pages once, in one browser on this machine. Each label is stored at once in DIR/audits/labels.jsonl.
    The run has chosen the solutions to label, at most one of each problem and model. A second person labels the same ones with a
    --labeller of their own.
    Several runs have a list of them on the first page; labels stay with their run.
    Ctrl-C ends the viewer and prints a summary of the labels. Needs pip install "isocost[view]"; see docs/viewer.md.
    """
    from isocost.viewer.serving import serve

    runs = dict(zip(names_of(directories), directories, strict=True))
    with stoppable():
        closing = serve(runs, labeller=labeller, port=port, say=print_data)
    say(f"\n{closing}")
