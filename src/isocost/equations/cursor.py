"""A cursor over the tokens of one expression, which records the notations it meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from isocost.equations.lexer import Kind, Token
from isocost.equations.numerals import Number, Numeral, numeral, simplest
from isocost.equations.words import LOWER, MEASURES, OPAQUE, SCALES, SHORT, STOP

_MOST_UNITS = 4  # words after a number, as in "3 boxes of red apples"
_PLAINLY = {"op", "equals", "close", "break"}  # tokens after a number that leave its reading unambiguous


class UnreadableError(Exception):
    """The expression is not plain arithmetic."""


@dataclass(slots=True, eq=False)
class Cursor:
    """A place among the tokens and the notations met before it. Each method that reads a token moves past it.

    Attributes:
        mode: The ambiguous notation that is read in its second way; "" for none.
        doubts: The ambiguous notations met, by their modes.
        operations: Number of operators read.
        places: Largest number of decimal places.
        percent: True if a percent sign occurs.
        named: True if words follow a number, as in "6 boys".
        lower: True if one of them means that the number is subtracted, as in "200 less".
        measures: The units and scales that occur, in the singular.
        normal: The numbers and operators alone.
        value: The value of the expression, once it is read.
    """

    tokens: list[Token]
    start: int
    mode: str = ""
    i: int = field(init=False)
    operations: int = 0
    places: int = 0
    percent: bool = False
    named: bool = False
    lower: bool = False
    measures: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    normal: list[str] = field(default_factory=list)
    value: Number = 0

    def __post_init__(self) -> None:
        self.i = self.start

    @property
    def bare(self) -> bool:
        """True for a number alone, without any operation."""
        return self.operations == 0

    @property
    def first(self) -> Token:
        """The first token of the expression."""
        return self.tokens[self.start]

    @property
    def last(self) -> Token:
        """The last token read."""
        return self.tokens[self.i - 1]

    def kind(self) -> Kind:
        """Return the kind of the token here; after the last one, a break."""
        return self.tokens[self.i].kind if self.i < len(self.tokens) else "break"

    def skip(self, normal: str) -> None:
        """Move past a token, and add its normal form."""
        self.i += 1
        self.normal.append(normal)

    def take(self, operators: str) -> str | None:
        """Move past one of the operators and return it, if it is here."""
        if self.i >= len(self.tokens):
            return None
        token = self.tokens[self.i]
        if token.kind != "op":
            return None
        operator = "-" if token.text == "–" else token.text
        if operator not in operators:
            return None
        self.operations += 1
        self.skip(operator)
        return operator

    def take_implied(self) -> str | None:
        """Move past a product without a sign, as `take`: `2(3 + 4)`, `30% of 200`, `1/2 of 10`, `3!2!`."""
        if self.i >= len(self.tokens):
            return None
        token = self.tokens[self.i]
        if token.kind == "of":
            if not self._is_share():
                return None
            self.doubts.add("label")  # "3/3 - 2/3 = 1/3 of $150"
            if self.mode == "label":
                return None
            self.i += 1
        elif not self._touches(token):
            return None
        self.operations += 1
        self.normal.append("*")
        return "*"

    def _touches(self, token: Token) -> bool:
        """Return True if the token begins a factor directly after another."""
        previous = self.tokens[self.i - 1]
        if token.start != previous.end:
            return False
        if previous.kind == "bang":
            return token.kind in {"number", "open"}
        if token.text == "{" and previous.text != "}":
            return False
        return token.kind in {"open", "root", "over"} and previous.kind in {"number", "close"}

    def _is_share(self) -> bool:
        """Return True if the number before this place is a share: a percentage, or a fraction with its stroke inside or just before it."""
        previous = self.tokens[self.i - 1]
        if previous.kind == "percent":
            return True
        return previous.kind in {"number", "close"} and any("/" in part for part in self.normal[-2:])

    def number(self) -> Number:
        """Return the value of the number here, including the fraction of a mixed number."""
        token = self.tokens[self.i]
        if token.text.isdigit() and (self.i + 1 == len(self.tokens) or self.tokens[self.i + 1].kind in _PLAINLY):
            self.i += 1  # the fast path: nine in ten numbers are plain
            self.normal.append(token.text)
            return int(token.text)
        found = self._numeral(token)
        self.places = max(self.places, found.places)
        self.operations += found.operations
        self.skip(found.normal)
        value = found.value
        if token.form == "number" and found.places == 0:
            value = self._with_fraction(token, value)
        return value

    def _numeral(self, token: Token) -> Numeral:
        found = numeral(token.form, token.text)
        if found is None:
            raise UnreadableError
        if found.places:
            self.doubts.add("rounded")
            if found.european is not None:
                self.doubts.add("european")
                if self.mode == "european":
                    return found.european
            if self.mode == "rounded":
                return simplest(found)
        return found

    def _with_fraction(self, whole: Token, value: Number) -> Number:
        r"""Return a mixed number if a proper fraction follows, as in `2\frac{1}{2}` or "2 and 1/2", else the value."""
        if self.i >= len(self.tokens):
            return value
        token = self.tokens[self.i]
        if token.form == "fraction" and token.start - whole.end <= 1:
            part = self._numeral(token)
            if 0 < part.value < 1:
                self.doubts.add("factor")
                self.operations += 1
                self.skip(f"{'*' if self.mode == 'factor' else '+'}{part.normal}")
                return value * part.value if self.mode == "factor" else value + part.value
        if token.text == "and":
            return value + self._and_fraction()
        return value

    def _and_fraction(self) -> Number:
        """Return the fraction after "and", or 0: `1/3`, `$1/3` or `(1/3)`."""
        ahead = self.tokens[self.i + 1 : self.i + 7]
        parts = [token for token in ahead if token.kind not in {"money", "open"}][:3]
        if len(parts) < 3 or parts[0].form != "number" or parts[1].text != "/" or parts[2].form != "number":
            return 0
        top, bottom = self._numeral(parts[0]), self._numeral(parts[2])
        if not 0 < top.value < bottom.value:
            return 0
        self.i = self.tokens.index(parts[2], self.i, self.i + 7) + 1
        if self.kind() == "close" and ahead[0].kind == "open":
            self.i += 1
        self.operations += 1
        self.normal.append(f"+{top.normal}/{bottom.normal}")
        return Fraction(top.value) / bottom.value

    def money(self) -> None:
        """Move past the currency sign here."""
        self.measures.add("cent" if self.tokens[self.i].text == "¢" else "dollar")
        self.i += 1

    def units(self) -> None:
        """Move past the currency sign and words that follow a number."""
        if self.kind() == "money" and self.tokens[self.i].start == self.tokens[self.i - 1].end:
            self.money()
        seen = 0
        while self.kind() == "word" and seen < _MOST_UNITS:
            token = self.tokens[self.i]
            words = unit_words(token)
            if token.start == self.tokens[self.i - 1].end and not _may_touch(words, token, self.tokens[self.i - 1]):
                raise UnreadableError
            for count, word in enumerate(words):
                if word in STOP or seen + count >= _MOST_UNITS:
                    return
                self._unit(word)
            seen += len(words)
            self.i += 1
            self._unit_power()

    def _unit(self, word: str) -> None:
        if word in OPAQUE:
            raise UnreadableError
        singular = word if word in MEASURES else word.removesuffix("s")
        if singular in MEASURES or singular in SCALES:
            self.measures.add(singular)
        self.lower = self.lower or word in LOWER
        self.named = True

    def _unit_power(self) -> None:
        """Move past the exponent of a unit: cm^2."""
        if self.kind() == "power":
            self.i += 1
        elif self.kind() == "op" and self.tokens[self.i].text == "^" and self.tokens[self.i].start == self.tokens[self.i - 1].end:
            exponent = [token.kind for token in self.tokens[self.i + 1 : self.i + 4]]
            if exponent[:1] == ["number"]:
                self.i += 2
            elif exponent == ["open", "number", "close"]:
                self.i += 4


def unit_words(token: Token) -> list[str]:
    """Return the words of a run, in lower case; for `\\text{}` the words inside."""
    text = token.text
    if text.startswith("\\"):
        text = text[text.index("{") + 1 : -1]
    return [word for word in (part.strip("/ .,") for part in text.lower().split()) if word]


def _may_touch(words: list[str], token: Token, number: Token) -> bool:
    """Return True if words directly after a number are its unit, and not variables: 5km, but not 3xy."""
    if not words or token.text[0] in "\\/^°":
        return True
    if number.kind == "close" or number.form == "fraction":
        return False
    word = words[0]
    return len(word) > 3 or word in SHORT or word.removesuffix("s") in MEASURES | SCALES
