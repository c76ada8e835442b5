"""The command line: parses, calls, prints. The only module that prints; data to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from isocost.errors import InputError, IsocostError, StorageError
from isocost.streams import Output, opened, refuse_same_file
from isocost.terminal import CountLine, ProgressLine, printable

if TYPE_CHECKING:
    from isocost.running import Finished
    from isocost.running.verifying.summary import Summary

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
GRADER_HELP = "choice, code, exact, math, number, or package.module:Class; see docs/grading.md."
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse problems whose own reference answer the grader does not accept, rather than leave them out."),
]
Where = Annotated[
    str | None,
    typer.Option("--executor", metavar="NAME", help="Where work runs: local or ray; default as the study file says. See docs/ray.md."),
]
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="HOST:PORT", help="The Ray cluster, or auto; without it a Ray of its own on this machine."),
]


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
def demo(out: Out = None, settings: Settings = None, strict: Strict = False) -> None:
    """Run the packaged study on the embedded models: no network, a few minutes on two cores."""
    from isocost.lab import study_file

    _run(study_file("demo"), out, settings, strict=strict)


@app.command()
def run(
    study: StudyPath,
    out: Out = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show the plan and the first prompt; spend nothing.")
    ] = False,
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
) -> None:
    """Run a study, or go on with it: what is done is not done again."""
    if dry_run:
        from isocost.running import dry_run as rehearse
        from isocost.running.plans import to_markdown

        with _stoppable():
            prepared, costs, plans, prompts = rehearse(study, settings or [])
        _print_data(to_markdown(prepared, costs, plans) + "\n\n" + prompts)
        return
    _run(study, out, settings, strict=strict, executor=executor, address=address)


@app.command()
def plan(study: StudyPath, settings: Settings = None, as_json: AsJson = False) -> None:
    """Show what each budget buys from each model, before a token is spent."""
    from isocost.running import plan_study
    from isocost.running.plans import to_json, to_markdown

    with _stoppable():
        prepared, costs, plans = plan_study(study, settings or [])
    _print_data(to_json(plans) if as_json else to_markdown(prepared, costs, plans))


def _stage(name: str, summary: str) -> None:
    def command(
        directory: Directory, force: Force = False, strict: Strict = False, executor: Where = None, address: Address = None
    ) -> None:
        _finish(_run_stage(directory, name, None, force=force, strict=strict, executor=executor, address=address))

    command.__doc__ = summary
    app.command(name)(command)


def _run_stage(
    directory: Path, name: str, settings: list[str] | None, *, force: bool, strict: bool, executor: str | None, address: str | None
) -> Finished:
    from isocost.running import run_stage
    from isocost.running.executing import Chosen

    _heed_ctrl_c()
    try:
        where, progress = Chosen(name=executor, address=address), ProgressLine(sys.stderr)
        return run_stage(directory, name, settings=settings or [], force=force, strict=strict, executor=where, listener=progress)
    except KeyboardInterrupt:
        _say(_interrupted(directory))
        raise SystemExit(130) from None


_stage("sample", "Buy what the study's cells still lack.")
_stage(
    "grade",
    "Grade every stored sample that has no verdict of the study's grader; what sampling still lacks is bought first. Grades by the grader "
    "of DIR/study.yaml; edit it there.",
)


@app.command()
def audit(
    directory: Directory,
    settings: Settings = None,
    as_json: AsJson = False,
    force: Force = False,
    strict: Strict = False,
    executor: Where = None,
    address: Address = None,
) -> None:
    """Look for false positives among the answer-correct solutions; what sampling still lacks is bought first.

    Chooses solutions of each model, one a problem, and looks at them by their arithmetic and, with --set audit.by=judge --set
    audit.model=NAME, by a model of the study, whose replies are bought within the limit; takes in what people said with isocost view; and
    prints each model's rate with its interval, and before anyone labels how many labels tell the models apart. Settings are kept in
    DIR/study.yaml. See docs/audits.md.
    """
    _run_stage(directory, "audit", settings, force=force, strict=strict, executor=executor, address=address)
    from isocost.running.auditing import saying

    found = saying.read(directory)
    _print_data(found if as_json else saying.to_markdown(found, directory))


@app.command()
def measure(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A table of samples (.parquet, .jsonl), or a run directory.", show_default=False)
    ],
    k: Annotated[str, typer.Option("--k", help="The k of coverage@k and diversity@k.")] = "1,3,10",
    as_json: AsJson = False,
    levels: Annotated[
        str, typer.Option("--levels", metavar="LEVELS", help="What makes two solutions the same: string, normalised, equations; or none.")
    ] = "string,normalised,equations",
    by: Annotated[str | None, typer.Option("--by", metavar="COLUMN", help="A column to group problems by, such as level.")] = None,
    cost: Annotated[
        list[str] | None, typer.Option("--cost", metavar="MODEL=NUMBER", help="The price of that model's token; once for every model.")
    ] = None,
    as_fixed: Annotated[
        bool, typer.Option("--as-fixed", help="The number of draws does not depend on their outcomes, whatever it looks like.")
    ] = False,
) -> None:
    """Measure the models of a table of samples: coverage, diversity, pass@1, maj@k, costs, overlap and crossovers, with intervals.

    Costs come from the column cost, else from num_generated_tokens, a token costing 1 or what --cost says. Draws that look as if they had
    been stopped by their outcomes are said, and get no measure that needs a fixed number of draws. See docs/metrics.md.
    """
    from isocost import measuring

    ks, wanted, prices = _whole_numbers(k, "--k"), measuring.level_list(levels), measuring.price_list(cost or [])
    with _stoppable():
        found = measuring.survey_file(table, ks, levels=wanted, prices=prices, by=by, as_fixed=as_fixed)
    _print_data(measuring.survey_json(found) if as_json else measuring.survey_markdown(found))


@app.command()
def verify(
    file: Annotated[str, typer.Argument(metavar="FILE.jsonl", help="Lines of JSON; - is standard input.", show_default=False)],
    grader: Annotated[str, typer.Option("--grader", metavar="NAME", help=GRADER_HELP)] = "math",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="An option of the grader, e.g. order=given, units=require (math); repeatable."),
    ] = None,
    problems: Annotated[
        str | None, typer.Option("--problems", metavar="NAME", help="A problem source, or a file of problems: finds each problem_id.")
    ] = None,
    problem_option: Annotated[
        list[str] | None, typer.Option("--problem-option", metavar="KEY=VALUE", help="An option of the problem source; repeatable.")
    ] = None,
    workers: Annotated[int | None, typer.Option("-j", "--jobs", min=1, help="Worker processes; default one a core.")] = None,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0.01, help="Seconds that one line may take.")] = 5.0,
) -> None:
    """Grade solutions: each line of FILE comes out again, in order, with outcome, predicted_answer and reason added.

    A line is an object with "gold" (also "expected_answer" or "answer"), the reference answer as text or a number, and "prediction" (also
    "generation"), the solution. With --problems, "problem_id" names the problem whose answer is the reference, whatever else the line
    holds. Other fields are kept as they are; fields named outcome, predicted_answer or reason are replaced.

    outcome is correct, incorrect, no_answer or ungraded. A line that cannot be used comes out as ungraded with the reason bad_line and what
    is wrong with it, is named on standard error, and makes the exit status 2, as does a file of which no line can be graded; the others are
    graded. Empty lines stay empty. Lines come out as soon as they are graded; the counts, and the first line of each kind that could not be
    graded, go to standard error:

    tail -f solutions.jsonl | isocost verify - --grader number

    isocost verify answers.jsonl --problems gsm8k --problem-option split=test
    """
    if not math.isfinite(time_limit):
        raise InputError(f"--time-limit {time_limit}: is not a number of seconds; write one, such as 5")
    if problem_option and not problems:
        raise InputError("--problem-option: is of no use without --problems; name the problem source with it")
    options, problem_options = _key_values(option, "--option"), _key_values(problem_option, "--problem-option")
    from isocost.grading import GradingPool
    from isocost.running.verifying import references
    from isocost.running.verifying import verify as verify_lines

    _heed_ctrl_c()
    jobs = workers or len(os.sched_getaffinity(0))
    answers = references(problems, problem_options) if problems else None
    name = "stdin" if file == "-" else file
    output, progress = Output(sys.stdout.fileno()), CountLine(sys.stderr, wanted=not sys.stdout.isatty())

    def say(line: str) -> None:
        progress.clear()
        _say(line)

    try:
        with opened(file) as descriptor, GradingPool(grader, workers=jobs, time_limit=time_limit, options=options) as pool:
            refuse_same_file(descriptor, output.descriptor, name)
            summary = verify_lines(
                descriptor,
                pool,
                workers=jobs,
                answers=answers,
                write=output.write,
                complain=lambda number, why: say(f"error: {name}:{number}: {why}"),
                name=name,
                tick=lambda: progress.show("verify", output.lines, "lines"),
            )
    except KeyboardInterrupt:
        progress.clear()
        _say(f"\nstopped after {output.lines:,} {'line' if output.lines == 1 else 'lines'}")
        raise SystemExit(130) from None
    except BrokenPipeError:  # whoever read has enough
        raise SystemExit(141) from None
    finally:
        progress.clear()
    _summarise(summary, name)


def _summarise(summary: Summary, name: str) -> None:
    """The counts and what was wrong; leaves with 2 if a line could not be used, or none could be graded."""
    _say(str(summary))
    for note in summary.notes(name):
        _say(f"note: {note}")
    if summary.bad:
        more = f"; {summary.unnamed:,} more than are named" if summary.unnamed else ""
        _say(f"error: {name}: {summary.bad:,} of its lines could not be used{more}")
    if failure := summary.failure():
        _say(f"error: {failure}")
    if summary.bad or failure:
        raise SystemExit(2)


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


@app.command()
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

    with _stoppable():
        closing = serve(directory, labeller=labeller, port=port, say=_print_data)
    _say(f"\n{closing}")


@lab_app.command("train")
def lab_train(
    model: Annotated[str, typer.Option("--model", help="tiny, weak, student or strong.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder to save to; default lab/MODEL.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Fewer steps than the recipe, to try it out.")] = None,
    eager: Annotated[bool, typer.Option("--eager", help="Without torch.compile (slower; needs no C++ compiler).")] = False,
) -> None:
    """Train an embedded model again from nothing, by its recipe."""
    from isocost.lab import train_model

    with _stoppable():
        folder = train_model(model, out or Path("lab") / model, steps=steps, compiled=not eager, progress=lambda line: _say(line))
    _say(f"saved to {folder}")


def main() -> None:
    """Entry point: errors become one to three lines, Ctrl-C says how to go on."""
    signal.signal(signal.SIGINT, _stop_at_once)
    if sys.stderr is None:  # closed: there is nobody to tell
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the process lives
    debug = "--debug" in sys.argv
    try:
        if sys.stdout is None:
            raise InputError("standard output: is closed")
        app([argument for argument in sys.argv[1:] if argument != "--debug"], standalone_mode=True)
    except IsocostError as error:
        if debug:
            _say("".join(traceback.format_exception(error)).rstrip())
        for line in _mistakes(error):
            _say(f"error: {line}")
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001 - a fault of isocost's own: still one line, and the way to see more
        if debug:
            _say("".join(traceback.format_exception(error)).rstrip())
        _say(f"error: {_unforeseen(error)}")
        raise SystemExit(1) from None


def _unforeseen(error: Exception) -> str:
    """What to say of an error that isocost did not raise: the machine may be short of something, else isocost is at fault."""
    if isinstance(error, MemoryError):
        return "out of memory; give it more, or use smaller pieces"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'standard output'}: {error.strerror}"
    return f"unexpected {type(error).__name__}: {error}\n  this is a fault of isocost; please report it with what --debug prints"


def _stop_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Ctrl-C before anything was begun: libraries are being imported, some of which would swallow an exception or show its traceback."""
    with contextlib.suppress(OSError):
        os.write(2, b"\nstopped\n")
    os._exit(130)


def _mistakes(error: IsocostError) -> list[str]:
    mistakes: tuple[str, ...] | None = getattr(error, "mistakes", None)
    return list(mistakes) if mistakes else [str(error)]


def _run(
    study: Path,
    out: Path | None,
    settings: list[str] | None,
    *,
    strict: bool,
    executor: str | None = None,
    address: str | None = None,
) -> None:
    from isocost.running import run as run_study
    from isocost.running.executing import Chosen

    _heed_ctrl_c()
    try:
        where = Chosen(name=executor, address=address)
        outcome = run_study(study, out, settings=settings or [], strict=strict, executor=where, listener=ProgressLine(sys.stderr))
    except KeyboardInterrupt:
        _say(_interrupted(out))
        raise SystemExit(130) from None
    _finish(outcome)


def _heed_ctrl_c() -> None:
    """Let Ctrl-C, and what a scheduler sends, end a wait: polars, when imported, has waits go on after a signal until they end."""
    import polars  # noqa: F401 - a later import would undo it

    for number in (signal.SIGINT, signal.SIGTERM):  # a scheduler that takes the machine back sends the second
        signal.signal(number, signal.default_int_handler)
        signal.siginterrupt(number, True)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Work that Ctrl-C ends in order, its processes too."""
    _heed_ctrl_c()
    try:
        yield
    except KeyboardInterrupt:
        _say("\nstopped")
        raise SystemExit(130) from None


def _interrupted(out: Path | None) -> str:
    """Three lines after Ctrl-C: what is saved, what it cost, how to go on."""
    from isocost.running.status import saved

    again = " ".join(["isocost", *sys.argv[1:]])
    return f"\nstopped: {saved(out) if out else 'all that was finished is saved'}\n  go on with: {again}"


def _finish(outcome: Finished) -> None:
    if outcome.graded:
        _say(f"{'grade':9s} {outcome.graded}")
    if outcome.headline:
        sys.stdout.write(f"\n{outcome.headline}\n")
    if outcome.report:
        sys.stdout.write(f"report: {outcome.report}\n")
    sys.stdout.flush()


def _key_values(settings: list[str] | None, option: str) -> dict[str, object]:
    """`KEY=VALUE` settings, values read as in a study file."""
    import yaml

    found: dict[str, object] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise InputError(f"{option} {setting}: write it as KEY=VALUE")
        if key in found:
            raise InputError(f"{option} {setting}: {key} is given twice; give it once")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[key] = value
    return found


def _print_data(value: object) -> None:
    try:
        sys.stdout.write((value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)).rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough
        _drop_output()
        raise SystemExit(141) from None
    except OSError as error:
        _drop_output()
        raise StorageError(f"standard output: {error.strerror}") from error


def _drop_output() -> None:
    """Let what could not be written not fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
