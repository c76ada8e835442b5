"""The command line: parses, calls, prints. The only module that prints; data to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocost.errors import InputError, IsocostError
from isocost.terminal import ProgressLine, printable

if TYPE_CHECKING:
    from isocost.running import Finished

app = typer.Typer(
    name="isocost",
    help="Compute-optimal sampling: which model to buy synthetic reasoning data from, at a fixed budget.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
lab_app = typer.Typer(help="The embedded models: train them again from nothing.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(lab_app, name="lab")

Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY.KEY=VALUE", help="Override a value of the study file; may be repeated.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="The run directory; default runs/NAME.")]
StudyPath = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.", show_default=False)]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Force = Annotated[bool, typer.Option("--force", help="Throw away what this stage stored and do it again.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"isocost {version('isocost')}\n")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.", callback=_version, is_eager=True)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Compute-optimal sampling: which model to buy synthetic reasoning data from, at a fixed budget."""


@app.command()
def demo(out: Out = None, settings: Settings = None) -> None:
    """Run the packaged study on the embedded models: no network, a few minutes on two cores."""
    from isocost.lab import study_file

    _run(study_file("demo"), out, settings)


@app.command()
def run(
    study: StudyPath,
    out: Out = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show the plan and the first prompt; spend nothing.")
    ] = False,
) -> None:
    """Run a study, or go on with it: what is done is not done again."""
    if dry_run:
        from isocost.running import dry_run as rehearse
        from isocost.running.plans import first_prompts, to_markdown

        prepared, costs, plans = rehearse(study, settings or [])
        _print_data(to_markdown(prepared, costs, plans) + "\n\n" + first_prompts(prepared))
        return
    _run(study, out, settings)


@app.command()
def plan(study: StudyPath, settings: Settings = None, as_json: AsJson = False) -> None:
    """Show what each budget buys from each model, before a token is spent."""
    from isocost.running import plan_study
    from isocost.running.plans import to_json, to_markdown

    prepared, costs, plans = plan_study(study, settings or [])
    _print_data(to_json(plans) if as_json else to_markdown(prepared, costs, plans))


def _stage(name: str, summary: str) -> None:
    def command(directory: Directory, force: Force = False) -> None:
        from isocost.running import run_stage

        _finish(run_stage(directory, name, force=force, listener=ProgressLine(sys.stderr)))

    command.__doc__ = summary
    app.command(name)(command)


_stage("sample", "Buy what the study's cells still lack.")
_stage("grade", "Grade every stored sample that has no verdict of the study's grader; what sampling still lacks is bought first.")
_stage("audit", "Look for false positives among the answer-correct solutions; what sampling still lacks is bought first.")


@app.command()
def measure(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A table of samples (.parquet, .jsonl), or a run directory.", show_default=False)
    ],
    k: Annotated[str, typer.Option("--k", help="The k of coverage@k and diversity@k.")] = "1,3,10",
    as_json: AsJson = False,
) -> None:
    """Measure coverage, diversity and pass@1 of a table of samples, with intervals over problems."""
    from isocost.running.tables import measure_directory, measure_table

    ks = _whole_numbers(k, "--k")
    if table.is_dir():
        _print_data(measure_directory(table, ks, as_json=as_json))
    else:
        _print_data(measure_table(table, ks, as_json=as_json))


_stage("curate", "Build the training sets from the graded samples.")
_stage("finetune", "Train the students that are not trained yet.")
_stage("evaluate", "Evaluate the students that are not evaluated yet.")
_stage("report", "Write the report again; what earlier stages still lack is done first.")


@app.command()
def status(directory: Directory, as_json: AsJson = False) -> None:
    """Show which stages are done and what was planned, spent and left."""
    from isocost.running.status import status_of, to_text

    found = status_of(directory)
    _print_data(found if as_json else to_text(found))


@lab_app.command("train")
def lab_train(
    model: Annotated[str, typer.Option("--model", help="tiny, weak, student or strong.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder to save to; default lab/MODEL.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Fewer steps than the recipe, to try it out.")] = None,
    eager: Annotated[bool, typer.Option("--eager", help="Without torch.compile (slower; needs no C++ compiler).")] = False,
) -> None:
    """Train an embedded model again from nothing, by its recipe."""
    from isocost.lab import train_model

    folder = train_model(model, out or Path("lab") / model, steps=steps, compiled=not eager, progress=lambda line: _say(line))
    _say(f"saved to {folder}")


def main() -> None:
    """Entry point: errors become one to three lines, Ctrl-C says how to go on."""
    debug = "--debug" in sys.argv
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"], standalone_mode=True)
    except IsocostError as error:
        if debug:
            traceback.print_exc()
        for line in _mistakes(error):
            _say(f"error: {line}")
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - a fault of isocost's own: still one line, and the way to see more
        if debug:
            traceback.print_exc()
        _say(f"error: unexpected {type(error).__name__}: {error}\n  this is a fault of isocost; please report it with what --debug prints")
        raise SystemExit(1) from None


def _mistakes(error: IsocostError) -> list[str]:
    mistakes: tuple[str, ...] | None = getattr(error, "mistakes", None)
    return list(mistakes) if mistakes else [str(error)]


def _run(study: Path, out: Path | None, settings: list[str] | None) -> None:
    from isocost.running import run as run_study

    try:
        outcome = run_study(study, out, settings=settings or [], listener=ProgressLine(sys.stderr))
    except KeyboardInterrupt:
        _say(_interrupted(out))
        raise SystemExit(130) from None
    _finish(outcome)


def _interrupted(out: Path | None) -> str:
    """Three lines after Ctrl-C: what is saved, what it cost, how to go on."""
    from isocost.running.status import saved

    again = " ".join(["isocost", *sys.argv[1:]])
    return f"\nstopped: {saved(out) if out else 'all that was finished is saved'}\n  go on with: {again}"


def _finish(outcome: Finished) -> None:
    if outcome.headline:
        sys.stdout.write(f"\n{outcome.headline}\n")
    if outcome.report:
        sys.stdout.write(f"report: {outcome.report}\n")
    sys.stdout.flush()


def _print_data(value: object) -> None:
    sys.stdout.write((value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)).rstrip("\n") + "\n")


def _say(line: str) -> None:
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


def _whole_numbers(text: str, option: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise InputError(f'{option}: "{text}" is not a list of whole numbers above 0\n  write it as {option} 1,3,10')
    return numbers


if __name__ == "__main__":
    main()
