"""Parse plain arithmetic and algebra, LaTeX or ASCII, by recursive descent: sums of products of powers of atoms.

Text with more than one reading (`1/2x`, `2 3`, `f(x)`) and text that is not plain (functions, sums, matrices) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Overflow
from fractions import Fraction

from isocost.graders.mathematics.numbers import (
    PI,
    AbsurdError,
    E,
    NoValueError,
    Number,
    TooLargeError,
    factorial,
    minus,
    plus,
    power,
    quotient,
    root,
    times,
)

Points = Mapping[str, Fraction]
Evaluate = Callable[[Points], Number]

FEWEST_DIGITS = 4  # significant, of a decimal that may stand for an exact number
_DEEPEST = 40  # nested groups; far below Python's recursion limit

_TOKEN = re.compile(
    r"""(?P<based>\d+_(?:\d{1,2}(?!\d)|\{\d{1,2}\}))
    | (?P<number>(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3}(?![\w.]))?)
    | (?P<indexed>[a-zA-Z]_(?:\w|\{\w{1,8}\}))
    | (?P<command>\\(?:frac|sqrt|pi|infty|cdot|times|div|alpha|beta|gamma|delta|theta|lambda|mu|rho|sigma|tau|phi|omega)(?![a-zA-Z]))
    | (?P<plain>(?:sqrt|pi)(?![a-zA-Z]))
    | (?P<letter>(?!(?:ln|log|exp|mod|gcd|lcm|min|max|det|arc|or|and|(?:sin|cos|tan|cot|sec|csc)h?)(?![a-zA-Z]))[a-zA-Z](?![a-zA-Z]{3}))
    | (?P<space>\s+)
    | (?P<sign>[-+*/^(){}\[\]!])""",
    re.VERBOSE,
)
_FRACTIONS = (  # the token patterns of the fraction in a mixed number, and the positions of its two numbers
    (["\\frac", "{", "number", "}", "{", "number", "}"], 2, 5),
    (["\\frac", "number"], 1, 1),
    (["number", "/", "number"], 0, 2),
)
_OPENING = ("number", "letter", "(", "{", "\\frac", "\\sqrt", "\\pi")


class NotPlainError(ValueError):
    """Raised for text that is no plain arithmetic or algebra, or that has no value within the bounds."""


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """Return (kind, text, preceded by a space) for every token; signs and commands are their own kind."""
    found: list[tuple[str, str, bool]] = []
    position, spaced = 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotPlainError(text)
        position = match.end()
        kind, token = str(match.lastgroup), match[0]
        if kind in ("based", "indexed"):  # 204 in base 5 is compared by name: it is not the answer 54
            kind, token = "letter", token.replace("{", "").replace("}", "")
        if kind == "space":
            spaced = True
            continue
        if kind == "plain":
            token = "\\" + token
        if kind in ("command", "plain"):
            operator = {"\\cdot": "*", "\\times": "*", "\\div": "/"}.get(token)
            kind = operator or (token if token in ("\\frac", "\\sqrt", "\\pi") else "letter")
        elif kind == "sign":
            kind = "^" if token == "^" else token
        found.append((kind, token, spaced))
        spaced = False
    return found


@dataclass(frozen=True, slots=True)
class WrittenDecimal:
    """A decimal in an expression.

    Attributes:
        name: The name by which a point may replace it.
        value: Its value.
        place: The value of one in its last place.
        enough: True if it has digits enough to stand for an exact number.
    """

    name: str
    value: Fraction
    place: Fraction
    enough: bool


class Parser:
    """A parser that turns a text into a function of its variables' values.

    Attributes:
        symbols: The variables found; `e` is a constant.
        decimals: The decimals found.

    Raises:
        NotPlainError: the text is not plain algebra.
    """

    def __init__(self, text: str) -> None:
        self.tokens, self.i, self.depth = _tokens(text), 0, 0
        self.symbols: set[str] = set()
        self.decimals: list[WrittenDecimal] = []

    def whole(self) -> Evaluate:
        """Parse the whole text as one expression.

        Raises:
            NotPlainError: the text is not plain algebra.
        """
        value = self._sum()
        if self.i < len(self.tokens):
            raise NotPlainError
        return value

    def _kind(self, ahead: int = 0) -> str:
        at = self.i + ahead
        return self.tokens[at][0] if at < len(self.tokens) else ""

    def _take(self, *kinds: str) -> str | None:
        kind = self._kind()
        if kind not in kinds:
            return None
        self.i += 1
        return kind

    def _need(self, kind: str) -> None:
        if self._take(kind) is None:
            raise NotPlainError

    def _sum(self) -> Evaluate:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotPlainError
        value = self._product()
        while sign := self._take("+", "-"):
            value = _combine(plus if sign == "+" else minus, value, self._product())
        self.depth -= 1
        return value

    def _product(self) -> Evaluate:
        value, divided = self._signed(), False
        while True:
            if sign := self._take("*", "/"):
                divided = sign == "/"
                value = _combine(quotient if divided else times, value, self._signed())
            elif self._kind() in _OPENING:
                if divided or (self._kind() == "number" and self.tokens[self.i - 1][0] not in (")", "}")):
                    raise NotPlainError  # 1/2x: of one half, or of 2x? and "2 3" is not 6
                value = _combine(times, value, self._power())
            else:
                return value

    def _signed(self) -> Evaluate:
        sign = 1
        for _ in range(2):  # a+-b
            if taken := self._take("+", "-"):
                sign = -sign if taken == "-" else sign
        value = self._power()
        return value if sign == 1 else _negate(value)

    def _power(self) -> Evaluate:
        base = self._atom()
        if self._take("!"):
            base = _apply(factorial, base)
            if self._kind() == "!":
                raise NotPlainError  # a double factorial is another function
        if not self._take("^"):
            return base
        exponent = self._braced() if self._kind() == "{" else self._script()
        if self._kind() == "^":
            raise NotPlainError
        return _raise(base, exponent)

    def _script(self) -> Evaluate:
        """Parse an exponent without braces: in LaTeX one digit or letter, in plain notation an integer, a letter or a bracket."""
        sign = -1 if self._take("-") else 1
        value = self._atom()
        return value if sign == 1 else _negate(value)

    def _atom(self) -> Evaluate:
        kind, token, _ = self.tokens[self.i] if self.i < len(self.tokens) else ("", "", False)
        self.i += 1
        if kind == "number":
            return self._number(token)
        if kind == "letter":
            return self._letter(token)
        if kind == "\\pi":
            return lambda _: PI
        if kind in ("(", "{"):
            value = self._sum()
            self._need(")" if kind == "(" else "}")
            return value
        if kind == "\\frac":
            top = self._argument()
            return _combine(quotient, top, self._argument())
        if kind == "\\sqrt":
            return self._root()
        raise NotPlainError

    def _number(self, token: str) -> Evaluate:
        value = Fraction(token.replace(",", ""))
        if token.isdigit() and (part := self._proper_fraction()):
            value += part
        digits, _, power = token.replace(",", "").lower().partition("e")
        if "." not in digits:
            return lambda _: value
        place = Fraction(10) ** (int(power or 0) - len(digits.partition(".")[2]))
        enough = len(digits.replace(".", "").lstrip("0")) >= FEWEST_DIGITS
        name = f"#{len(self.decimals)}"  # no variable can have this name
        self.decimals.append(WrittenDecimal(name, value, place, enough))
        return lambda points: points.get(name, value)

    def _proper_fraction(self) -> Fraction | None:
        r"""Return the fraction of a mixed number, if one follows: 2\frac{1}{3} and 2 1/3 are 2 + 1/3."""
        ahead = self.tokens[self.i : self.i + 7]
        kinds = [kind for kind, _, _ in ahead]
        for pattern, top, bottom in _FRACTIONS:
            if kinds[: len(pattern)] == pattern:
                a, b = ahead[top][1], ahead[bottom][1]
                if pattern[0] == "number" and not ahead[0][2]:
                    return None
                used = len(pattern)
                if top == bottom:  # \frac58
                    if len(a) != 2:
                        return None
                    a, b = a[0], a[1]
                if not (a.isdigit() and b.isdigit() and 0 < int(a) < int(b)):
                    return None
                self.i += used
                return Fraction(int(a), int(b))
        return None

    def _letter(self, name: str) -> Evaluate:
        if self._kind() == "(" and not self.tokens[self.i][2] and (name in "fghuFGHPOT" or len(name) > 1):
            raise NotPlainError  # f(x) is no product
        if name == "e":
            return lambda _: E
        self.symbols.add(name)
        return lambda points: points[name]

    def _root(self) -> Evaluate:
        index: Evaluate = lambda _: Fraction(2)  # noqa: E731
        if self._take("["):
            index = self._sum()
            self._need("]")
        return _combine(root, self._argument(), index)

    def _argument(self) -> Evaluate:
        r"""Parse the argument of \frac or \sqrt: a group, else one digit or letter, so \frac12 is one half."""
        if self._kind() == "{":
            return self._braced()
        kind, token, spaced = self.tokens[self.i] if self.i < len(self.tokens) else ("", "", False)
        if kind == "number" and token.isdigit() and len(token) > 1:
            self.tokens[self.i : self.i + 1] = [("number", token[0], spaced), ("number", token[1:], False)]
        elif kind not in ("number", "letter", "\\pi", "\\sqrt", "\\frac", "("):
            raise NotPlainError
        return self._atom()

    def _braced(self) -> Evaluate:
        self._need("{")
        value = self._sum()
        self._need("}")
        return value


def _combine(operation: Callable[[Number, Number], Number], a: Evaluate, b: Evaluate) -> Evaluate:
    return lambda points: operation(a(points), b(points))


def _raise(base: Evaluate, exponent: Evaluate) -> Evaluate:
    """Return the power. If its exponent alone is beyond the bounds, the power is absurd."""

    def evaluate(points: Points) -> Number:
        below = base(points)
        try:
            above = exponent(points)
        except (TooLargeError, Overflow) as error:
            raise NoValueError if below in (0, 1, -1) else AbsurdError from error
        return power(below, above)

    return evaluate


def _apply(operation: Callable[[Number], Number], a: Evaluate) -> Evaluate:
    return lambda points: operation(a(points))


def _negate(a: Evaluate) -> Evaluate:
    return lambda points: times(Fraction(-1), a(points))
