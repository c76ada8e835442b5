"""Conversion of rows with named fields to problems, for any file or dataset."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from isocost.digits import json_int
from isocost.encodings import kind_flaw, utf8_flaw
from isocost.errors import ProblemsError
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.paths import is_special_file
from isocost.problems.choices import CHOICE_FIELD, options_of
from isocost.problems.references import reference_flaw
from isocost.records import Problem

# Usual names, in the order in which they are looked up. A worked solution often stands beside the answer, so it comes last.
QUESTION_FIELDS = ("question", "problem", "prompt")
ANSWER_FIELDS = (
    "answer", "expected_answer", "target", "reference_answer", "reference", "ground_truth", "gold", "correct_answer", "final_answer",
    "solution",
)  # fmt: skip
ID_FIELDS = ("id", "problem_id", "unique_id")


LONGEST = 1 << 30  # bytes of a line: a longer one is damage, and would fill the memory


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (where, row) of every non-empty line of a JSONL file, which may be packed (`.gz`). `where` is `file:line`, for messages.

    Raises:
        ProblemsError: the file cannot be read, or a line is not a JSON object.
    """
    if is_special_file(path):  # a pipe can be read once, and a device may have no end
        raise ProblemsError(f"{path}: is not an ordinary file, but a pipe or a device\n  write the problems into a file first")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
                if len(line) > LONGEST:
                    raise ProblemsError(f"{path}:{number}: is longer than {LONGEST:,} bytes\n  each problem has a line of its own")
                if number == 1 and (flaw := kind_flaw(line, path)):
                    raise ProblemsError(f"{path}: {flaw}")
                # Some programs begin a UTF-8 file with a byte order mark.
                if line := line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip():
                    yield f"{path}:{number}", _row(line, f"{path}:{number}")
    except (OSError, EOFError, zlib.error) as error:
        raise ProblemsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _row(line: bytes, where: str) -> Mapping[str, object]:
    try:
        text = line.decode("utf-8")
        row = json.loads(text, parse_int=json_int)
        refuse_repeated_keys(text, row)
    except UnicodeDecodeError as error:
        raise ProblemsError(f"{where}: {utf8_flaw(error)}; save the file as UTF-8") from error
    except RepeatedKeyError as error:
        raise ProblemsError(f"{where}: {error}") from error
    except json.JSONDecodeError as error:
        raise ProblemsError(f"{where}: not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise ProblemsError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ProblemsError(f"{where}: a JSON object is needed, not {type(row).__name__}")
    return row


def to_problem(
    row: Mapping[str, object],
    where: str,
    *,
    default_id: str,
    id_field: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    unanswered: bool = False,
) -> Problem:
    """Return the problem of a row. A field without a given name is looked up under its usual names; other scalars become metadata.

    Where a row has several of the usual names, the first of `QUESTION_FIELDS` and `ANSWER_FIELDS` is read; the problem's `choices` has all.
    With `unanswered`, a missing, null or empty answer is "". A value that cannot be an answer is the problem's flaw (`reference_flaw`).

    A row with `choices` is multiple choice: see `isocost.problems.choices`.

    Raises:
        ProblemsError: the question is missing or empty, the answer's field is missing, or the answer is outside the choices.
    """
    question = _field(row, where, "question", question_field, QUESTION_FIELDS)
    answer_fields = (answer_field,) if answer_field else ANSWER_FIELDS
    has_answer = any(_is_given(row.get(name)) for name in answer_fields)
    answer = None if unanswered and not has_answer else _field(row, where, "answer", answer_field, ANSWER_FIELDS)
    key = id_field or next((name for name in ID_FIELDS if name in row), None)
    identity = default_id if key is None else _text(row, where, key)
    # A worked solution beside the answer is not metadata that a report should group by.
    used = {question, answer, answer_field, key, "answer", "expected_answer", "solution"}
    # Scalars only: reports group problems by them.
    metadata = {name: value for name, value in row.items() if name not in used and isinstance(value, str | int | float)}
    asked = _text(row, where, question)
    flaw = reference_flaw(row.get(answer)) if answer else None
    if (options := options_of(row.get(CHOICE_FIELD), where)) and answer and _is_given(row.get(answer)):
        flaw = None  # the choices decide: several right ones are a list, and one may be called "proof"
    has_reference = answer is not None and not flaw
    if options:
        asked = f"{asked}\n{options.listed()}"
        reference = options.reference(row.get(str(answer)), where) if has_reference else ""
    else:
        reference = _text(row, where, str(answer)) if has_reference else ""
    named = {"question": question_field, "answer": answer_field}
    usual = {"question": QUESTION_FIELDS, "answer": ANSWER_FIELDS}
    choices = {what: found for what, names in usual.items() if not named[what] and (found := _candidates(row, names))}
    return Problem(id=identity, question=asked, answer=reference, metadata=metadata, where=where, flaw=flaw or "", choices=choices)


def _candidates(row: Mapping[str, object], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields of a row under these names; () unless their values differ."""
    found = tuple(name for name in names if name in row)
    return found if len({str(row[name]).strip() for name in found if _is_given(row[name])}) > 1 else ()


def _is_given(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _field(row: Mapping[str, object], where: str, what: str, named: str | None, usual: tuple[str, ...]) -> str:
    if named is not None:
        if named not in row:
            raise ProblemsError(f'{where}: no field "{named}"; this row has: {", ".join(row)}')
        return named
    found = next((name for name in usual if name in row), None)
    if found is None:
        raise ProblemsError(
            f"{where}: no {what}; name its field with {what}_field: NAME (isocost init --{what}-field NAME). This row has: {', '.join(row)}"
        )
    return found


def _text(row: Mapping[str, object], where: str, name: str) -> str:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProblemsError(f'{where}: field "{name}" must be text or a number, not {json.dumps(value, default=str)[:40]}')
    text = str(value).strip()
    if not text:
        raise ProblemsError(f'{where}: field "{name}" is empty')
    if any("\ud800" <= character <= "\udfff" for character in text):  # JSON can express a lone surrogate; no tokenizer accepts it
        raise ProblemsError(f'{where}: field "{name}" holds half a character (a lone \\ud8xx escape)')
    return text
