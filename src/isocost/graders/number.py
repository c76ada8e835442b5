"""Answers that are one number, as in GSM8K, compared exactly: `$1,234.50`, `-3`, `3/4`, `2 2/3`, `\\frac{3}{4}`, `50%`, `**73**`."""

from __future__ import annotations

import re
from fractions import Fraction

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.extract import NUMBER, extract_answer, final_text, last_number
from isocost.records import Verdict

MOST_DIGITS = 1000  # a longer number is no answer; reading it would take quadratic time

_DECORATION = re.compile(r"\*\*|`|\\[!,;: ]|\\(?:text|mbox|mathrm)\s*\{[^{}]*\}|\\[$%]|[$%€£¥₹]|(?<=\d)\{,\}(?=\d)")
_FRAC = re.compile(r"\\[dt]?frac\s*(?:\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}|(\d)\s*(\d))")
_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
_WHOLE = re.compile(rf"([-+]?)\s*({_DECIMAL})(?:[eE]([-+]?\d{{1,3}}))?(?:\s*/\s*(\d+))?")
_MIXED = re.compile(r"(?<!\d)([-+]?)\s*(\d+)\s+(\d+)\s*/\s*(\d+)")


class NumberGrader(AnswerGrader):
    """Compares the number in the final answer with the reference; equal is exactly equal; units, currency and % are ignored."""

    name = "number"
    version = "1"

    def extract(self, generation: str) -> str | None:
        """The number, in its one spelling."""
        answer = _number_of(generation)
        return None if answer is None else canonical(answer)

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Reasons: `equal`, `different`, `no_number` (an answer without one), `bad_reference` (the reference is not one number)."""
        gold = parse_number(_marked(reference) or reference)
        if gold is None:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_number")
        return correct(answer, "equal") if answer == canonical(gold) else incorrect(answer, "different")


def parse_number(text: str) -> Fraction | None:
    """The exact value of a text that is one number and nothing else but decoration; None for any other text.

    `2 2/3` is a mixed number only with a proper fraction, so `4 10/3` is none.
    """
    if len(text) > MOST_DIGITS:
        return None
    cleaned = _cleaned(text).strip().rstrip(".").strip()
    if mixed := _MIXED.fullmatch(cleaned):
        sign, whole, over, under = mixed[1], int(mixed[2]), int(mixed[3]), int(mixed[4])
        if over >= under:
            return None
        return Fraction(whole * under + over, under) * (-1 if sign == "-" else 1)
    match = _WHOLE.fullmatch(cleaned)
    if match is None or (match[4] and not int(match[4])):
        return None
    value = Fraction(match[2].replace(",", "")) * Fraction(10) ** int(match[3] or 0) / int(match[4] or 1)
    return -value if match[1] == "-" else value


def canonical(value: Fraction) -> str:
    """One spelling for each value: an integer, else the finite decimal, else `p/q`. Answers with equal spelling are equal."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _number_of(generation: str) -> Fraction | None:
    """From the marked answer: the whole of it, else the first number after its last equals sign. Unmarked: the last number of the text."""
    marked = _marked(generation)
    if marked is None:
        found = last_number(_cleaned(final_text(generation)))
        return parse_number(found) if found else None
    value = parse_number(marked)
    if value is not None:
        return value
    side = _cleaned(marked.rpartition("=")[2])
    first = _MIXED.search(side) or NUMBER.search(side)
    return parse_number(first[0]) if first else None


def _marked(text: str) -> str | None:
    found = extract_answer(text)
    return found.text if found else None


def _cleaned(text: str) -> str:
    text = text.replace("\N{MINUS SIGN}", "-")
    text = _DECORATION.sub("", text)
    return _FRAC.sub(lambda m: f" {m[1] or m[3]}/{m[2] or m[4]}", text)
