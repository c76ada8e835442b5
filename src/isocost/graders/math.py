"""Mathematical answers: numbers, expressions, equations, tuples, intervals, sets, matrices, words.

The answer is extracted, normalised and parsed into a shape. Single values are compared as text, then as numbers, then as plain
expressions. Only what is still undecided goes to sympy, in a process that can be killed. docs/grading.md has the conventions.
"""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache

from isocost.digits import to_digits, whole_number
from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.choice import ChoiceGrader
from isocost.graders.conventions import Conventions, Order, Percent, Units
from isocost.graders.decoration import with_signs
from isocost.graders.extract import LONGEST, extract_answer, is_stated
from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.agreement import equal
from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.bound import have_different_sets, with_one_parameter
from isocost.graders.mathematics.conditions import Case, after_comma, cases
from isocost.graders.mathematics.formula import final_formula, stated_number
from isocost.graders.mathematics.opaque import with_letters
from isocost.graders.mathematics.quantities import same_quantity
from isocost.graders.mathematics.relations import is_relation, is_solution_of_other, same_relation, without_signs
from isocost.graders.mathematics.shapes import UnreadableError, parse_answer
from isocost.graders.mathematics.tidy import tidy
from isocost.graders.mathematics.vectors import is_another_order, without_vectors
from isocost.graders.processortime import TooLongError, processor_time
from isocost.graders.replies import plain_characters
from isocost.records import Verdict

MOST_FLAWS = 4096  # references whose comparison with themselves is remembered
LONGEST_ANSWER = 2000  # characters; a longer text is a solution, not an answer
LONGEST_READ = 1000  # characters of an answer that is parsed as an expression
LONGEST_CHOICE = 10_000  # characters of a solution that is searched for a letter
LONGEST_REFERENCE = 20_000  # characters of a reference answer

_LETTER = re.compile(r"[A-J]")
_DECIMAL = re.compile(r"-?\d*\.\d+")
_CHOICE = re.compile(r"(?:\\text\s*\{)?\s*(?:[Oo]ption\s+)?\(?([A-J])(?:\)|[.:]|(?=\s*\}?$))\s*\}?\s*(\S.*)?")
# Notation that sympy's reader drops or multiplies out (primes, inverse functions, points named by letters): without this check
# f'(x) would equal f(x).
_MARKS = re.compile(
    r"'+|!!+"
    r"|(?:(?<![a-zA-Z\\])[fghuFGHPOT]|\\(?:alpha|beta|gamma|delta|theta|mu|rho|sigma|tau|phi|psi|omega)|[A-Za-z]_\w)(?=\()"
    r"|[fgh]\^\{?-1\}?(?=\s*\()"
    r"|\\(?:measured)?(?:angle|triangle|vec|over(?:left)?(?:right)?(?:line|arrow)|widehat)\s*\{?\s*[A-Z]+"
)
_DIGITS_APART = re.compile(r"(?<=\d)\s+(?=\d)")
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_OPERATED = re.compile(r"[*+/^<>|]|(?<![A-Za-z])[A-Za-z]?-|-[A-Za-z]?(?![A-Za-z])")
_MULTIPLIED = re.compile(r"\d[A-Za-z]")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")
_SPACES = re.compile(r"\s+")
_TWO_NUMBERS = re.compile(r"(?<=\d),\s+(?=\d{3}(?!\d))")
_LONE = re.compile(r"\{(\w)\}")


class _OpenError(Exception):
    """Raised where only sympy can decide."""


class MathGrader(AnswerGrader):
    """Grades by mathematical equality. The same answer in another notation is correct; a part of it, or a coarse rounding, is not.

    Args:
        order: Order of values side by side and of sets: `any`, or as `given` in the reference.
        units: `forgive` a missing unit but convert or refuse another one, `ignore` units, or `require` the reference's.
        percent: `forgive` (50% is 50, and also 0.5) or `value` (50% is 0.5 only).

    Raises:
        ValueError: an unknown convention.
    """

    name = "math"
    memory_limit = 4 << 30  # sympy can allocate without bound on adversarial powers
    time_limit = 5.0  # seconds of processor time for a comparison, and as many for the reference alone

    def __init__(self, order: Order = "any", units: Units = "forgive", percent: Percent = "forgive") -> None:
        self._conventions = Conventions(order=order, units=units, percent=percent)
        self._choices = ChoiceGrader()
        self.version = f"9{self._conventions.suffix}"
        self._flaws: dict[str, str | None] = {}

    @property
    def overtime(self) -> float:
        """Seconds by the clock beyond the limit: for the reference alone, and for other work on the machine."""
        return 3 * self.time_limit

    def prepare(self) -> None:
        """Import sympy and math-verify, which takes about a second."""
        importlib.import_module("isocost.graders.mathematics.symbolic")

    def extract(self, generation: str) -> str | None:
        """Return the final answer, normalised; None where the solution states none."""
        found = final_formula(generation)
        if found == "":  # the last box is empty or cut off
            return None
        return (_normalize(found) if found is not None else "") or self._letter(generation)

    def _letter(self, generation: str) -> str | None:
        """Return the chosen letter of a solution that states no formula and no number."""
        letters = self._choices.extract(generation) if len(generation) <= LONGEST_CHOICE else None
        return letters if letters and _LETTER.fullmatch(letters) else None

    def is_stated(self, generation: str, answer: str) -> bool:
        """Return True if a text that was cut off marks its answer, and all of it."""
        return is_stated(self.extract, generation, answer)

    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        """Return the verdict without sympy; None where only sympy can decide.

        Reasons: `identical`, `equal`, `different`, `no_answer`, `bad_reference`.
        """
        gold = _gold(reference)
        if gold is None:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_answer")
        if _squeeze(gold) == _squeeze(answer):
            return correct(answer, "identical")
        try:
            return self._decide(gold, answer, symbolic=False)
        except _OpenError:
            return None

    def compare(self, reference: str, answer: str) -> Verdict:
        """Return the verdict, with sympy where needed.

        Reasons: `equal`, `different`, `unreadable` (not mathematics), `bad_reference`; `too_long` (more processor time than the limit) or
        `failed: ...`, if the reference alone is read without. If it is not, the answer is `ungraded`, and so it is where the comparison
        itself is at fault.
        """
        gold = _gold(reference)
        if gold is None:
            return ungraded("bad_reference")
        try:
            with processor_time(self.time_limit):
                return self._decide(gold, answer, symbolic=True)
        except MemoryError:
            raise
        except (Exception, TooLongError) as error:  # noqa: BLE001 - sympy may raise anything: the verdict's reason records it
            flaw = self._flaw(gold) or _fault(error)
            reason = "too_long" if isinstance(error, TooLongError) else f"failed: {type(error).__name__}"
            return incorrect(answer, reason) if flaw is None else ungraded(flaw, answer)

    def _flaw(self, gold: str) -> str | None:
        """Return the reason why sympy cannot compare a reference even with itself; None if it can."""
        if gold not in self._flaws:
            if len(self._flaws) >= MOST_FLAWS:
                self._flaws.clear()
            self._flaws[gold] = self._flaw_found(gold)
        return self._flaws[gold]

    def _flaw_found(self, gold: str) -> str | None:
        try:
            with processor_time(self.time_limit), suppress(UnreadableError):
                _Comparison(self._conventions, symbolic=True, thorough=True).same(gold, gold)
        except TooLongError:
            return "timeout"
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return f"error: {type(error).__name__}"
        return None

    def _decide(self, gold: str, answer: str, *, symbolic: bool) -> Verdict:
        # Parsing takes quadratic time on thousands of digits; comparing the digits takes linear time.
        if max(len(gold), len(answer)) > LONGEST_READ and (one := _digits(gold)) and (other := _digits(answer)):
            return correct(answer, "equal") if one == other else incorrect(answer, "different")
        if max(len(gold), len(answer)) > LONGEST_ANSWER:
            return incorrect(answer, "different")  # a very long number against something else
        comparison = _Comparison(self._conventions, symbolic=symbolic)
        try:
            # No convention concerns two whole numbers, and most answers are some.
            whole = gold.isascii() and gold.isdecimal() and answer.isascii() and answer.isdecimal()
            same = int(gold) == int(answer) if whole else comparison.same(gold, answer)
        except UnreadableError as error:
            return incorrect(answer, "different" if error.text and error.text in gold else "unreadable")
        return correct(answer, "equal") if same else incorrect(answer, "different")


class _Comparison:
    """One comparison under conventions. Without sympy it raises `_OpenError` where sympy would be needed; a thorough one uses it always."""

    def __init__(self, conventions: Conventions, *, symbolic: bool, thorough: bool = False) -> None:
        self._conventions, self._symbolic, self._thorough = conventions, symbolic, thorough

    def same(self, gold: str, answer: str) -> bool:
        """Return True if the answer equals the reference."""
        # A reference of one letter may be an option or a variable, so "(C) 12" is tried as both.
        if len(gold) == 1 and (choice := _CHOICE.fullmatch(answer)):
            return gold == choice[1] or bool(choice[2] and self._equal(gold, choice[2]))
        if self._equal(gold, answer) or (_fold(gold) == _fold(answer) and not (_has_known_unit(gold) and _has_known_unit(answer))):
            return True
        choice = _CHOICE.fullmatch(answer)  # "(C) 12" also answers 12
        if choice and choice[2] and not _CHOICE.fullmatch(gold) and self._equal(gold, choice[2]):
            return True
        number = stated_number(answer) if expressions.constant(gold) is not None else None
        return number is not None and self._equal(gold, number)

    def _equal(self, gold: str, answer: str) -> bool:
        if have_different_sets(gold, answer):
            return False
        gold, answer = with_one_parameter(gold, answer)
        ours, theirs = cases(gold), cases(answer)
        if bool(ours) is not bool(theirs):
            ours, theirs = ours or after_comma(gold), theirs or after_comma(answer)
        if ours and theirs:
            return self._same_cases(ours, theirs)
        return self._same_shape(gold, answer)

    def _same_cases(self, ours: list[Case], theirs: list[Case]) -> bool:
        """Return True if two answers have the same values under the same conditions."""
        found = [[all(map(self._same_shape, one, other)) for other in theirs] for one in ours]
        return len(ours) == len(theirs) and all(map(any, found)) and all(map(any, zip(*found, strict=True)))

    def _same_shape(self, gold: str, answer: str) -> bool:
        return equal(parse_answer(gold), parse_answer(answer), self._value, any_order=self._conventions.order == "any")

    def _value(self, gold: Answer, answer: Answer) -> bool:
        return same_quantity(gold, answer, self._conventions, self._text)

    def _text(self, gold: str, answer: str) -> bool:
        if self._thorough:
            return _same_by_sympy(gold, answer)
        if _squeeze(gold) == _squeeze(answer):
            return True
        if "\\vec" in gold or "\\vec" in answer:
            if is_another_order(gold, answer):
                return False
            gold, answer = without_vectors(gold), without_vectors(answer)
        gold, answer = with_letters(gold, answer)
        related = is_relation(gold) or is_relation(answer)
        if is_relation(gold) and is_relation(answer) and "\\pm" in gold + answer:
            if is_solution_of_other(gold, answer):
                return False
            gold, answer = without_signs(gold), without_signs(answer)
        decided = self._relation(gold, answer) if related else expressions.same(gold, answer)
        if decided is not None:
            return decided
        if _MARKS.findall(gold) != _MARKS.findall(answer):
            return False
        if not self._symbolic:
            raise _OpenError
        return _same_by_sympy(gold, answer)

    def _relation(self, gold: str, answer: str) -> bool | None:
        if is_relation(gold):
            return same_relation(gold, answer) if is_relation(answer) else False
        left, _, side = (part.strip() for part in answer.rpartition("="))  # "48/2 = 24" answers 24, "x^2 = 24" does not
        if expressions.is_to_be_solved(left):
            return False
        return None if not side or is_relation(side) else self._text(gold, side)


def _same_by_sympy(gold: str, answer: str) -> bool:
    # Imported here: sympy takes a second, and most answers are decided without it.
    from isocost.graders.mathematics import symbolic

    # A bare decimal is compared by the rounding rule here, because sympy would read it as an inexact float.
    for decimal, other in ((gold, answer), (answer, gold)):
        if _DECIMAL.fullmatch(decimal):
            exact = symbolic.real_value(other)
            return exact is not None and expressions.stands_for(decimal, exact)
    return symbolic.same(gold, answer)


@lru_cache(maxsize=16384)
def _gold(reference: str) -> str | None:
    """Return the reference answer, normalised; None where it has none. It may be boxed or follow `####`."""
    if len(reference) > LONGEST_REFERENCE and whole_number(reference[:LONGEST]) is None:
        return None
    found = extract_answer(reference) if "\\boxed" in reference or "####" in reference else None
    text = found.text if found else reference
    gold = _normalize(plain_characters(text))
    return gold if gold and not _is_broken(gold) else None


def _normalize(text: str) -> str:
    """Return the answer normalised; "" if it is too long, unless it is an integer, which can be compared digit by digit."""
    return tidy(with_signs(text)) if len(text) <= LONGEST_ANSWER else whole_number(text) or ""


def _digits(text: str) -> str | None:
    """Return the digits of an integer, or of an expression with an integer value such as 10^5000."""
    if digits := whole_number(text):
        return digits
    value = expressions.constant(text)
    return to_digits(value.numerator) if isinstance(value, Fraction) and value.denominator == 1 else None


def _is_broken(gold: str) -> bool:
    """Return True if a brace or environment is never closed: the reference was truncated and has no meaning."""
    braces = re.sub(r"\\[{}]", "", gold)
    return braces.count("{") != braces.count("}") or gold.count("\\begin") != gold.count("\\end") or gold.count("\\frac{}") > 0


def _squeeze(text: str) -> str:
    """Return the text without spaces and without braces around a single character. `58, 500` stays different from `58,500`."""
    if text.isalnum():  # most answers are a whole number
        return text
    return _LONE.sub(r"\1", _SPACES.sub("", _DIGITS_APART.sub("~", _TWO_NUMBERS.sub(";", text))))


def _fault(error: BaseException) -> str | None:
    """Return the reason of an exception that says nothing of the answer: sympy's own recursion is too deep for Python."""
    return f"error: {type(error).__name__}" if isinstance(error, RecursionError) else None


def _has_known_unit(text: str) -> bool:
    """Return True for a value whose unit was converted: its case counts, because 5 mHz is not 5 MHz."""
    unit = parse_answer(text).unit
    return unit is not None and unit.known


def _fold(text: str) -> str:
    """Return the text as lower-case words without layout. A text that is not mostly words gets a prefix, so that it equals no words."""
    if text.isdecimal():
        return f"\0{text}"
    spaced = _DIGITS_APART.sub("~", _TEXT.sub(r" \1 ", text))
    plain = re.sub(r"[${}\s]|\\(?=\s)", "", spaced).rstrip(".")
    if not re.search(r"(?i)[a-z]{3}", plain) or re.search(r"\\|=", plain):
        return f"\0{text}"
    return plain if _is_product(spaced) else plain.casefold()


def _is_product(text: str) -> bool:
    """Return True for letters that are multiplied, whose case counts: 4abc and abc + 1, but not "north-east" and "3 red apples"."""
    return _OPERATED.search(text) is not None or (_MULTIPLIED.search(text) is not None and len(_LONG_WORD.findall(text)) < 2)
