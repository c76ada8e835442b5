"""The arithmetic written in a solution: which equations it states, whether they hold, and their signature.

A reader of prose, not a parser of mathematics. An equation is `expression = expression` with an operation on at least one side; units,
currency signs and markup between the numbers are passed over. What cannot be read with confidence (a letter that may be a variable, an
operation in words, minutes mixed with hours) is left out: a missed equation costs little, a sound solution called false costs a sample.
Text is never evaluated as code; time is linear in its length, of which 100,000 characters are read, and numbers, exponents and nesting are
bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

_LONGEST_TEXT = 100_000  # characters; what follows is not read
_MOST_DIGITS = 30
_MOST_BITS = 2048  # of a numerator or denominator on the way: a tower of exponents ends here
_LARGEST_EXPONENT = 64
_FLOAT_PLACES = 10  # a decimal this long was printed by a calculator, which rounds in binary: 99.00000000000001
_DEEPEST = 12  # nested parentheses
_MOST_UNITS = 4  # words after a number, as in "3 boxes of red apples"

# Words that end an expression.
_STOP = frozenset(
    re.findall(r"\w+", "and or so then is are was which because since for if from but to therefore thus hence we she he they it")
)
# An operation or a relation in words: the numbers beside it are not the whole expression.
_OPAQUE = frozenset(
    re.findall(
        r"\w+",
        """of times plus minus by half twice thrice double triple than root squared cubed over divided multiplied
        remainder mod modulo factorial""",
    )
)
_SCALES = frozenset(re.findall(r"\w+", "hundred thousand million billion trillion dozen pair gross k"))
_MEASURES = frozenset(  # one of them converts into another
    re.findall(
        r"\w+",
        """second sec minute min hour hr day week month year decade am pm
        inch inche foot feet yard mile millimeter mm centimeter cm meter metre kilometer km
        gram mg kilogram kg ounce oz pound lb ton ml cup pint quart litre liter gallon
        cent penny pennie nickel dime quarter coin dollar""",
    )
)

_Kind = Literal["number", "op", "open", "close", "equals", "percent", "money", "word", "break", "unreadable"]

_LEXER = re.compile(
    r"""(?P<fraction>\\[dt]?frac\{\d{1,15}\}\{\d{1,15}\})
    | (?P<unit>\\(?:text|mathrm)\{[^{}\\$]{0,40}\})
    | (?P<break>\n|\\\\|\\[()\[\]]|\$\$|[-=]{1,3}>|(?:step|part|case|equation)[ ]\d{1,4}\b|\.(?!\d)|[,;:!?"'“”‘’`~\#—…•|\[\]→⇒])
    | (?P<op>\*\*|[-+*/^×✕·⋅∙÷−–](?!\ ?[^\W\d_]{2})|\\(?:times|cdot|div)(?![a-z])|[xX](?=[ ]{0,3}[\d(.$€£]))
    | (?P<equals>&?=(?![=>]))
    | (?P<gap>[^\S\n]+|\\(?:left|right)(?![a-z])|\\[,;!])
    | (?P<percent>\\?%|per[ ]?cent\b)
    | (?P<number>\d+(?:[,:.]\d+)*|\.\d+)
    | (?P<word>[^\W\d_]\w*(?:['’/-][^\W\d_]\w+)*|/[ ]?[^\W\d_]{2}\w*)
    | (?P<money>\\?\$|[€£¢])
    | (?P<open>\()
    | (?P<close>\))
    | (?P<unreadable>.)""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d*)(?:\.\d+)?")
_ANNOTATION = re.compile(r"<<([^<>\n]{0,200})>>")
_KINDS: dict[str, _Kind] = {"fraction": "number", "unit": "word"}
_OPERATORS = {
    "×": "*",
    "✕": "*",
    "·": "*",
    "⋅": "*",
    "∙": "*",
    "x": "*",
    "\\times": "*",
    "\\cdot": "*",
    "÷": "/",
    "\\div": "/",
    "−": "-",
    "–": "-",
    "**": "^",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One link of what a solution states: `2+3=5*2=10` is two.

    Attributes:
        text: As written, whitespace joined.
        normal: Numbers and operators alone: `48/2=24`, whatever the spaces, units, separators and trailing zeros.
        holds: Whether it is true; `find_equations` says how strictly.
    """

    text: str
    normal: str
    holds: bool


def find_equations(text: str) -> list[Equation]:
    """The equations that can be read in a text, in order; a calculator annotation `<<48/2=24>>` that repeats the sentence around it counts
    once.

    Arithmetic is exact. A link holds if both sides are equal; or one side is a lone decimal written with d >= 1 places and the other
    rounds, or is cut off, to it; or both sides calculate with decimals and agree within 1%, as rounded intermediate results do. A whole
    number must be exact: `7 / 2 = 4` is false. Where a percent sign occurs, a factor of 100 between the sides is read as notation (`5 / 20
    * 100 = 25%`).
    """
    text = text[:_LONGEST_TEXT]
    blanked = _ANNOTATION.sub(lambda match: " " * len(match[0]), text)  # same length, so positions stay
    found = list(_read(blanked, 0))
    for match in _ANNOTATION.finditer(text):
        found.extend(_read(match[1], match.start(1)))
    found.sort(key=lambda item: item[0])
    equations = [equation for _, equation in found]
    return [e for i, e in enumerate(equations) if i == 0 or e.normal != equations[i - 1].normal]


def audit_steps(text: str) -> tuple[bool | None, str | None]:
    """Whether every equation of a solution holds, and the first that does not; (None, None) where there is none to check."""
    equations = find_equations(text)
    first_false = next((equation.text for equation in equations if not equation.holds), None)
    return (first_false is None if equations else None), first_false


def signature(text: str) -> str:
    """The ordered list of a solution's equations, `2+3=5; 5*4=20`; empty where none can be read.

    Two solutions with one signature take the same steps in different words (the distinctness of arXiv 2308.01825).
    """
    return "; ".join(equation.normal for equation in find_equations(text))


@dataclass(slots=True)
class _Token:
    kind: _Kind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A side of an equation: its value, what was in it, and the index of the token after it."""

    value: Fraction
    bare: bool
    named: bool
    places: int
    percent: bool
    measures: frozenset[str]
    normal: str
    start: int
    end: int
    after: int


class _UnreadableError(Exception):
    """The expression at hand is not plain arithmetic."""


def _read(text: str, offset: int) -> Iterator[tuple[int, Equation]]:
    """(position, equation) of each link."""
    tokens = _group(_tokens(text))
    i, left, loose = 0, None, -1  # loose: where an expression ended that is no side of an equation
    while i < len(tokens):
        if tokens[i].kind == "equals":
            side, after = _side(tokens, i + 1)
            if side is not None and not _closes(tokens, side):
                side = None
            if left is not None and side is not None and (holds := _holds(left, side)) is not None:
                words = " ".join(text[left.start : side.end].split())
                yield offset + left.start, Equation(text=words, normal=f"{left.normal}={side.normal}", holds=holds)
            left, i = side, after
        elif _opens(tokens, i, loose):
            left, i = _side(tokens, i)
            loose = i
        else:
            left, i = None, i + 1
        if i < len(tokens) and tokens[i].kind != "equals":
            left = None


def _side(tokens: list[_Token], start: int) -> tuple[_Side | None, int]:
    """The expression that begins at a token, or None, and where to go on.

    At the token that could not be read, so that none is read twice.
    """
    reader = _Reader(tokens, start)
    try:
        side = reader.side()
    except _UnreadableError:
        return None, reader.i
    return side, side.after


def _opens(tokens: list[_Token], i: int, loose: int) -> bool:
    """Whether a whole expression may begin here: nothing before it belongs to it."""
    token = tokens[i]
    if token.kind not in {"number", "open", "money"} and not (token.text in {"-", "−"} and _touches(tokens, i)):
        return False
    if i == 0 or tokens[i - 1].kind == "break":
        return True
    before = tokens[i - 1]
    if before.kind != "word" or before.end == token.start or before.text.lower() in _OPAQUE:
        return False
    return not (before.text.lower() == "and" and loose == i - 1)  # "5 boys and 3 girls + 2"


def _closes(tokens: list[_Token], side: _Side) -> bool:
    """Whether the expression is over where reading it stopped: what follows does not belong to it."""
    rest = tokens[side.after : side.after + 2]
    if not rest or rest[0].kind in {"break", "equals"}:
        return True
    if rest[0].kind == "word":
        return rest[0].text.lower() not in _OPAQUE
    return rest[0].kind == "open" and rest[0].start > side.end and len(rest) > 1 and rest[1].kind == "word"


def _touches(tokens: list[_Token], i: int) -> bool:
    """Whether the sign at i stands directly before a number, and so is its sign."""
    return i + 1 < len(tokens) and tokens[i].end == tokens[i + 1].start and tokens[i + 1].kind in {"number", "open", "money"}


def _holds(left: _Side, right: _Side) -> bool | None:
    """True, False, or None where the link says nothing about arithmetic or its units may explain the difference."""
    if left.bare and right.bare:
        return None  # "1 hour = 60 minutes", "24 inches = 2 feet"
    factors = (Fraction(1), Fraction(100), Fraction(1, 100)) if left.percent or right.percent else (Fraction(1),)
    if any(_agree(left, right, factor) for factor in factors):
        return True
    if left.bare and left.named:
        return None  # "6 boys = 2 + 8 girls": a label, more often than a result
    measures = left.measures | right.measures
    return None if len(measures) > 1 or measures & _SCALES else False


def _agree(left: _Side, right: _Side, factor: Fraction) -> bool:
    a, b = left.value * factor, right.value
    if a == b:
        return True
    for written, exact, result, scale in ((b, a, right, Fraction(1)), (a, b, left, factor)):
        if result.bare and result.places:
            unit = scale * Fraction(1, 10**result.places) / (100 if result.percent else 1)
            gap = abs(exact - written)
            is_float = result.places >= _FLOAT_PLACES and gap * 10**12 <= abs(exact)
            return 2 * gap <= unit or (gap < unit and abs(written) < abs(exact)) or is_float
    decimals = left.places or right.places
    return bool(decimals and not left.bare and not right.bare and abs(a - b) * 100 <= max(abs(a), abs(b)))


class _Reader:
    """Recursive descent over the tokens of one expression: sums of products of powers of signed atoms."""

    def __init__(self, tokens: list[_Token], start: int) -> None:
        self.tokens, self.start, self.i = tokens, start, start
        self.operations, self.places, self.percent, self.named = 0, 0, False, False
        self.measures: set[str] = set()
        self.normal: list[str] = []

    def side(self) -> _Side:
        value = self._sum()
        return _Side(
            value=value,
            bare=self.operations == 0,
            named=self.named,
            places=self.places,
            percent=self.percent,
            measures=frozenset(self.measures),
            normal="".join(self.normal),
            start=self.tokens[self.start].start,
            end=self.tokens[self.i - 1].end,
            after=self.i,
        )

    def _sum(self) -> Fraction:
        value = self._product()
        while (operator := self._take("+", "-")) is not None:
            had_percent, operations = self.percent, self.operations
            term = self._product()
            if self.percent and not had_percent and self.operations == operations:
                raise _UnreadableError  # "80 + 10%": ten percent of what is not written
            value = _bounded(value + term if operator == "+" else value - term)
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while (operator := self._take("*", "/") or self._implied()) is not None:
            factor = self._power()
            if operator == "/" and factor == 0:
                raise _UnreadableError
            value = _bounded(value * factor if operator == "*" else value / factor)
        return value

    def _power(self) -> Fraction:
        base = self._signed()
        if self._take("^") is None:
            return base
        exponent = self._signed()
        too_large = exponent.denominator != 1 or abs(exponent) > _LARGEST_EXPONENT
        if too_large or (base == 0 and exponent < 0) or (self._kind() == "op" and self._operator() == "^"):
            raise _UnreadableError
        return _bounded(base ** int(exponent))

    def _signed(self) -> Fraction:
        if self._kind() == "op" and self._operator() == "-" and _touches(self.tokens, self.i):
            self.i += 1
            self.normal.append("-")
            return -self._atom()
        return self._atom()

    def _atom(self) -> Fraction:
        if self._kind() == "money":
            self._money()
        token = self._next()
        if token.kind == "open":
            self.normal.append("(")
            value = self._sum()
            if self._next().kind != "close":
                self.i -= 1
                raise _UnreadableError
            self.normal.append(")")
        elif token.kind == "number":
            value = self._number(token)
        else:
            self.i -= 1
            raise _UnreadableError
        if self._kind() == "percent":
            self.i += 1
            self.percent = True
            self.normal.append("%")
            value /= 100
        self._units()
        return value

    def _number(self, token: _Token) -> Fraction:
        if token.text.startswith("\\"):
            top, bottom = re.findall(r"\d+", token.text)
            if int(bottom) == 0:
                raise _UnreadableError
            self.operations += 1
            self.normal.append(f"{int(top)}/{int(bottom)}")
            return Fraction(int(top), int(bottom))
        digits = token.text.replace(",", "")
        whole, _, decimals = digits.partition(".")
        self.places = max(self.places, len(decimals))
        tail = decimals.rstrip("0")
        self.normal.append((whole.lstrip("0") or "0") + (f".{tail}" if tail else ""))
        return Fraction(digits)

    def _units(self) -> None:
        """Pass over the words and currency sign after a number, noting what they measure."""
        if self._kind() == "money" and self.tokens[self.i].start == self.tokens[self.i - 1].end:
            self._money()
        for _ in range(_MOST_UNITS):
            if self._kind() != "word":
                return
            word = self.tokens[self.i].text.lower().strip("/ ")
            if word in _STOP or word == "of":
                return
            if word in _OPAQUE:
                raise _UnreadableError
            stem = word if word in _MEASURES else word.removesuffix("s")
            if stem in _MEASURES or stem in _SCALES:
                self.measures.add(stem)
            self.named = True
            self.i += 1

    def _money(self) -> None:
        self.i += 1
        self.measures.add("cent" if self.tokens[self.i - 1].text == "¢" else "dollar")

    def _implied(self) -> str | None:
        """A product without a sign: `2(3 + 4)`, `30% of 200`, `1/2 of 10`."""
        token = self.tokens[self.i] if self.i < len(self.tokens) else None
        previous = self.tokens[self.i - 1]
        if token is not None and token.kind == "open" and token.start == previous.end and previous.kind in {"number", "close"}:
            self.operations += 1
            self.normal.append("*")
            return "*"
        is_share = previous.kind == "percent" or (previous.kind == "number" and "/" in "".join(self.normal[-2:]))
        if token is not None and token.text == "of" and is_share:
            self.i += 1
            self.operations += 1
            self.normal.append("*")
            return "*"
        return None

    def _take(self, *operators: str) -> str | None:
        if self._kind() != "op" or (operator := self._operator()) not in operators:
            return None
        self.i += 1
        self.operations += 1
        self.normal.append(operator)
        return operator

    def _operator(self) -> str:
        text = self.tokens[self.i].text.lower()
        return _OPERATORS.get(text, text)

    def _kind(self) -> _Kind:
        return self.tokens[self.i].kind if self.i < len(self.tokens) else "break"

    def _next(self) -> _Token:
        if self.i >= len(self.tokens):
            raise _UnreadableError
        self.i += 1
        return self.tokens[self.i - 1]


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise _UnreadableError
    return value


def _tokens(text: str) -> list[_Token]:
    """The tokens of a text without its gaps and markup."""
    tokens: list[_Token] = []
    for match in _LEXER.finditer(text):
        found = _classified(match, text, tokens[-1] if tokens else None)
        if found is not None:
            tokens.append(_Token(found, match[0], match.start(), match.end()))
    return tokens


def _classified(match: re.Match[str], text: str, before: _Token | None) -> _Kind | None:
    """The kind of a match, or None where it is passed over."""
    kind, word, rest = match.lastgroup, match[0], text[match.end() : match.end() + 20]
    if kind == "gap":
        return None
    if kind == "number":
        return "number" if _NUMBER.fullmatch(word) and len(word) <= _MOST_DIGITS else "unreadable"
    if kind == "word":
        is_name = word.startswith("/") or (word.isalpha() and len(word) > 1) or any(mark in word for mark in "'’/-")
        return "word" if is_name or (word in "aA" and text[match.start() - 1 : match.start()].isspace()) else "unreadable"
    if word == "**" and not (before is not None and before.kind in {"number", "close"} and re.match(r" ?[\d(]", rest)):
        return None  # bold type
    if word in {"-", "*", "+", "–"} and (before is None or before.kind == "break") and rest[:1].isspace():
        return "break"  # a bullet
    if word == "\n" and ((before is not None and before.kind == "equals") or rest.lstrip(" \t&").startswith("=")):
        return None  # an equation set over lines
    return _KINDS.get(kind or "", cast(_Kind, kind))


def _group(tokens: list[_Token]) -> list[_Token]:
    """Settle what each parenthesis is: of arithmetic, or a break, where it has no partner or encloses more than one expression."""
    open_at: list[int] = []
    broken: list[bool] = []
    for i, token in enumerate(tokens):
        if token.kind == "open":
            open_at.append(i)
            broken.append(len(open_at) > _DEEPEST)
        elif token.kind == "close" and open_at:
            opened, is_broken = open_at.pop(), broken.pop()
            if is_broken:
                tokens[opened].kind = token.kind = "break"
                broken[-1:] = [True] * len(broken[-1:])
        elif token.kind in {"equals", "break", "close"}:
            token.kind = "break" if token.kind == "close" else token.kind
            broken[-1:] = [True] * len(broken[-1:])
    for i in open_at:
        tokens[i].kind = "break"
    return tokens
