"""The commands `measure` and `verify`, which work on tables of samples and files of solutions, without a run."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocost.cli.arguments import AsJson, GivenCost, key_values, whole_numbers
from isocost.cli.completing import graders
from isocost.cli.leaving import stoppable
from isocost.cli.printing import print_data, say
from isocost.errors import InputError
from isocost.machine import available_cores
from isocost.streams import Output, opened, refuse_same_file
from isocost.terminal import CountLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isocost.verifying.summary import Summary

GRADER_HELP = "choice, code, exact, math, number, or package.module:Class; see docs/grading.md."


def measure(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="A table of samples (.parquet, .jsonl), files of other tools, or a run directory.", show_default=False
        ),
    ],
    k: Annotated[str, typer.Option("--k", help="The k of coverage@k and diversity@k.")] = "1,3,10",
    as_json: AsJson = False,
    levels: Annotated[
        str,
        typer.Option(
            "--levels", metavar="LEVELS", help="The levels at which solutions count as the same: string, normalised, equations; or none."
        ),
    ] = "string,normalised,equations",
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="Group problems by a column, such as level, of the table or of a run's problems."),
    ] = None,
    cost: GivenCost = None,
    as_fixed: Annotated[
        bool, typer.Option("--as-fixed", help="Assert that the number of draws does not depend on their outcomes, even if it appears to.")
    ] = False,
    stopped_at: Annotated[
        int | None,
        typer.Option(
            "--stopped-at",
            metavar="N",
            min=1,
            max=1_000_000,
            help="Each problem was sampled until N draws were correct, or to a cap; gives pass@1.",
        ),
    ] = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            "--mix", metavar="MIXTURE", help="A mixture: weak+strong, equal money; weak=1,strong=3, shares of the money; repeatable."
        ),
    ] = None,
) -> None:
    """Measure the models of a table of samples: coverage, diversity, pass@1, maj@k, costs, overlap and crossovers, with intervals.

    Files of other tools are read as isocost import reads them: one file, a folder of files, or a pattern in quotes. See docs/formats.md.

    Costs come from the column cost (in a run's samples, its own costs), else from num_generated_tokens, unless --cost gives them. In place
    of correct, a table may have the outcome that isocost verify writes. If sampling appears to have stopped on success, a warning is
    printed and measures that need a fixed number of draws are left out. See docs/metrics.md.
    """
    from isocost import measuring
    from isocost.costs.given import given_costs

    if as_fixed and stopped_at:
        raise InputError("--as-fixed, --stopped-at: contradict each other; give one")
    ks, wanted, given = whole_numbers(k, "--k"), measuring.level_list(levels), given_costs(cost or [])
    with stoppable():
        found = measuring.survey_file(
            table, ks, levels=wanted, given=given, by=by, as_fixed=as_fixed, stopped_at=stopped_at, mixes=mix or []
        )
    print_data(measuring.survey_json(found) if as_json else measuring.survey_markdown(found))


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE.jsonl", help="Lines of JSON; - is standard input.", show_default=False)],
    grader: Annotated[str, typer.Option("--grader", metavar="NAME", autocompletion=graders, help=GRADER_HELP)] = "math",
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
    workers: Annotated[int | None, typer.Option("-j", "--jobs", min=1, help="Worker processes; default: one per core.")] = None,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0.01, help="The most seconds per line.")] = 5.0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with status 2 if the reference of a line is no answer.")] = False,
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

    A file of another tool, as isocost import reads it, comes out as the rows of a table of samples; so do several files, named by a
    pattern in quotes or by their folder.
    """
    if not math.isfinite(time_limit):
        raise InputError(f"--time-limit {time_limit}: is not a number of seconds; write one, such as 5")
    if problem_option and not problems:
        raise InputError("--problem-option: is of no use without --problems; name the problem source with it")
    options, problem_options = key_values(option, "--option"), key_values(problem_option, "--problem-option")
    _grade(
        file,
        grader,
        options,
        (problems, problem_options) if problems else None,
        workers or available_cores(),
        time_limit,
        strict=strict,
    )


def _grade(
    file: str,
    grader: str,
    options: Mapping[str, object],
    source: tuple[str, Mapping[str, object]] | None,
    jobs: int,
    time_limit: float,
    *,
    strict: bool,
) -> None:
    """Grade the lines of a file, and print the counts of outcomes.

    `source` is the name and the options of the problem source that has the references; None if each line has its own.
    """
    from isocost.grading import GradingPool
    from isocost.verifying import lines_of, references, verify

    with stoppable():
        # Nothing is graded yet, so Ctrl-C needs no count of lines here.
        answers = references(*source) if source else None
        lines = lines_of(file, has_references=answers is not None)
    name = "stdin" if file == "-" else file
    # A progress line would be mixed into the graded lines if both go to one terminal.
    output, progress = Output(sys.stdout.fileno()), CountLine(sys.stderr, wanted=not sys.stdout.isatty())

    def complain(number: int, why: str) -> None:
        progress.clear()
        say(f"error: {name}:{number}: {why}")

    try:
        with opened(lines) as descriptor, GradingPool(grader, workers=jobs, time_limit=time_limit, options=options) as pool:
            refuse_same_file(descriptor, output.descriptor, name)
            summary = verify(
                descriptor,
                pool,
                workers=jobs,
                answers=answers,
                write=output.write,
                complain=complain,
                name=name,
                tick=lambda: progress.show("verify", output.lines, "lines"),
            )
    except KeyboardInterrupt:
        progress.clear()
        say(f"\nstopped after {output.lines:,} {'line' if output.lines == 1 else 'lines'}")
        raise SystemExit(130) from None
    except BrokenPipeError:  # the reader has closed the pipe
        raise SystemExit(141) from None
    finally:
        progress.clear()
    _summarise(summary, name, strict=strict)


def _summarise(summary: Summary, name: str, *, strict: bool) -> None:
    """Print the counts and the errors.

    Raises:
        SystemExit: 2 if a line could not be used, or none could be graded; with `strict` also if one was left out.
    """
    say(str(summary))
    for note in summary.notes(name):
        say(f"note: {note}")
    if summary.bad:
        more = f"; {summary.unnamed:,} more than are named" if summary.unnamed else ""
        say(f"error: {name}: {summary.bad:,} of its lines could not be used{more}")
    if failure := summary.failure():
        say(f"error: {failure}")
    if strict and summary.left_out:
        say(f"error: {name}: {len(summary.left_out):,} references are no answers; correct them, or leave out --strict")
    if summary.bad or failure or (strict and summary.left_out):
        raise SystemExit(2)
