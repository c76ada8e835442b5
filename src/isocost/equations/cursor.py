"""Walks over the tokens of one expression and notes what it meets."""

from __future__ import annotations

import re
from fractions import Fraction

from isocost.equations.arithmetic import Side
from isocost.equations.lexer import Kind, Token
from isocost.equations.words import MEASURES, OPAQUE, SCALES, STOP

_MOST_UNITS = 4  # words after a number, as in "3 boxes of red apples"


class UnreadableError(Exception):
    """The expression at hand is not plain arithmetic."""


class Cursor:
    """A place among the tokens and what was met on the way there; each method that reads a token moves past it."""

    def __init__(self, tokens: list[Token], start: int) -> None:
        self.tokens, self.start, self.i = tokens, start, start
        self.operations, self.places, self.percent, self.named = 0, 0, False, False
        self.measures: set[str] = set()
        self.normal: list[str] = []

    def kind(self) -> Kind:
        """Of the token here; a break after the last."""
        return self.tokens[self.i].kind if self.i < len(self.tokens) else "break"

    def operator(self) -> str | None:
        """The operator here, or None."""
        return self.tokens[self.i].operator if self.i < len(self.tokens) else None

    def side(self, value: Fraction) -> Side:
        """What was read since the start, which comes to `value`."""
        return Side(
            value=value,
            bare=self.operations == 0,
            named=self.named,
            places=self.places,
            percent=self.percent,
            measures=frozenset(self.measures),
            normal="".join(self.normal),
            start=self.tokens[self.start].start,
            end=self.tokens[self.i - 1].end,
        )

    def skip(self, normal: str) -> None:
        """Move past a token that is written so in the normal form."""
        self.i += 1
        self.normal.append(normal)

    def take(self, *operators: str) -> str | None:
        """Move past one of the operators, if it is here."""
        operator = self.operator()
        if operator not in operators:
            return None
        self.operations += 1
        self.skip(operator)
        return operator

    def take_implied(self) -> str | None:
        """As `take`, of a product without a sign: `2(3 + 4)`, `30% of 200`, `1/2 of 10`."""
        if self.i >= len(self.tokens):
            return None
        token, previous = self.tokens[self.i], self.tokens[self.i - 1]
        if token.text == "of":
            # A number is a share if it is a fraction: the stroke is within it, or just before it.
            is_fraction = previous.kind == "number" and any("/" in part for part in self.normal[-2:])
            if previous.kind != "percent" and not is_fraction:
                return None
            self.i += 1
        elif token.kind != "open" or token.start != previous.end or previous.kind not in {"number", "close"}:
            return None
        self.operations += 1
        self.normal.append("*")
        return "*"

    def number(self) -> Fraction:
        """The value of the number here."""
        text = self.tokens[self.i].text
        if text.startswith("\\"):
            return self._fraction(text)
        digits = text.replace(",", "")
        whole, _, decimals = digits.partition(".")
        tail = decimals.rstrip("0")
        self.places = max(self.places, len(decimals))
        self.skip((whole.lstrip("0") or "0") + (f".{tail}" if tail else ""))
        return Fraction(digits)

    def _fraction(self, text: str) -> Fraction:
        top, bottom = (int(digits) for digits in re.findall(r"\d+", text))
        self.operations += 1
        self.skip(f"{top}/{bottom}")
        if bottom == 0:
            raise UnreadableError
        return Fraction(top, bottom)

    def money(self) -> None:
        """Move past the currency sign here."""
        self.measures.add("cent" if self.tokens[self.i].text == "¢" else "dollar")
        self.i += 1

    def units(self) -> None:
        """Move past the currency sign and words that follow a number."""
        if self.kind() == "money" and self.tokens[self.i].start == self.tokens[self.i - 1].end:
            self.money()
        for _ in range(_MOST_UNITS):
            if self.kind() != "word":
                return
            word = self.tokens[self.i].text.lower().strip("/ ")
            if word in STOP or word == "of":
                return
            if word in OPAQUE:
                raise UnreadableError
            singular = word if word in MEASURES else word.removesuffix("s")
            if singular in MEASURES or singular in SCALES:
                self.measures.add(singular)
            self.named = True
            self.i += 1
