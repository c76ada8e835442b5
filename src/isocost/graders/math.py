"""Mathematical answers: numbers, expressions, equations, tuples, intervals, sets, matrices, words.

The answer is found, tidied and taken apart here; sympy is asked only about single values that are written differently.
Conventions: lists and sets have no order, tuples do; units, currency, degree and percent signs are ignored; letters' case counts in
expressions only; a decimal of four or more significant digits may stand for the value that it rounds or cuts off.
"""

from __future__ import annotations

import importlib
import re
from fractions import Fraction

from isocost.graders.answers import UnreadableError, equal, take_apart
from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.extract import extract_answer, final_text, last_number
from isocost.graders.number import parse_number
from isocost.graders.tidy import tidy
from isocost.records import Verdict

LONGEST_ANSWER = 2000  # characters; what is longer is a solution, not an answer

_SPAN = re.compile(r"\$\$(.{1,1000}?)\$\$|\\\[(.{1,1000}?)\\\]|\\\((.{1,1000}?)\\\)|\$([^$\n]+)\$", re.DOTALL)
LONGEST_BARE = 300
LONGEST_END = 10_000  # of a text without a marked answer: the part in which a formula is taken for one
FEWEST_DIGITS = 4  # significant, in a decimal that stands for something else
_DECIMAL = re.compile(r"-?\d*\.(\d+)")


class MathGrader(AnswerGrader):
    """Equality as mathematics. The same answer written differently is correct; a part of it, or its rounding to few digits, is not."""

    name = "math"
    version = "1"
    memory_limit = 4 << 30

    def prepare(self) -> None:
        """Import sympy and math-verify, about a second."""
        importlib.import_module("isocost.graders.symbolic")

    def extract(self, generation: str) -> str | None:
        """The final answer, tidied."""
        found = _answer(generation)
        return (tidy(found) if found is not None and len(found) <= LONGEST_ANSWER else "") or None

    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        """Reasons: `identical`, `no_answer`, `bad_reference`."""
        gold = tidy(_reference(reference))
        if not gold or len(gold) > LONGEST_ANSWER:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_answer")
        return correct(answer, "identical") if _squeezed(gold) == _squeezed(answer) else None

    def compare(self, reference: str, answer: str) -> Verdict:
        """Reasons: `equal`, `different`, `unreadable` (not mathematics), `bad_reference`."""
        reason = _compare(tidy(_reference(reference)), answer)
        if reason == "bad_reference":
            return ungraded(reason, answer)
        return correct(answer, reason) if reason in ("identical", "equal") else incorrect(answer, reason)


def _compare(gold: str, answer: str) -> str:
    if _squeezed(gold) == _squeezed(answer):
        return "identical"
    try:
        return "equal" if equal(take_apart(gold), take_apart(answer), _same_value) else "different"
    except UnreadableError as error:
        return "bad_reference" if error.text and error.text in gold else "unreadable"


def _same_value(gold: str, answer: str) -> bool:
    if _squeezed(gold) == _squeezed(answer):
        return True
    left, right = parse_number(gold), parse_number(answer)
    if left is not None and right is not None:
        return left == right or _rounds(gold, left, right) or _rounds(answer, right, left)
    from isocost.graders import symbolic

    if left is not None and _DECIMAL.fullmatch(gold):
        exact = symbolic.real_value(answer)
        return exact is not None and (left == exact or _rounds(gold, left, exact))
    if right is not None and _DECIMAL.fullmatch(answer):
        exact = symbolic.real_value(gold)
        return exact is not None and (right == exact or _rounds(answer, right, exact))
    return symbolic.same(gold, answer)


def _rounds(decimal: str, value: Fraction, exact: Fraction) -> bool:
    """Whether a decimal stands for a fraction that no decimal can write, to the last place given."""
    places = _DECIMAL.fullmatch(decimal.strip())
    if places is None or len(decimal.strip("-0.").replace(".", "")) < FEWEST_DIGITS or _finite(exact):
        return False
    return abs(value - exact) < Fraction(1, 10 ** len(places[1]))


def _finite(value: Fraction) -> bool:
    return (value * 10**20).denominator == 1  # an irrational value comes as 60 digits, and is not finite either


def _squeezed(text: str) -> str:
    """Without spaces, and without braces around a single character."""
    return re.sub(r"\{(\w)\}", r"\1", re.sub(r"\s+", "", text))


def _reference(reference: str) -> str:
    found = extract_answer(reference) if "\\boxed" in reference or "####" in reference else None
    return found.text if found else reference


def _answer(generation: str) -> str | None:
    found = extract_answer(generation)
    if found is None:
        text = final_text(generation).strip()
        if _is_bare(text):
            return text
        return _span(text) or last_number(text)
    if found.marker == "phrase" and not _is_bare(found.text):
        return _span(found.text) or last_number(found.text) or found.text
    return found.text


def _is_bare(text: str) -> bool:
    """Whether a text is an answer alone, as a person would type it into a box: one line without running prose."""
    outside = re.sub(r"\\text\s*\{[^{}]*\}|\\[a-zA-Z]+", " ", text)
    return "\n" not in text and len(text) <= LONGEST_BARE and len(re.findall(r"\b(?!and\b|or\b)[A-Za-z]{2,}\b", outside)) <= 2


def _span(text: str) -> str | None:
    """The last formula, unless a plain number follows it."""
    text = text[-LONGEST_END:]
    spans = list(_SPAN.finditer(text))
    if not spans:
        return None
    number = last_number(text[spans[-1].end() :])
    return number or next(group for group in spans[-1].groups() if group)
