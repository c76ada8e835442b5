"""False positives: audit looks for them, view has people look."""

from __future__ import annotations

from typing import Annotated

import typer

from isocost.cli.arguments import Address, AsJson, Directory, Settings, Strict, Where, force_option
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

    Chooses solutions of each model, one a problem, and looks at them by their arithmetic and, with --set audit.by=judge --set
    audit.model=NAME, by a model of the study, whose replies are bought within the limit; takes in what people said with isocost view; and
    prints each model's rate with its interval, and before anyone labels how many labels tell the models apart. Settings are kept in
    DIR/study.yaml. No reply that came is asked for twice. See docs/audits.md.
    """
    run_stage(directory, "audit", settings, force=force, strict=strict, executor=executor, address=address)
    from isocost.summaries import audits

    found = audits.read(directory)
    print_data(found if as_json else audits.to_markdown(found, directory))


audit.__annotations__["force"] = force_option("audit")


def view(
    directory: Directory,
    labeller: Annotated[
        str | None,
        typer.Option("--labeller", metavar="NAME", help="Who labels; default the name you are logged in with.", show_default=False),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 is any that is free.")] = 0,
) -> None:
    """Open a run in the browser: its problems with all solutions, and the page on which people label false positives, blind.

    Prints one link, which opens the pages once, in one browser on this machine. Labels are stored in DIR/audits/labels.jsonl as they are
    given; which solutions are labelled, isocost audit DIR chooses. A second person labels the same ones with a --labeller of their own.
    Ctrl-C ends it and says what was labelled. Needs pip install "isocost[view]"; see docs/viewer.md.
    """
    from isocost.viewer.serving import serve

    with stoppable():
        closing = serve(directory, labeller=labeller, port=port, say=print_data)
    say(f"\n{closing}")
