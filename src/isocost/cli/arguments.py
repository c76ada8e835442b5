"""Options and arguments that several commands share, and parsers of option values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.completing import EXECUTORS, LEVELS, one_of
from isocost.digits import to_int
from isocost.errors import InputError
from isocost.paths import real_path, shell_word

# The effect of --force on each stage, as `running.stages.StudyRun` implements it.
FORCE = {
    "sample": "Buy samples again that were paid for and whose files are missing. Stored samples are never discarded; an error if none are "
    "missing.",
    "grade": "Discard the verdicts of the study's grader and grade all stored samples again. Replies of a judge are kept.",
    "audit": "Ask a judge again where its calls failed for good. Nothing is discarded.",
    "curate": "No effect: the training sets are built again each time.",
    "finetune": "Discard all trained models and evaluations of the run, and train again.",
    "evaluate": "Discard all evaluations of the run, and evaluate again. Models are kept.",
    "report": "Read and measure all samples again, even if nothing has changed since the last report.",
}
_LARGEST = 10_000  # no table has more samples per problem, so a larger k is a typing error
_EMPTY = re.compile(r"--[\w-]+=")
_ONE_TABLE = ("measure", "forecast", "backtest", "verify")  # commands that take one table, or a pattern
_SHOWN = 60  # characters of a value in a message

Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY.KEY=VALUE", help="Override a value of the study file; may be repeated.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="The run directory; default runs/NAME.")]
StudyPath = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.", show_default=False)]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.", show_default=False)]
GivenCost = Annotated[
    list[str] | None,
    typer.Option(
        "--cost",
        metavar="MODEL=AMOUNT",
        help="The cost of a model's generated token, or of a draw: MODEL=AMOUNT/draw; give one for every model.",
    ),
]
Distinct = Annotated[
    str,
    typer.Option(
        "--distinct",
        metavar="LEVEL",
        autocompletion=one_of(LEVELS),
        help="Solutions count as the same by: string, normalised, equations; or none. As curate.distinct of a study.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse problems whose own reference answer the grader does not accept, rather than leave them out."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Submit batches (models with batch: true) and leave; the same command collects them later.")
]
CancelBatches = Annotated[
    bool,
    typer.Option("--cancel-batches", help="Cancel the batches under way, wait up to ten minutes, keep what they brought, buy nothing."),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        autocompletion=one_of(EXECUTORS),
        help="Where work runs: local or ray; default: the study file's. See docs/ray.md.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="HOST:PORT", help="The Ray cluster, or auto; without it a Ray of its own on this machine."),
]


def force_option(stage: str) -> object:
    """Return the type of a stage's parameter `force`, with the help of its option."""
    return Annotated[bool, typer.Option("--force", help=FORCE[stage])]


def key_values(settings: list[str] | None, option: str) -> dict[str, object]:
    """Parse `KEY=VALUE` settings; values are read as in a study file.

    Args:
        settings: The values of the option.
        option: Its name, for messages.

    Raises:
        InputError: a setting has another form, or a key is given twice.
    """
    # Imported here: only some commands read settings.
    import yaml

    from isocost.yamlfile import TooMuchError, parse_value, trouble

    found: dict[str, object] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise InputError(f"{option} {setting}: write it as KEY=VALUE")
        if key in found:
            raise InputError(f"{option} {setting}: {key} is given twice; give it once")
        try:
            read = parse_value(value)
            # 010 is 8 in YAML 1.1 and 10 in YAML 1.2, so it stays text.
            found[key] = value if any(plain.is_octal for plain in read.plain.values()) else read.data
        except TooMuchError as error:
            raise InputError(f"{option} {key}: {trouble(error, value)[1]}") from error
        except yaml.YAMLError:  # such as a lone quote or colon: the text itself
            found[key] = value
    return found


def whole_numbers(text: str, option: str) -> list[int]:
    """Parse a list of whole numbers above 0, such as `1,3,10`.

    Args:
        text: The value of the option.
        option: Its name, for messages.

    Raises:
        InputError: the text is not such a list.
    """
    try:
        numbers = [to_int(part.strip()) if part.strip().isdecimal() else int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if numbers and max(numbers) > _LARGEST:
        raise InputError(f"{option}: no table has more than {_LARGEST:,} samples of a problem\n  write it as {option} 1,3,10")
    if not numbers or min(numbers) < 1:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise InputError(f'{option}: "{shown}" is not a list of whole numbers above 0\n  write it as {option} 1,3,10')
    return numbers


def numbers(text: str, option: str, example: str) -> list[float]:
    """Parse a list of numbers above 0, such as `0.3,0.4`.

    Args:
        text: The value of the option.
        option: Its name, for messages.
        example: An example of a value, for messages.

    Raises:
        InputError: the text is not such a list.
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < number < float("inf") for number in found):
        raise InputError(f'{option}: "{text[:_SHOWN]}" is not a list of numbers above 0', advice=f"write it as {option} {example}")
    return found


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse an argument without any text, which a shell makes of a variable that is not set: most options would count as not given.

    Raises:
        InputError: there is one.
    """
    for i, word in enumerate(words):
        if not word or _EMPTY.fullmatch(word):
            before = words[i - 1] if not word and i and words[i - 1].startswith("-") else word.rstrip("=")
            raise InputError(f"{before or f'argument {i + 1}'}: is empty", advice="is a variable of the shell not set?")


def refuse_expanded(words: Sequence[str]) -> None:
    """Refuse several files in the place of one table, as a shell makes them of a pattern without quotes.

    Raises:
        InputError: there are several.
    """
    if not words or words[0] not in _ONE_TABLE:
        return
    files = list(takewhile(lambda word: not word.startswith("-") and Path(word).is_file(), words[1:]))
    if len(files) > 1:
        pattern = shell_word(Path(files[0]).parent / f"*{Path(files[0]).suffix}")
        raise InputError(
            f"{words[0]}: takes one table, found {len(files):,} files: {files[0]}, {files[1]}{', ...' if len(files) > 2 else ''}",
            advice=f"put a pattern in quotes: isocost {words[0]} {pattern}; or join them: isocost import FILE... -o TABLE",
        )


def names_of(directories: list[Path]) -> list[str]:
    """Return a name for each run: the folder's, or the path where two folders have one name.

    Raises:
        InputError: a run is named twice.
    """
    places = [real_path(directory) for directory in directories]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise InputError(f"{directories[i]}: is named twice; name each run once")
    names = [place.name for place in places]
    return names if len(set(names)) == len(names) else [str(directory) for directory in directories]
