"""A line of JSON with a reference answer and a solution: read, and written with its verdict, otherwise unchanged byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocost.encodings import utf8_flaw
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.nearest import LIKENESS, nearest_word
from isocost.problems.references import reference_flaw
from isocost.records import Outcome, Pair, Verdict

# The fields of other tools too, so that their files need no conversion; the first one that exists counts.
GOLD = ("gold", "expected_answer", "answer")
PREDICTION = ("prediction", "generation")
# Names of other tools that may mean either, so that they are not read, only named in the complaint.
_LIKE = {
    GOLD: ("target", "reference", "reference_answer", "ground_truth", "label", "correct_answer", "solution"),
    PREDICTION: ("completion", "response", "output", "solution", "model_output", "generated_text", "text"),
}
ADDED = ("outcome", "predicted_answer", "reason")
BAD_LINE = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="bad_line")
TOO_DEEP = "not JSON that can be read: nested too deeply"
_BOM = b"\xef\xbb\xbf"


class LineError(ValueError):
    """Raised for a line that cannot be used; the message is the reason."""


class _Number(str):
    """A number as spelled in its line: a gold answer of 1.50 is not 1.5."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input, without its end.

    Attributes:
        number: Its number, from 1.
        raw: Its bytes.
        row: Its fields; empty where it cannot be read.
        kept: The bytes to write before the verdict's fields: a whole object, or empty where it cannot be read as one.
        pair: The solution to grade; None where the line cannot be used.
        complaint: The reason why it cannot be used; "" for a blank line.
        flaw: Why its reference is no answer; "" if it is one. Such a line has no pair and is left out.
    """

    number: int
    raw: bytes
    row: Mapping[str, Any]
    kept: bytes
    pair: Pair | None
    complaint: str = ""
    flaw: str = ""

    @property
    def blank(self) -> bool:
        """True if it is blank."""
        return self.pair is None and not self.complaint and not self.flaw

    def with_verdict(self, verdict: Verdict) -> bytes:
        """Return the line with the verdict's fields at its end, which replace fields of these names.

        A line that is no object becomes an object of these fields only. A blank line is unchanged.
        """
        if self.blank:
            return self.raw + b"\n"
        added = {"outcome": verdict.outcome, "predicted_answer": verdict.predicted_answer, "reason": verdict.reason}
        start = self.kept[:-1].rstrip()  # without the closing brace
        comma = b", " if len(start) > 1 else b""  # none after the brace of an empty object
        return (start + comma if start else b"{") + _dumped(added)[1:] + b"\n"


def read_line(raw: bytes, number: int, references: Mapping[str, str] | None) -> Line:
    """Read a line. An error in it becomes its complaint.

    Args:
        raw: Its bytes, without the end of the line.
        number: Its number, from 1.
        references: The reference answers by `problem_id`; None where lines contain their own.
    """
    if number == 1:  # Windows editors write a byte-order mark, which is no JSON
        raw = raw.removeprefix(_BOM)
    if not raw.strip():
        return Line(number, raw, {}, b"", None)
    row: Mapping[str, Any] = {}
    kept = b""
    try:
        row = _parsed(raw)
        kept = _kept(raw, row)
        if flaw := _flaw(row, references):
            return Line(number, raw, row, kept, None, flaw=flaw)
        reference = _field(row, GOLD) if references is None else _reference(row, references)
        pair = Pair(key="", reference=reference, generation=_field(row, PREDICTION), truncated=row.get("finish_reason") == "length")
    except LineError as error:
        return Line(number, raw, row, kept, None, str(error))
    return Line(number, raw, row, kept, pair)


def is_readable(fields: Mapping[str, Any], *, has_references: bool) -> bool:
    """Return True if an object has the fields of a line, whatever their values."""
    names = (*GOLD, *PREDICTION) if not has_references else ("problem_id", *PREDICTION)
    return not fields.keys().isdisjoint(PREDICTION) and not fields.keys().isdisjoint(set(names) - set(PREDICTION))


def _parsed(raw: bytes) -> Mapping[str, Any]:
    try:
        text = raw.decode()
        found = json.loads(text, parse_int=_Number, parse_float=_Number)
        refuse_repeated_keys(text, found)
    except UnicodeDecodeError as error:
        raise LineError(utf8_flaw(error)) from error
    except RepeatedKeyError as error:
        raise LineError(str(error)) from error
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg}, at character {error.pos + 1}") from error
    except RecursionError as error:
        raise LineError(TOO_DEEP) from error
    if not isinstance(found, dict):
        raise LineError(f'not an object but {_kind(found)}; write {{"gold": ..., "prediction": ...}}')
    return found


def _kept(raw: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the line without fields that the verdict's replace.

    Raises:
        LineError: it can be read, but is nested too deeply to be written.
    """
    if not any(field in row for field in ADDED):
        return raw.rstrip()
    try:
        return _dumped({key: value for key, value in row.items() if key not in ADDED})
    except RecursionError as error:
        raise LineError(TOO_DEEP) from error


def _field(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of these fields that exists.

    Raises:
        LineError: none exists, or it is neither text nor a number.
    """
    name = next((name for name in names if name in row), None)
    if name is None:
        others = " or ".join(f'"{other}"' for other in names[1:])
        like = next((other for other in _LIKE.get(names, ()) if other in row), None) or _near(row, names)
        hint = f'; rename its "{like}"' if like else ""
        raise LineError(f'has no "{names[0]}"' + (f" (nor {others})" if others else "") + hint)
    if not isinstance(row[name], str):
        raise LineError(f'"{name}" is {_kind(row[name])}, not text or a number')
    return str(row[name])


def _near(row: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the field of a row whose name is nearly one of these, such as `generaton`; None if there is none."""
    from isocost.tables.columns import KNOWN  # needs polars, which takes a fifth of a second to import

    return next((field for field in row if field not in KNOWN and nearest_word(field, names, LIKENESS)), None)


def _flaw(row: Mapping[str, Any], references: Mapping[str, str] | None) -> str | None:
    """Return why the line's reference is no answer; None if it is one, or has none."""
    if references is not None:
        return reference_flaw(_reference(row, references))
    name = next((name for name in GOLD if name in row), None)
    return None if name is None else reference_flaw(row[name])


def _reference(row: Mapping[str, Any], references: Mapping[str, str]) -> str:
    problem_id = _field(row, ("problem_id",))
    if problem_id not in references:
        theirs = f'; theirs look like "{next(iter(references))[:100]}"' if references else ""
        raise LineError(f'problem_id "{problem_id[:100]}" is not one of the {len(references):,} problems{theirs}')
    return references[problem_id]


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return {_Number: "a number", float: "not finite", list: "a list", dict: "an object"}.get(type(value), "text")


def _dumped(row: Mapping[str, Any]) -> bytes:
    try:
        return _json(row, ascii_only=False).encode()
    except UnicodeEncodeError:  # a lone surrogate: legal in JSON, as an escape only
        return _json(row, ascii_only=True).encode()


def _json(value: Any, *, ascii_only: bool) -> str:
    """Return the JSON of a value, as json.dumps does, but with numbers spelled as in the line."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_json(item, ascii_only=ascii_only) for item in value) + "]"
    if isinstance(value, Mapping):
        items = (f"{json.dumps(key, ensure_ascii=ascii_only)}: {_json(item, ascii_only=ascii_only)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return json.dumps(value, ensure_ascii=ascii_only)
