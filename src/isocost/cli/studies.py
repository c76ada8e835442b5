"""The commands that run a study: demo, run, plan, status, and one for each stage; and `lab train`, which trains the embedded models."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocost.cli.arguments import (
    FORCE,
    Address,
    AsJson,
    CancelBatches,
    Directory,
    NoWait,
    Out,
    Settings,
    Strict,
    StudyPath,
    Where,
    force_option,
)
from isocost.cli.completing import STAGES, one_of
from isocost.cli.leaving import resumable, stoppable
from isocost.cli.printing import print_data, say
from isocost.paths import shell_word
from isocost.terminal import ProgressLine

if TYPE_CHECKING:
    from isocost.running import Finished


def demo(out: Out = None, settings: Settings = None, strict: Strict = False) -> None:
    """Run the packaged study on the embedded models: no network, a few minutes on two cores."""
    from isocost.lab import study_file

    _run(study_file("demo"), out, settings, strict=strict)


def run(
    study: StudyPath,
    out: Out = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show the plan and the first prompt; spend nothing.")
    ] = False,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="STAGE",
            autocompletion=one_of(STAGES),
            help="The last stage: pilot, sample, grade, audit, measure, curate, finetune, evaluate or report. "
            "After the pilot alone, isocost plan says what each budget would bring.",
        ),
    ] = "report",
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
    no_wait: NoWait = False,
    cancel_batches: CancelBatches = False,
) -> None:
    """Run a study, or resume it: finished work is not repeated."""
    if dry_run:
        from isocost.running import dry_run as rehearse
        from isocost.summaries.plans import to_markdown

        with stoppable():
            prepared, costs, plans, prompts = rehearse(study, settings or [], strict=strict, out=out, listener=ProgressLine(sys.stderr))
        print_data(to_markdown(prepared, costs, plans) + "\n\n" + prompts)
        return
    leaving = {"no_wait": no_wait, "cancel_batches": cancel_batches}
    _run(study, out, settings, until=until, strict=strict, executor=executor, address=address, **leaving)
    same_run = f"{shell_word(study)}{_elsewhere(out, settings)}"
    if until == "pilot":
        say(f"the pilot is bought; what each budget would bring: isocost plan {same_run}")
    elif until != "report":
        say(f"stopped after {until}; resume with: isocost run {same_run}")


def _elsewhere(out: Path | None, settings: list[str] | None) -> str:
    """Return the options that make another command look at the same run of a study."""
    words = [*(["-o", str(out)] if out else []), *(word for setting in settings or [] for word in ("--set", setting))]
    return f" {shlex.join(words)}" if words else ""


def plan(
    study: StudyPath,
    pilot: Annotated[
        Path | None,
        typer.Option(
            "--pilot",
            metavar="TABLE",
            help="Forecast from these samples of the study's models and problems: a table, or a run directory.",
            show_default="the run directory, if it holds the study's pilot",
        ),
    ] = None,
    check_endpoints: Annotated[
        bool, typer.Option("--check-endpoints", help="Send one small request to each endpoint, and show what came back and its price.")
    ] = False,
    out: Out = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show what each budget buys from each model, before a token is spent.

    From a pilot that has run it forecasts coverage, kept solutions and cost of each choice, and recommends one. See docs/forecasting.md.
    """
    from isocost.running import plan_from_pilot
    from isocost.summaries.plans import answer_json, answer_markdown

    with stoppable():
        planned = plan_from_pilot(study, settings or [], table=pilot, out=out, listener=ProgressLine(sys.stderr))
    print_data(answer_json(*planned) if as_json else answer_markdown(*planned))
    if check_endpoints:
        _contact(study, settings or [])


def _contact(study: Path, settings: list[str]) -> None:
    """Print what the endpoints of a study reply, apart from data; exit with 1 if one does not answer as it should."""
    from isocost.running import check_endpoints
    from isocost.running.contact import to_text

    with stoppable():
        found = check_endpoints(study, settings, say)
    say(to_text(found))
    if not all(each.is_good for each in found):
        raise typer.Exit(1)


def status(directory: Directory, as_json: AsJson = False) -> None:
    """Show the finished stages, and what is planned, spent and left."""
    from isocost.summaries.status import status_of, to_text

    found = status_of(directory)
    print_data(found if as_json else to_text(found))


def stage(name: str, summary: str) -> Callable[..., None]:
    """Return the command of one stage.

    Args:
        name: The stage.
        summary: The help of the command.
    """

    def command(directory: Directory, force: bool = False, strict: Strict = False, executor: Where = None, address: Address = None) -> None:
        finish(run_stage(directory, name, None, force=force, strict=strict, executor=executor, address=address))

    # typer reads help and options from the function, so both are set per stage.
    command.__doc__ = summary
    command.__annotations__["force"] = force_option(name)
    return command


def sample(
    directory: Directory,
    force: Annotated[bool, typer.Option("--force", help=FORCE["sample"])] = False,
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
    no_wait: NoWait = False,
    cancel_batches: CancelBatches = False,
) -> None:
    """Buy what the study's cells still lack."""
    leaving = {"no_wait": no_wait, "cancel_batches": cancel_batches}
    finish(run_stage(directory, "sample", None, force=force, strict=strict, executor=executor, address=address, **leaving))


def run_stage(
    directory: Path,
    name: str,
    settings: list[str] | None,
    *,
    force: bool,
    strict: bool,
    executor: str | None,
    address: str | None,
    no_wait: bool = False,
    cancel_batches: bool = False,
) -> Finished:
    """Run one stage of a run, and what it needs from earlier ones, with a progress line.

    Args:
        directory: The run directory.
        name: The stage.
        settings: The values of `--set`.
        force: Whether to run the stage again.
        strict: Whether to refuse problems with an unaccepted reference answer.
        executor: Overrides the executor's name.
        address: Overrides the address of the Ray cluster.
        no_wait: Whether to leave batches under way.
        cancel_batches: Whether to cancel batches, and collect what is paid.
    """
    from isocost.dispatch.batches.terms import BatchTerms
    from isocost.preparing.executing import ExecutorChoice
    from isocost.running import run_stage as run_one

    with resumable(directory):
        where, progress = ExecutorChoice(name=executor, address=address), ProgressLine(sys.stderr)
        terms = BatchTerms(wait=not no_wait, cancel=cancel_batches)
        return run_one(
            directory, name, settings=settings or [], force=force, strict=strict, executor=where, batch_terms=terms, listener=progress
        )


def _run(
    study: Path,
    out: Path | None,
    settings: list[str] | None,
    *,
    strict: bool,
    until: str = "report",
    executor: str | None = None,
    address: str | None = None,
    no_wait: bool = False,
    cancel_batches: bool = False,
) -> None:
    progress = ProgressLine(sys.stderr)
    progress.begin("prepare   reading the study, its problems and models")
    from isocost.dispatch.batches.terms import BatchTerms
    from isocost.preparing.executing import ExecutorChoice
    from isocost.running import run as run_study

    with resumable(out):
        where = ExecutorChoice(name=executor, address=address)
        terms = BatchTerms(wait=not no_wait, cancel=cancel_batches)
        outcome = run_study(
            study, out, settings=settings or [], until=until, strict=strict, executor=where, batch_terms=terms, listener=progress
        )
    finish(outcome)


def finish(outcome: Finished) -> None:
    """Print the outcome of a run: the verdict and the place of the report."""
    if outcome.graded:
        say(f"{'grade':9s} {outcome.graded}")
    lines = [*([f"\n{outcome.headline}"] if outcome.headline else []), *([f"report: {outcome.report}"] if outcome.report else [])]
    if lines:
        print_data("\n".join(lines))
    if outcome.report:
        run = shell_word(outcome.directory)
        say(f"solutions and labels: isocost view {run}")
        if outcome.largest:
            say(f"the largest training set: isocost export {run} --arm {shell_word(Path(outcome.largest))} -o data")


def train_lab(
    model: Annotated[str, typer.Option("--model", help="tiny, weak, student or strong.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder to save to; default lab/MODEL.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Fewer steps than the recipe, to try it out.")] = None,
    eager: Annotated[bool, typer.Option("--eager", help="Without torch.compile (slower; needs no C++ compiler).")] = False,
) -> None:
    """Train an embedded model from scratch, by its recipe."""
    from isocost.lab import train_model

    with stoppable():
        folder = train_model(model, out or Path("lab") / model, steps=steps, compiled=not eager, progress=say)
    say(f"saved to {folder}")
