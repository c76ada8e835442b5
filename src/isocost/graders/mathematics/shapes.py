"""The shape of an answer: words, one value, a list, a tuple, an interval, a matrix, a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.bound import builder
from isocost.graders.mathematics.builders import is_condition, such_that
from isocost.graders.mathematics.chains import contradicts
from isocost.graders.mathematics.congruences import congruence
from isocost.graders.mathematics.names import is_differential, is_name, with_variable
from isocost.graders.mathematics.ranges import GREEK, Interval, as_range, variable_of
from isocost.graders.mathematics.separators import indian_number
from isocost.graders.mathematics.times import read_time
from isocost.graders.mathematics.unions import excluded, merged, without
from isocost.graders.mathematics.units import SHORT, read_unit
from isocost.graders.spelled import spelled_number

MOST_PARTS = 200  # of a list, because matching takes quadratic time
DEEPEST = 12  # nested lists

_WORD_AND = r"(?:\\text\s*\{\s*,?\s*(?:and|or)\s*\}|and\b|or\b)"
_SEPARATOR = re.compile(rf"\s*(?:[,;]\s*{_WORD_AND}?|\\text\s*\{{\s*,?\s*(?:and|or)\s*\}}|\b(?:and|or)\b)\s*")
_GROUPS = re.compile(rf"\s*(?:;|,?\s*{_WORD_AND})\s*")  # parts that may themselves be lists: x=1, y=2; x=3, y=4
_THOUSANDS = re.compile(r"(-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)(\s*(?:\\|[A-Za-z])[^,]*)?")  # 1,234 and its unit: no list
_GROUPS_OF_DIGITS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")  # 1000,99
_LEADING_ZERO = re.compile(r"(-?\d+),(0\d+)(\s*(?:\\|[A-Za-z])[^,]*)?")
_WORDS = re.compile(r"\\text\s*\{([^{}]*)\}|([A-Za-z]{2,}(?:[ -][A-Za-z]+)*)")
_RATIO_OF_NAMES = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?(?::[A-Za-z](?:_\{?\w+\}?)?)+")
_MEMBER = re.compile(rf"^([a-zA-Z]|{GREEK})\s*\\in(?![a-z])\s*")  # x \in
_COMMA = re.compile(r"\s*,\s*")
_AND = re.compile(r"\s*(?:\\text\s*\{\s*and\s*\}|\band\b|\\land(?![a-z]))\s*")  # joins two inequalities; "or" makes a list
_EQUALS = re.compile(r"(?<![<>!:])=(?!=)")
_MATRIX = re.compile(r"\\begin\s*\{([pb]?matrix|array)\}(?:\s*\{[lcr|\s]*\})?((?:(?!\\begin|\\end).)*)\\end\s*\{\1\}")
_ROW_END = re.compile(r"\\\\(?:\s*\[[^\]]*\])?")
# Possessive quantifiers, because spaces can be divided in exponentially many ways.
_UNIT_TEXT = re.compile(r"(.*[\w)}\]])\s*((?:\\text\s*\{[^{}]*\}\s*+(?:\^\s*\{?-?[1-3]\}?)?\s*+(?:/\s*+[a-z]{0,4}\s*+)?)++)")
# Words of a unit follow a space, or a digit if they are long: "5x" and "5abc" are products.
_UNIT_WORDS = re.compile(
    r"(.*[\d)}%])(?:\s+|(?<=\d)(?=[A-Za-z]{4}))((?!and\b|or\b)[A-Za-z]{3,}(?:\s+[A-Za-z]+)*(?:\s*/\s*[A-Za-z]+)?(?:\^?\{?[23]\}?)?)"
)
_UNIT_SHORT = re.compile(rf"(.*[\d)}}])\s*({SHORT.pattern}(?:\s*/\s*{SHORT.pattern})?)")
# Dates, numbers of base 16 and sizes of matrices are no products.
_LABELS = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-[0-3]\d|0[xX][\dA-Fa-f]+|\d+\s*\\times\s*\d+\s*(?:\\text\s*\{\s*)?matri(?:x|ces)\s*\}?")
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
EMPTY = "no solution"
_SHORT_WORDS = {"yes", "no", "odd", "dne", "one", "two", "six", "ten"}
_SAME_WORDS = dict.fromkeys(("no solutions", "no real solution", "no real solutions", "empty set", "none"), EMPTY) | dict.fromkeys(
    ("dne", "does not exist"), "undefined"
)
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_SCALED = re.compile(rf"(?i)(.*\d)\s*(?:\\text\s*\{{\s*)?({'|'.join(SCALES)})s?\b(?:(\s[^{{}}]*)\}}|\}}?(.*))")
# Words after a number that change it or make it a statement.
# Of a whole, not "5 seventh graders".
_NAMED_PARTS = (
    r"(?:seven|nin|eleven|twelf|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)tie)th(?:s|\s*$)"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty[ -](?:first|second)s"
)
_SENTENCE = re.compile(
    r"(?i)\b(?:is|are|was|not|no|if|when|unless|or|squared|cubed|plus|minus|times|mod|modulo|base|choose|factorial|increase|decrease"
    rf"|{_NAMED_PARTS}|at least|at most|east|west|north|south|half|halves|quarters?"
    r"|(?:third|fourth|fifth|sixth|eighth|tenth|hundredth|thousandth|\w+illionth)s?)\b"
)
_COMPOUND = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_COMPOUNDS = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:\\text\s*\{\s*[A-Za-z]+\s*\}|[A-Za-z]+)(?:,|\s|and\b)*){2,4}")


class UnreadableError(ValueError):
    """Raised for a value that is not mathematics; `text` is that value."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@lru_cache(maxsize=16384)
def parse_answer(text: str) -> Answer:
    """Parse a normalised answer into its shape.

    Raises:
        UnreadableError: lists are nested deeper than `DEEPEST`.
    """
    return _shape(text.strip(), 0)


def _shape(text: str, depth: int) -> Answer:
    if depth > DEEPEST:
        raise UnreadableError(text)
    if thousands := _THOUSANDS.fullmatch(text):
        text = thousands[1].replace(",", "") + (thousands[2] or "")
    if time := read_time(text):
        return Answer(kind="time", text=text, brackets=time[1], parts=(Answer(kind="value", text=str(time[0])),))
    if words := _words(text):
        folded = words.casefold().removeprefix("the ").removeprefix("an ").removeprefix("a ")
        value = spelled_number(folded)
        return Answer(kind="words", text=_SAME_WORDS.get(folded, folded)) if value is None else Answer(kind="value", text=str(value))
    if (inner := _TEXT.fullmatch(text)) and (depth or inner[1].strip() != text):
        return _shape(inner[1].strip(), depth + 1)
    if total := _sum_of_units(text):
        return total
    if "\\equiv" in text and (residues := congruence(text)):
        return Answer(kind="words", text=residues)
    if text in ("\\emptyset", "\\text{\\emptyset}"):
        return Answer(kind="words", text=EMPTY)
    if "=" in text:  # 200,000 - 130,000 = 70,000 is no list
        text = _GROUPS_OF_DIGITS.sub("", text)
    return _matrix(text, depth) or _relation(text, depth) or _sequence(text, depth) or _bracketed(text, depth)


def _matrix(text: str, depth: int) -> Answer | None:
    found = _MATRIX.fullmatch(text)
    rows = [row.split("&") for row in _ROW_END.split(found[2]) if row.strip()] if found else []
    if not rows or sum(map(len, rows)) > MOST_PARTS:
        return None
    parts = tuple(Answer(kind="ordered", text="", parts=_parts([cell.strip() for cell in row], depth), brackets="row") for row in rows)
    return Answer(kind="ordered", text=text, parts=parts, brackets="matrix")


def _relation(text: str, depth: int) -> Answer | None:
    """Read an inequality as the range it describes, and an equation that names its value as the value."""
    if found := as_range(text):
        return replace(_intervals(found, text, depth), name=variable_of(text), relation=text)
    if exclusion := excluded(text):
        name, points = exclusion
        return replace(_intervals(without(points), text, depth), name=name, relation=text if name else None)
    if member := _MEMBER.match(text):
        return replace(_shape(text[member.end() :], depth + 1), name=member[1])
    if is_contradiction(text):
        return Answer(kind="words", text=text)
    name, side = _assigned(text)
    if name is None:
        return None if side == text else _shape(side, depth + 1)
    return replace(_shape(side, depth + 1), name=with_variable(name, side), relation=text)


def _intervals(intervals: Sequence[Interval], text: str, depth: int) -> Answer:
    """Return an interval, or the union of several."""
    parts = tuple(
        Answer(kind="ordered", text=text, parts=(_shape(low, depth + 1), _shape(high, depth + 1)), brackets=brackets)
        for low, high, brackets in intervals
    )
    return parts[0] if len(parts) == 1 else Answer(kind="union", text=text, parts=parts)


def _as_intervals(parts: Sequence[Answer]) -> list[Interval] | None:
    """Return the intervals and points of a union; None if a part is another set."""
    found: list[Interval] = []
    for part in parts:
        ends = part.parts
        if part.kind == "words" and part.text == EMPTY:
            continue
        if any(end.kind != "value" or end.unit or end.short_unit or end.percent for end in ends):
            return None
        if part.kind == "set":
            found += [(point.text, point.text, "[]") for point in ends]
        elif part.kind == "ordered" and len(ends) == 2 and part.brackets in ("()", "(]", "[)", "[]"):
            found.append((ends[0].text, ends[1].text, part.brackets))
        else:
            return None
    return found


def _sequence(text: str, depth: int) -> Answer | None:
    if len(union := split_outside(text, re.compile(r"\\cup(?![a-z])"))) > 1:
        parts = _parts(union, depth)
        intervals = _as_intervals(parts)
        fewest = merged(intervals) if intervals else None
        if fewest and all(low == high for low, high, _ in fewest):
            return Answer(kind="set", text=text, parts=_parts([point for point, _, _ in fewest], depth))
        # Where nothing merges the parts stay as written: a point beside an interval is that of `x = -1 or x \\ge 2`.
        if not fewest or len(fewest) == len(parts):
            return Answer(kind="union", text=text, parts=parts)
        return _intervals(fewest, text, depth)
    ranges = split_outside(text, _AND)
    if len(ranges) == 2 and (both := _between(_parts(ranges, depth))):
        return replace(both, relation=text)
    halves = split_outside(text, _COMMA)
    if len(halves) == 2 and (both := _between(_parts(halves, depth))) and both.kind == "ordered":  # x > 1, x < 3
        return replace(both, relation=text)
    rows = split_outside(text, _GROUPS)
    if 1 < len(rows) <= MOST_PARTS and all(len(split_outside(row, re.compile(","))) > 1 for row in rows):  # x=1, y=2; x=3, y=4
        return Answer(kind="list", text=text, parts=_parts([row if row[0] in "([" else f"({row})" for row in rows], depth))
    if len(ratio := split_outside(text, re.compile(r":"))) > 1:
        return Answer(kind="ordered", text=text, parts=_parts(ratio, depth), brackets="::")
    return _commas(text, depth)


def _commas(text: str, depth: int) -> Answer | None:
    """Read a list, or a decimal comma; None if the text has no separator, or too many parts."""
    pieces = split_outside(text, _SEPARATOR)
    if 1 < len(pieces) <= MOST_PARTS:
        decimal = text.replace(".", "").replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else indian_number(text)
        if len(pieces) == 2 and (zeros := _LEADING_ZERO.fullmatch(text)):  # 0,05 m: no list is written so either
            return _value(f"{zeros[1]}.{zeros[2]}{zeros[3] or ''}")
        if decimal and (text.startswith("-0") or (text.startswith("0") and text.count(",") > 1)):  # no list is written so
            return Answer(kind="value", text=decimal)
        return Answer(kind="list", text=text, parts=_both_signs(_parts(pieces, depth)), decimal=decimal)
    return None


def split_outside(text: str, separator: re.Pattern[str]) -> list[str]:
    """Split at every separator outside all brackets and environments; empty pieces are dropped."""
    if separator.search(text) is None:
        return [text.strip()] if text.strip() else []
    pieces, depth, start, position = [], 0, 0, 0
    while position < len(text):
        if text.startswith(("\\begin", "\\end"), position):
            depth += 1 if text.startswith("\\begin", position) else -1
            position += 4
        elif depth == 0 and (match := separator.match(text, position)) and match[0]:
            pieces.append(text[start:position])
            start = position = match.end()
            continue
        elif text[position] in "([{":
            depth += 1
        elif text[position] in ")]}":
            depth -= 1
        position += 1
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _parts(pieces: Sequence[str], depth: int) -> tuple[Answer, ...]:
    return tuple(_shape(piece, depth + 1) for piece in pieces)


def _bracketed(text: str, depth: int) -> Answer:
    body = text[2:-2] if text.startswith("\\{") and text.endswith("\\}") else text[1:-1]
    if text.startswith(("\\{", "{")) and text.endswith("}") and _closes_at_end(text):
        condition = re.split(r"\\mid(?![a-z])|(?<!\\)\||:", body, maxsplit=1)
        members = _shape(condition[1].strip(), depth + 1) if len(condition) == 2 else None
        if members and is_condition(members):
            return such_that(condition[0], members)  # the set of all x such that
        pieces = split_outside(body, _SEPARATOR)
        if len(condition) == 2:
            return Answer(kind="words", text=builder(condition[0], condition[1]))
        if text.startswith("\\{"):
            distinct = list(dict.fromkeys(pieces))
            return Answer(kind="set", text=text, parts=_both_signs(_parts(distinct, depth)))
        if len(pieces) > 1:  # a TeX group, which is no set
            return Answer(kind="list", text=text, parts=_both_signs(_parts(pieces, depth)))
    if text[:1] == "]" or text[-1:] == "[":  # ]0, 1[, the French notation of an open interval
        text = ("(" if text[:1] == "]" else text[:1]) + text[1:-1] + (")" if text[-1:] == "[" else text[-1:])
    if text[:1] in ("(", "[") and text[-1:] in (")", "]") and _closes_at_end(text):
        pieces = split_outside(body, re.compile(r"\s*[,;]\s*"))
        if len(pieces) > 1:
            return Answer(kind="ordered", text=text, parts=_parts(pieces, depth), brackets=text[0] + text[-1])
        if pieces and (text[0], text[-1]) in (("(", ")"), ("[", "]")):
            return _shape(pieces[0], depth + 1)
    both = _both_signs((_value(text),))
    return Answer(kind="list", text=text, parts=both) if len(both) > 1 else both[0]


def _value(text: str) -> Answer:
    """Return a value with its unit or percent sign apart; `1.5 million` is multiplied out."""
    if text.endswith("\\%"):
        return Answer(kind="value", text=text.removesuffix("\\%").strip(), percent=True)
    if scaled := _SCALED.fullmatch(text):
        factor = SCALES[scaled[2].lower()]
        return _value(f"{scaled[1]} \\cdot {factor}{scaled[3] or scaled[4] or ''}")
    if found := _UNIT_SHORT.fullmatch(text):
        return Answer(kind="value", text=text, short_unit=(found[1], read_unit(found[2])))
    found = _UNIT_TEXT.fullmatch(text) or _UNIT_WORDS.fullmatch(text)
    if found is None:
        return Answer(kind="value", text=text)
    words = _TEXT.sub(lambda match: f" {match[1]} ", found[2])
    words = re.sub(r"\s+(?=\^)", "", words).strip()
    if _SENTENCE.search(words):  # "2023 is not prime" is no quantity
        return Answer(kind="words", text=" ".join(f"{found[1]} {words}".casefold().split()))
    return Answer(kind="value", text=found[1].strip(), unit=read_unit(words))


def _sum_of_units(text: str) -> Answer | None:
    """Convert `1 hour 30 minutes` to hours."""
    pieces = _COMPOUND.findall(_TEXT.sub(lambda match: f" {match[1]} ", text)) if _COMPOUNDS.fullmatch(text) else []
    units = [read_unit(words) for _, words in pieces]
    if len(units) < 2 or any(not unit.known or unit.dimension != units[0].dimension for unit in units):
        return None
    total = sum((Fraction(number) * unit.size for (number, _), unit in zip(pieces, units, strict=True)), Fraction(0)) / units[0].size
    return Answer(kind="value", text=f"{total.numerator}/{total.denominator}", unit=units[0])


def _closes_at_end(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in ")]}":
            return position == len(text) - 1
    return False


def _assigned(text: str) -> tuple[str | None, str]:
    r"""Return the name and the value of an assignment; of a chain of equalities the last side is the value.

    Read are `x = 5`, `f(x) = 5`, `a:b = 3:4`, `\\angle A = 60` and `5 = x`.
    """
    if "=" not in text or len(split_outside(text, _SEPARATOR)) > 1:
        return None, text
    sides = split_outside(text, _EQUALS)
    if len(sides) < 2:
        return None, text
    first, last = ("".join(side.split()) for side in (sides[0], sides[-1]))
    if is_name(first) or _RATIO_OF_NAMES.fullmatch(first):
        return first, sides[-1]
    if len(sides) == 2 and is_name(last) and not re.search(r"[a-zA-Z]", first):
        return last, sides[0]
    # A name is something other than algebra: f(2), |AB|, \\sin A, AB/CD. But 2x + z = 1 states more than 1, and so does |x| = 1.
    expression = expressions.read(sides[0])
    is_quantity = expression is None or (expression.symbols and all(symbol.isupper() for symbol in expression.symbols))
    is_quantity = is_quantity and not is_differential(first) and not expressions.is_to_be_solved(sides[0])
    if is_quantity and expressions.constant(_value(sides[-1]).text) is not None:
        return first, sides[-1]
    return None, sides[-1] if len(sides) > 2 else text


def is_contradiction(text: str) -> bool:
    """Return True if a chain of equalities, alone or in a list, has two different numbers as its sides."""
    return "=" in text and any(contradicts(split_outside(part, _EQUALS)) for part in split_outside(text, _SEPARATOR)[:MOST_PARTS])


def _between(ranges: Sequence[Answer]) -> Answer | None:
    """Return the overlap of two half-lines: `x > 2 and x < 3`."""
    if any(answer.kind != "ordered" or answer.relation is None for answer in ranges):
        return None
    below = next((answer for answer in ranges if answer.parts[0].text == "-\\infty"), None)
    above = next((answer for answer in ranges if answer.parts[1].text == "\\infty"), None)
    low = expressions.constant(above.parts[0].text) if above else None
    high = expressions.constant(below.parts[1].text) if below else None
    if below is None or above is None or low is None or high is None:
        return None
    if not low < high:
        return Answer(kind="words", text=EMPTY)
    return Answer(kind="ordered", text="", parts=(above.parts[0], below.parts[1]), brackets=above.brackets[0] + below.brackets[1])


def _words(text: str) -> str | None:
    if _LABELS.fullmatch(text):
        return "".join(text.split())
    match = _WORDS.fullmatch(text)
    words = " ".join((match[1] or match[2] or "").split()).strip("().") if match else ""
    if match and match[2] and len(words) < 3 and words.casefold() not in _SHORT_WORDS:
        return None  # a product: xy
    return words if words and not re.search(r"\b(?:and|or)\b|,", words) else None


def _both_signs(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    r"""Replace `1 \\pm x` by its two values."""
    found: list[Answer] = []
    for answer in answers:
        if answer.kind == "value" and answer.text.count("\\pm") == 1:
            found += [replace(answer, text=answer.text.replace("\\pm", sign).strip().removeprefix("+").strip()) for sign in "+-"]
        elif answer.kind == "list" and "\\pm" in answer.text:
            found += answer.parts
        else:
            found.append(answer)
    return tuple(found)
