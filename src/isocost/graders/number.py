r"""Answers that are one number, as in GSM8K, compared exactly.

`$1,234.50`, `-3`, `3/4`, `2 2/3`, `\\frac{3}{4}`, `50%`, `5 km`, `**73**`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from isocost.digits import to_digits, whole_number
from isocost.graders.amounts import has_date, has_factor, has_several, is_factor, is_partial, total, with_fraction
from isocost.graders.asides import without_aside, without_remarks
from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.conventions import Conventions, Percent, Units
from isocost.graders.decoration import with_signs
from isocost.graders.extract import (
    LONGEST,
    MODULO,
    extract_answer,
    final_text,
    is_bound,
    is_denied,
    is_no_answer,
    is_stated,
    lone_number,
    tails,
)
from isocost.graders.fractions import with_plain_fractions
from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.mixed import with_mixed_numbers
from isocost.graders.mathematics.numbers import decimal_places
from isocost.graders.mathematics.quantities import same_quantity
from isocost.graders.mathematics.separators import plain_separators
from isocost.graders.mathematics.shapes import SCALES, is_contradiction
from isocost.graders.mathematics.tidy import tidy
from isocost.graders.mathematics.units import read_unit
from isocost.graders.numerals import joined_before, last_match, with_powers_of_ten
from isocost.graders.replies import plain_characters
from isocost.graders.spelled import leading_number
from isocost.records import Verdict

MOST_DIGITS = 1000  # a longer number is compared digit by digit, because its value would take quadratic time

MOST_KEPT = 16384  # cached answers, references and verdicts
LONGEST_KEPT = 200  # characters of a marked answer without a number, and of a cached one: long ones rarely repeat
LONGEST_UNIT = 40  # characters after a number that are searched for a unit

_DECORATION = re.compile(r"\*\*|`|\\[!,;: ]|\\(?:text|mbox|mathrm)\s*\{([^{}]*)\}|\\(?=[$%])|[$€£¥₹]|(?<=\d)\{,\}(?=\d)")
# 2**3 is a power. Stars beside a digit that is itself in stars are emphasis: 1**2**, **2**3.
_POWER_OF_DIGITS = re.compile(r"(?<![*\d.])(\d++(?:\.\d++)?+)\*\*(?=\d++(?:\.\d++)?+(?![*\d]))")
_UNIT = re.compile(r"[A-Za-z]+(?: (?:per|an?|of) |\s?/\s?|\s)?(?:[A-Za-z]+)?(?:\^[23])?")
# Possessive quantifiers, because words can be split in exponentially many ways.
_BEHIND_WORDS = re.compile(r"\s*%?\s*(?:(?:[A-Za-z]{2,}+|(?:m|s|h|g|l|a)\b|[/^²³]|[(),.'-]|(?<=\^)[23]|(?<=\^ )[23]|°)\s*+)*+")
_SCALES = {**SCALES, "lakh": 10**5, "lac": 10**5, "crore": 10**7, "mn": 10**6, "mln": 10**6, "bn": 10**9, "tn": 10**12, "mil": 10**6}
_SCALE = re.compile(rf"(?i)({'|'.join(_SCALES)})s?\b\.?\s*")  # 1.5 million
MOST_SCALES = 3  # of one number: 5 hundred thousand
_SHORT_SCALE = re.compile(r"(?<![\w.,])\\?[$\u20ac\u00a3\u20b9]\s?(\d[\d,]*+(?:\.\d++)?+)\s?([kKMB])(?![\w$]|\s?[-+*/^=_\\])")  # $5M
_FULL_HOUR = re.compile(r"(?<=\d):00\b(?!:)")  # 5:00 pm
_SHORT_SCALES = {"k": " thousand", "K": " thousand", "M": " million", "B": " billion"}
_BEHIND = re.compile(r"(?<=[\d.])\s*(?:%|(?![eE][-+]?\d)[A-Za-z])")
# Words after a number in words: at most a unit. "one that works" is no number.
_AFTER_WORDS = re.compile(
    r"(?:\s+(?!(?:of|that|which|who|more|less|another|over|and|or|in|to|for|the|is|are|at|a|an|by|times|half|halves|quarters?|per|cent|point)\b"
    r"|\w+(?:ths?|rds?)\b)[A-Za-z]+){0,2}[\s.!]*"
)
_FRAC = re.compile(r"\\[dt]?frac\s*(?:\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}|(\d)\s*(\d))")
_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
_WHOLE = re.compile(rf"([-+]?)\s*({_DECIMAL})(?:[eE]([-+]?\d{{1,3}}))?(?:\s*/\s*(\d+))?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?: \d{3})+")  # 10 000
_JOINT = re.compile(r"\s*(?:[,;]\s+|\b(?:and|or)\b|\\(?:text|mbox)\s*\{\s*(?:and|or)\s*\})\s*")
_ASSIGNMENT = re.compile(r"\s*\\?[A-Za-z]\w*\s*=[^=]+")
_NAME = re.compile(r"\s*\\?[A-Za-z]\w*\s*|[\s\d.,]*[mhgls]\s*")
# 17 mod 5 is 2. Each run of spaces is in one place of the pattern: two beside each other would try every way to share a long one.
_RESIDUE = re.compile(rf"\s*(-?\d{{1,18}})\s*(?:\(\s*)?{MODULO}\s*(?:\{{\s*)?(0*[1-9]\d{{0,17}})\s*(?:[)}}]\s*)?")
_MIXED = re.compile(r"(?<!\d)([-+]?)\s*(\d+)\s+(\d+)\s*/\s*(\d+)")  # 2 2/3


class NumberGrader(AnswerGrader):
    """Compares the number in the final answer with the reference, exactly. Units and percent signs count as the conventions say.

    Args:
        units: `forgive` a missing unit but convert or refuse another one, `ignore` units, or `require` the reference's.
        percent: `forgive` (50% is 50, and also 0.5) or `value` (50% is 0.5 only).

    Raises:
        ValueError: an unknown convention.
    """

    name = "number"

    def __init__(self, units: Units = "forgive", percent: Percent = "forgive") -> None:
        self._conventions = Conventions(units=units, percent=percent)
        self.version = f"9{self._conventions.suffix}"
        # A problem's samples come one after the other, and their answers repeat.
        self._cached_judge = lru_cache(maxsize=MOST_KEPT)(self._judge)

    def extract(self, generation: str) -> str | None:
        """Return the number in canonical spelling, with the percent sign or unit that follows it."""
        marked = extract_answer(generation)
        if marked is None:
            return _spell(_last_quantity(without_remarks(final_text(generation))))
        return (_short_answer if len(marked.text) <= LONGEST_KEPT else _answer)(marked.text, marked.marker == "phrase")

    def is_stated(self, generation: str, answer: str) -> bool:
        """Return True if a text that was cut off marks its answer, and all of it."""
        return is_stated(self.extract, generation, answer)

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Return the verdict.

        Reasons: `equal`, `different`, `not_one_number` (the marked answer is more, or a range), `no_number` (an answer without one),
        `bad_reference` (the reference is not one number).
        """
        short = len(reference) <= MOST_DIGITS and len(answer or "") <= LONGEST_KEPT
        return self._cached_judge(reference, answer) if short else self._judge(reference, answer)

    def _judge(self, reference: str, answer: str | None) -> Verdict:
        gold = _gold(reference)
        if gold is None:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_number")
        given = _whole_quantity(answer)
        if given is None:
            return incorrect(answer, "not_one_number")
        same = same_quantity(gold, given, self._conventions, _same_text)
        return correct(given.text, "equal") if same else incorrect(given.text, "different")


def parse_number(text: str) -> Fraction | None:
    """Return the exact value of a text that is one number and decoration only; None for any other text.

    `2 2/3` is a mixed number only with a proper fraction, so `4 10/3` is none.
    """
    if len(text) > MOST_DIGITS:
        return None
    if _GROUPED.fullmatch(text):
        text = text.replace(" ", "")
    cleaned = _clean(text).strip().removesuffix("%").rstrip(". ")
    if mixed := _MIXED.fullmatch(cleaned):
        sign, whole, over, under = mixed[1], int(mixed[2]), int(mixed[3]), int(mixed[4])
        if over >= under:
            return None
        return Fraction(whole * under + over, under) * (-1 if sign == "-" else 1)
    match = _WHOLE.fullmatch(cleaned)
    if match is None or (match[4] and not int(match[4])):
        return None
    digits = match[2].replace(",", "")
    value = Fraction(int(digits)) if digits.isdecimal() else Fraction(digits)
    # Fractions are slow, and most numbers have neither an exponent nor a denominator.
    if match[3]:
        value *= Fraction(10) ** int(match[3])
    if match[4]:
        value /= int(match[4])
    return -value if match[1] == "-" else value


def canonical(value: Fraction) -> str:
    """Return one spelling per value: an integer, else the finite decimal, else `p/q`. Answers with equal spelling are equal."""
    places = decimal_places(value)
    if places is None:
        return f"{to_digits(value.numerator)}/{to_digits(value.denominator)}"
    if places == 0:
        return to_digits(value.numerator)
    digits = to_digits(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _gold(reference: str) -> Answer | None:
    reference = plain_characters(reference)
    if len(reference) <= MOST_DIGITS:
        return _short_gold(reference)
    return _long(_marked_text(reference) or reference) if len(reference) <= LONGEST else None


@lru_cache(maxsize=MOST_KEPT)
def _short_gold(reference: str) -> Answer | None:
    return _whole_quantity(_clean(_with_scale_words(plain_separators(_marked_text(reference) or reference, one_number=True))))


def _long(text: str) -> Answer | None:
    """Return an integer with more digits than are converted to a value."""
    digits = whole_number(text) if len(text) > MOST_DIGITS else None
    return Answer(kind="value", text=digits) if digits else None


def _whole_quantity(cleaned: str) -> Answer | None:
    """Return the number with its unit or percent sign, if the text contains nothing else."""
    return (_short_quantity if len(cleaned) <= LONGEST_KEPT else _any_quantity)(cleaned)


def _any_quantity(cleaned: str) -> Answer | None:
    if len(cleaned) > MOST_DIGITS:
        return _long(cleaned)
    cleaned = with_fraction(with_signs(cleaned))
    if found := total(cleaned):
        return _quantity(*found)
    number, rest = _split_unit(cleaned)
    value = parse_number(number)
    if value is None or not _BEHIND_WORDS.fullmatch(rest) or is_denied(rest) or is_factor("", rest) or is_partial("", rest):
        return None
    return _quantity(value, rest)


_short_quantity = lru_cache(maxsize=MOST_KEPT)(_any_quantity)


def _last_quantity(text: str) -> Answer | None:
    """Return the last number of a text without a marked answer."""
    for tail in tails(text):
        cleaned = _clean(plain_separators(tail, one_number=True))
        match = last_match(cleaned)
        if match and cleaned[match.end() :].lstrip()[:1] in _SHORT_SCALES:
            cleaned = _clean(_with_scale_words(plain_separators(tail, one_number=True)))
            match = last_match(cleaned)
        if match:
            if is_bound(cleaned[: match.start()]) or is_no_answer(cleaned, match) or joined_before(cleaned, match.start()):
                return None
            value = parse_number(match[0])
            if value is None:
                return _long(match[0])
            return _quantity(value, cleaned[match.end() : match.end() + LONGEST_UNIT])
    return None


def _answer(marked: str, is_phrase: bool) -> str | None:
    """Return a marked answer in canonical spelling; None where it has no digit and is no number in words.

    An answer that is not one number is returned as written, and `settle` then refuses it.
    """
    found = _marked_quantity(marked, is_phrase=is_phrase) or _in_words(marked)
    if found is None and any(character.isdigit() for character in marked):
        cut = " ".join(marked[:LONGEST_KEPT].split())
        is_cut = len(marked) > LONGEST_KEPT
        # The mark keeps a number that was cut off from being graded as the whole answer; dots alone could end a sentence.
        return f"{cut} [...]" if is_cut and _whole_quantity(cut) else cut
    return _spell(found)


_short_answer = lru_cache(maxsize=MOST_KEPT)(_answer)


def _in_words(marked: str) -> Answer | None:
    """Return a number in words with its unit: "twenty", "two hundred dollars"."""
    found = leading_number(marked) if marked[:1].isalpha() and not any(character.isdigit() for character in marked) else None
    return _quantity(Fraction(found[0]), found[1]) if found and _AFTER_WORDS.fullmatch(found[1]) else None


def _spell(found: Answer | None) -> str | None:
    if found is None:
        return None
    unit = found.unit.words if found.unit else ""
    return f"{found.text} {'%' if found.percent else unit}".strip()


def _marked_quantity(marked: str, *, is_phrase: bool) -> Answer | None:
    """Read a marked answer as one number: the whole text, its last side, the value of that side, or the one number among its words."""
    marked = with_signs(marked)
    if ")" in marked:
        marked = without_aside(marked)
    if _names_several(marked) or _is_equation(marked) or _is_contradiction(marked) or has_date(marked):
        return None
    marked = _FULL_HOUR.sub("", _with_scale_words(plain_separators(marked, one_number=True)))
    for text in dict.fromkeys((marked, marked.rpartition("=")[2])):
        cleaned = _clean(text)
        if found := _whole_quantity(" ".join(cleaned.split())):
            return found
        if residue := _RESIDUE.fullmatch(cleaned):
            return Answer(kind="value", text=canonical(Fraction(int(residue[1]) % int(residue[2]))))
        value = expressions.constant(tidy(text)) if len(text) <= LONGEST_KEPT else None
        if isinstance(value, Fraction):
            return Answer(kind="value", text=canonical(value))
    cleaned = " ".join(cleaned.split())
    place = None if has_several(cleaned) or (not is_phrase and has_factor(cleaned)) else lone_number(cleaned, first=is_phrase)
    if place is None or is_factor(cleaned[: place.start()], cleaned[place.end() :]):
        return None
    value = parse_number(place[0])
    return _long(place[0]) if value is None else _quantity(value, cleaned[place.end() : place.end() + LONGEST_UNIT])


def _is_equation(text: str) -> bool:
    """Return True for an equation that is to be solved, as `2x = 10`; `x = 5` names its value, and `2 h = 120` may be a quantity."""
    left, equals, _ = text.strip("$ ").partition("=") if len(text) <= LONGEST_KEPT else ("", "", "")
    return bool(equals) and not _NAME.fullmatch(left) and expressions.is_to_be_solved(tidy(left))


def _is_contradiction(text: str) -> bool:
    """Return True if a text equates different numbers: `6 = 5`."""
    return "=" in text and len(text) <= LONGEST_KEPT and is_contradiction(tidy(text))


def _names_several(text: str) -> bool:
    """Return True if a text gives values to several names, as `y=1, x=2` does."""
    parts = _JOINT.split(text.strip("$ ")) if text.count("=") > 1 else []
    return len(parts) > 1 and all(_ASSIGNMENT.fullmatch(part) for part in parts)


def _quantity(value: Fraction, rest: str) -> Answer:
    """Return a value with the percent sign or known unit that the text after it begins with."""
    rest = rest.lstrip()
    for _ in range(MOST_SCALES):
        if scale := _SCALE.match(rest):
            value, rest = value * _SCALES[scale[1].lower()], rest[scale.end() :]
    if re.match(r"%|percent\b|pct\b", rest):
        return Answer(kind="value", text=canonical(value), percent=True)
    words = _UNIT.match(rest)
    unit = read_unit(words[0].strip()) if words else None
    return Answer(kind="value", text=canonical(value), unit=unit if unit and unit.known else None)


def _split_unit(cleaned: str) -> tuple[str, str]:
    """Split a text at the first letter or percent sign after a digit; not inside `1e-3`."""
    found = _BEHIND.search(cleaned)
    return (cleaned[: found.start()], cleaned[found.start() :]) if found else (cleaned, "")


def _same_text(gold: str, answer: str) -> bool:
    if "\\" not in gold + answer:  # both in canonical spelling
        return gold == answer
    return expressions.same(gold, answer) is True


def _marked_text(text: str) -> str | None:
    found = extract_answer(text)
    return found.text if found else None


def _with_scale_words(text: str) -> str:
    """Return the text with `$5M` as "5 million"."""
    return _SHORT_SCALE.sub(lambda match: f"{match[1]}{_SHORT_SCALES[match[2]]}", text)


def _clean(text: str) -> str:
    text = with_mixed_numbers(
        with_plain_fractions(with_powers_of_ten(text)).replace("\N{MINUS SIGN}", "-"), lambda whole, part: canonical(whole + part)
    )
    if "**" in text:
        text = _POWER_OF_DIGITS.sub(r"\1^", text)
    text = _DECORATION.sub(lambda match: f" {match[1]} " if match[1] else "", text)
    return _FRAC.sub(lambda match: f" {match[1] or match[3]}/{match[2] or match[4]}", text) if "frac" in text else text
