"""Amounts in several parts, "5 feet 3 inches" and "2 and 1/2", and words that make a number a part of an expression: "5 choose 2"."""

from __future__ import annotations

import re
from fractions import Fraction

from isocost.graders.mathematics.units import read_unit

MOST_AMOUNTS = 4
_WORD = r"[A-Za-z]{1,20}\.?"
_PART = rf"(\d[\d,]{{0,20}}(?:\.\d{{1,20}})?) ?({_WORD})"
_JOINT = r"(?: ?, ?| )(?:and )?"
_PARTS = re.compile(_PART)
_WHOLE = re.compile(rf"[-+]?{_PART}(?:{_JOINT}{_PART}){{1,{MOST_AMOUNTS - 1}}}")
# The last part may have no unit: "5 dollars and 25"
_UNFINISHED = re.compile(rf"[-+]?{_PART}(?:{_JOINT}{_PART}){{0,{MOST_AMOUNTS - 1}}}(?: ?, ?| )and \d[\d.,]{{0,20}}")
_NAMED_BOTH = re.compile(rf"[-+]?{_PART}(?: ?, ?| )and {_PART}")
_MIXED = re.compile(r"([-+]?\d{1,20}) and (\d{1,20}) ?/ ?(\d{1,20})(?![\d./])")

_PARTS_OF_ONE = r"halves|thirds?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?|(?:ten|hundred|thousand|\w{1,8}illion)ths?|per ?mille?"
# Right after a number
_OPERATOR = (
    r"(?:[ -]?(?:choose|over(?= ?[\d(\\])|pi|sqrt|cbrt|root|factorial|divided|multiplied|raised|to the power"
    r"|doubled|tripled|quadrupled|halved"
    rf"|log|ln|sin|cos|tan|exp|{_PARTS_OF_ONE})\b| ?[\u2030\u2031\u221a\u03c0])"
)
_BEHIND = re.compile(rf"(?i){_OPERATOR}")
_ANYWHERE = re.compile(rf"(?i)(?<=\d){_OPERATOR}")
# A lone letter that is no unit, at the end or before more of the expression. Letters of words in other languages go on with a word.
_VARIABLE = re.compile(r" ?(?!\w\.[A-Za-z])(?:[bcefijnopqrtuvwxyzXYZ]|[\u03b1-\u03c9])(?= ?(?:$|[-+*/^=(\d.,;!?)}\]$\\]))")
# Right before a number that is a bound, or ruled out, or a part of an expression or of a time: "over 4", "anything but 4", "2:30"
_LIMIT = re.compile(
    r"(?i)(?:\b(?:over|under|above|below|beyond|almost|nearly|within|near|never|hardly|barely|except"
    r"|(?:just|a (?:bit|little)) (?:shy|short) of"
    r"|close to|far from|exceed(?:s|ing)?|(?:other|rather) than|instead of|different from|(?:anything|all|everything) but|no longer"
    r"|(?:^|\b(?:is|are|be|only|even) )up to)\s*[$\u20ac\u00a3]?"
    r"|\b(?:hundred|thousand|[mb]illion|trillion|dozen)(?:\s+and)?\s*"
    r"|\d%?(?:\s+[a-z]+)?(?<!compared)(?<!equal)(?<!equivalent)(?<!similar)(?<!close)(?<!due)(?<!up)(?<!rounded)"
    r"\s+(?:to|through|till|until)\s*[$\u20ac\u00a3]?|\d:|[\u221a-\u221c\u00d7\u00f7\u00b7]\s*)$"
)
_MOST_PER_SIDE = 60  # characters beside a number that are searched
_NO_SCALE = r"compared|equal|equivalent|similar|close|due|thanks|according|relative|up|down|in|rounded|correct|accurate"
# Right after a number that begins a range, a ratio, a time, a length in feet and inches, or a number in another base
_RANGE = re.compile(
    rf"(?i)(?:%?(?:\s++(?!(?:{_NO_SCALE})\b)[a-z]++)?\s++(?:to|through|till|until)\s++[$\u20ac\u00a3]?\s?\d"
    r"(?!\d*+\s++(?:decimal|significant|place|digit|figure|d\.?p|s\.?f))"
    r"|\s*+[-\u2013]\s*+[$\u20ac\u00a3]?\d[\d.,]*+%?(?:\s++[a-z]++){0,2}+[\s.]*+$"
    r"|:(?!00\b)\d|['\u2018\u2019\u2032]{1,2}\s?\d|\s*+[\u221a-\u221c\u00d7\u00f7\u00b7]|[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]"
    r"|\s*+\(?(?:written |expressed )?(?:in )?(?:base[- ]?+(?!10\b)(?:\d|two|three|four|five|six|seven|eight|nine|eleven|twelve|sixteen)"
    r"|binary|octal|hexadecimal)|\s++(?:degrees?\s++)?below\s++zero\b)"
)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?"
    r"|Dec(?:ember)?)"
)
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:1[5-9]|20)\d\d"
_DATE = re.compile(
    rf"(?<![\w.-])(?:{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|{_DAY}[/.]{_DAY}[/.]{_YEAR}"
    rf"|{_MONTH}\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR}|{_DAY}(?:st|nd|rd|th)?(?: of)? {_MONTH}\.?,? {_YEAR})(?![\w-])"
)
_MULTIPLE = re.compile(r"(?i)\b(?:twice|thrice|double|triple|half(?: of)?|(?:square|cube) root(?: of)?) $")
_MOST_BEFORE = 24


def is_factor(before: str, after: str) -> bool:
    """Return True if the text right before or after a number makes it a part of an expression, no amount of a unit."""
    return _BEHIND.match(after) is not None or _VARIABLE.match(after) is not None or _MULTIPLE.search(before[-_MOST_BEFORE:]) is not None


def is_partial(before: str, after: str) -> bool:
    """Return True if the text beside a number makes it a bound, or a part of a range, a ratio, a time, or a number in another base."""
    return _LIMIT.search(before[-_MOST_PER_SIDE:]) is not None or _RANGE.match(after[:_MOST_PER_SIDE]) is not None


def has_date(text: str) -> bool:
    """Return True if a text has a date: no sum and no fraction, and its numbers are no values."""
    return _DATE.search(text) is not None


def has_factor(text: str) -> bool:
    """Return True if any number of a text is a part of an expression, by the word after it: "5 choose 2"."""
    return _ANYWHERE.search(text) is not None


def has_several(text: str) -> bool:
    """Return True if a text is several amounts and nothing else: "5 feet 3 inches", "3 boys and 4 girls", "5 dollars and 25"."""
    if _NAMED_BOTH.fullmatch(text) or _UNFINISHED.fullmatch(text):
        return True
    return _WHOLE.fullmatch(text) is not None and all(read_unit(words).known for _, words in _PARTS.findall(text))


def total(text: str) -> tuple[Fraction, str] | None:
    """Return the sum of amounts whose units have one dimension, in the first unit: 5.25 and "feet"; None for any other text."""
    if not _WHOLE.fullmatch(text):
        return None
    parts = [(Fraction(number.replace(",", "")), read_unit(words), words) for number, words in _PARTS.findall(text)]
    first = parts[0][1]
    # Each unit is smaller than the one before: "3 inches 5 feet" and "5 m and 3 m" are no way to write one length.
    sizes = [unit.size for _, unit, _ in parts]
    if not first.known or any(unit.dimension != first.dimension for _, unit, _ in parts) or sizes != sorted(set(sizes), reverse=True):
        return None
    value = sum((number * unit.size for number, unit, _ in parts), Fraction(0)) / first.size
    return -value if text.startswith("-") else value, parts[0][2]


def with_fraction(text: str) -> str:
    """Return a text that begins with a whole number and a proper fraction, "2 and 1/2", as "2 1/2"; another text as it is."""
    found = _MIXED.match(text)
    return f"{found[1]} {found[2]}/{found[3]}{text[found.end() :]}" if found and int(found[2]) < int(found[3]) else text
