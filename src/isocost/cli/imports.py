"""The command `import`."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isocost.cli.arguments import key_values
from isocost.cli.completing import sample_formats
from isocost.cli.leaving import stoppable
from isocost.cli.printing import say
from isocost.errors import InputError
from isocost.machine import available_cores
from isocost.paths import shell_word

if TYPE_CHECKING:
    from isocost.tables.imports import Wishes

GRADER_HELP = "Grade samples without a verdict: choice, code, exact, math, number, or package.module:Class; see docs/grading.md."


def import_(
    sources: Annotated[list[str], typer.Argument(metavar="SRC...", help="Files, patterns, folders of files, or URLs.", show_default=False)],
    out: Annotated[str, typer.Option("-o", "--out", metavar="TABLE", help="The table to write (.parquet, .jsonl); must not exist.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="Read every file as of this format.", autocompletion=sample_formats),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="The model, where a file has none.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Take a column from a field, such as level=doc.level; repeatable."),
    ] = None,
    correct: Annotated[
        str | None, typer.Option("--correct", metavar="RULE", help="What counts as correct, such as 'reward>=1'; else scores of 0 and 1.")
    ] = None,
    scorer: Annotated[
        str | None, typer.Option("--scorer", metavar="NAME", help="The score that decides, where a file has several.")
    ] = None,
    filter_: Annotated[
        str | None, typer.Option("--filter", metavar="NAME", help="The filter of lm-evaluation-harness that decides; else its first.")
    ] = None,
    grade: Annotated[str | None, typer.Option("--grade", metavar="GRADER", help=GRADER_HELP)] = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="An option of the grader; repeatable.")] = None,
    problems: Annotated[
        str | None, typer.Option("--problems", metavar="NAME", help="A problem source, or a file of problems: references by problem_id.")
    ] = None,
    problem_option: Annotated[
        list[str] | None, typer.Option("--problem-option", metavar="KEY=VALUE", help="An option of the problem source; repeatable.")
    ] = None,
    workers: Annotated[int | None, typer.Option("-j", "--jobs", min=1, help="Worker processes; default: one per core.")] = None,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0.01, max=86_400, help="The most seconds per sample.")] = 5.0,
) -> None:
    """Import samples of other tools as a table of samples, which isocost measures, forecasts from, replays and grades.

    Files are recognised by their content: NeMo-Skills, lm-evaluation-harness, inspect (.eval, .json), verifiers, open-r1, HumanEval and
    evalplus, Large Language Monkeys, and rows in JSON lines, CSV or Parquet. A response is a row. What becomes of every record goes to
    standard error. See docs/formats.md.

    isocost import 'results/output-rs*.jsonl' -o samples.parquet --model qwen-7b

    isocost import rows.csv -o samples.parquet --map problem_id=question_id --map generation=response --grade math
    """
    from isocost.grading import GradingPool
    from isocost.importing import import_samples, summary
    from isocost.tables.remote import is_url
    from isocost.verifying import references

    if option and not grade:
        raise InputError("--option: is of no use without --grade; name the grader with it")
    if problems and not grade:
        raise InputError("--problems: is of no use without --grade; name the grader with it")
    if problem_option and not problems:
        raise InputError("--problem-option: is of no use without --problems; name the problem source with it")
    wishes = _wishes(model, columns, correct, scorer, filter_, format_)
    options, jobs = key_values(option, "--option"), workers or available_cores()
    with stoppable():
        answers = references(problems, key_values(problem_option, "--problem-option")) if problems else None
        pool = GradingPool(grade, workers=jobs, time_limit=time_limit, options=options) if grade else nullcontext()
        with pool as grading:
            found = import_samples(sources, out, wishes, grading=grading, references=answers)
    for line in summary(found):
        say(line)
    table, counts = shlex.quote(out) if is_url(out) else shell_word(Path(out)), found.outcomes.counts
    is_graded = counts["correct"] or counts["incorrect"]
    say(f"wrote {out}; next: " + (f"isocost measure {table}" if is_graded else f"grade it: isocost import {table} -o TABLE --grade GRADER"))


def _wishes(
    model: str | None, columns: list[str] | None, correct: str | None, scorer: str | None, filter_: str | None, format_: str | None
) -> Wishes:
    from isocost.tables.formats.base import Choice
    from isocost.tables.formats.rules import parse_rule
    from isocost.tables.imports import Wishes

    mapped: dict[str, str] = {}
    for text in columns or []:
        # The first = separates: a column of a table is a plain word, a field may be anything.
        column, equals, field = text.partition("=")
        column = column.strip()
        if not equals or not column:
            raise InputError(f"--map {text[:80]}: write it as COLUMN=FIELD")
        if column in mapped:
            raise InputError(f"--map {text[:80]}: {column[:80]} is given twice; give it once")
        mapped[column] = field
    choice = Choice(filter=filter_, scorer=scorer, model=model)
    return Wishes(choice=choice, format=format_, columns=mapped, rule=parse_rule(correct) if correct else None)
