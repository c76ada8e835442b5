"""The command that writes a first study file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from isocost.amounts import listed
from isocost.cli.completing import TEMPLATES, one_of
from isocost.cli.printing import say
from isocost.errors import InputError, Option, StorageError
from isocost.paths import shell_word


def init(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The file to write; it must not exist.")] = Path("study.yaml"),
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="NAME",
            autocompletion=one_of(TEMPLATES),
            help="endpoint, gpu, table or code; asks nothing.",
            show_default=False,
        ),
    ] = None,
    problems: Annotated[
        str | None,
        typer.Option(
            "--problems",
            metavar="FILE",
            help="A JSONL file, or the name of a source: gsm8k, math, mbpp, humaneval, lab.",
            show_default=False,
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            metavar="WEAK,STRONG",
            help="Two models, the cheaper first; for the template endpoint also one alone.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL[,URL]",
            help="For the template endpoint: the address of the models, or one for each.",
            show_default=False,
        ),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option(
            "--price",
            metavar="IN/OUT[,IN/OUT]",
            help="For the template endpoint: the models' prices, US dollars per million prompt and generated tokens.",
            show_default=False,
        ),
    ] = None,
    question_field: Annotated[
        str | None,
        typer.Option("--question-field", metavar="NAME", help="Field of the JSONL's rows with the question.", show_default=False),
    ] = None,
    answer_field: Annotated[
        str | None, typer.Option("--answer-field", metavar="NAME", help="Field with the answer.", show_default=False)
    ] = None,
    id_field: Annotated[str | None, typer.Option("--id-field", metavar="NAME", help="Field with the id.", show_default=False)] = None,
    table: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="The recorded samples, for the template table.", show_default=False)
    ] = None,
) -> None:
    """Write a first study file, with comments: where the models run, which problems, which models.

    Asks three questions on a terminal. What an option says is not asked, and with --template nothing is. --base-url and --price are of
    endpoints alone, so they stand for --template endpoint.
    """
    from isocost.drafting import draft

    if study.exists():
        raise InputError(f"{study} exists, and is not written over\n  give another name: isocost init other.yaml")
    chosen = _complete(template or ("endpoint" if base_url or price else None), problems, models, table, study.parent)
    given = {"question_field": question_field, "answer_field": answer_field, "id_field": id_field}
    text = draft(
        chosen.template,
        problems=chosen.problems,
        models=chosen.models,
        folder=study.parent,
        table=chosen.table,
        name=None if study.stem == "study" else study.stem,
        fields={key: value for key, value in given.items() if value is not None},
        base_urls=_each(base_url),
        prices=_each(price),
    )
    _write(study, text)
    examples = _examples(models, base_url, price) if chosen.template == "endpoint" else ""
    say(f"wrote {study}: {examples}look through it, then\n  isocost run {shell_word(study)} --dry-run")


def _each(values: str | None) -> list[str]:
    """Return the values of an option that has one per model."""
    return [] if values is None else [value.strip() for value in values.split(",")]


def _examples(models: str | None, base_url: str | None, price: str | None) -> str:
    """Return what of a draft for endpoints nobody has given."""
    missing = [name for name, given in (("models", models), ("addresses", base_url), ("prices", price)) if given is None]
    return f"its {listed(missing)} are examples until you put yours; " if missing else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """The choices from which a first study is written."""

    template: str
    problems: str
    models: list[str]
    table: str | None


def _complete(template: str | None, problems: str | None, models: str | None, table: str | None, folder: Path) -> _Choices:
    """Return the choices: what no option says is asked, or assumed if the template is given.

    Raises:
        InputError: there is no such template, problem source or table, or nobody can be asked.
    """
    from isocost.drafting import DEFAULTS, SOURCES, models_of, refuse_missing, refuse_unknown

    answer = _asked if template is None else _assumed
    if template is None:
        template = _choose({name: default.summary for name, default in DEFAULTS.items()})
    refuse_unknown(template)
    if problems is not None:
        refuse_missing(problems, folder)
    defaults = DEFAULTS[template]
    if template == "table":
        is_named, table = table is not None, table or answer("Which table of samples?", "samples.parquet")
        # One that is named may be a URL or a pattern too; what is wrong with it is told where it is read.
        if not is_named and not any(path.exists() for path in (Path(table), folder / table)):
            raise InputError(f"{table}: no such table of samples", advice=("name yours: ", Option(name="table", value="FILE")))
    problems = problems or answer(f"Which problems? A JSONL file, or {', '.join(SOURCES)}", defaults.problems)
    if models is None:
        found = models_of(table, folder) if table else defaults.models
        models = answer("Which models? Two, the cheaper first" + (", or one" if template == "endpoint" else ""), ",".join(found))
    return _Choices(template=template, problems=problems, models=models.split(","), table=table)


def _write(study: Path, text: str) -> None:
    """Write a new study file.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        study.parent.mkdir(parents=True, exist_ok=True)
        with study.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"{study}: cannot be written: {error.strerror}") from error


def _choose(summaries: Mapping[str, str]) -> str:
    """Ask for a template.

    Raises:
        InputError: standard input is no terminal.
    """
    if not is_terminal():
        raise InputError(f"init asks questions, and standard input is no terminal\n  name a template: --template {'|'.join(summaries)}")
    for name, summary in summaries.items():
        say(f"  {name:9s} {summary}")
    return _asked("Where do the samples come from?", next(iter(summaries)))


def is_terminal() -> bool:
    """Return True if somebody can be asked."""
    return sys.stdin.isatty()


def _asked(question: str, default: str) -> str:
    """Return the answer to a question, whose text goes to standard error as all messages do."""
    return str(typer.prompt(question, default=default, err=True)).strip()


def _assumed(question: str, default: str) -> str:
    """Return the default without asking."""
    return default
