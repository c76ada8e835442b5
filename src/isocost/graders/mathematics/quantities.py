"""Compare values with their units and percent signs, under the conventions, for all graders."""

from __future__ import annotations

from collections.abc import Callable

from isocost.graders.conventions import Conventions
from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.numbers import DEGREE, same_number, times
from isocost.graders.mathematics.units import Unit, same_measure

_GENERIC = {"unit", "square", "cubic", "total", "the", "of"}  # words of a unit that say nothing of its kind


def same_quantity(gold: Answer, answer: Answer, conventions: Conventions, same_text: Callable[[str, str], bool]) -> bool:
    """Return True if a value answers for another under the conventions.

    Args:
        gold: The reference.
        answer: The answer to judge.
        conventions: The treatment of units and percent.
        same_text: Compares two values without units and percent signs.
    """
    if gold.short_unit or answer.short_unit:
        gold, answer = _unit_read(gold, answer), _unit_read(answer, gold)
    if conventions.units == "require" and (gold.unit is None) is not (answer.unit is None):
        return False
    if conventions.units != "ignore" and gold.unit and answer.unit and gold.unit != answer.unit:
        if gold.unit.known and answer.unit.known:
            return _same_measure(gold, answer)
        if _is_other_case(gold.unit, answer.unit):
            return False
        if conventions.units == "require" or not _overlap(gold.unit.words, answer.unit.words):
            return False
    if (gold.percent and answer.unit and answer.unit.known) or (answer.percent and gold.unit and gold.unit.known):
        return False
    if gold.percent is answer.percent and _radians_and_degrees(gold, answer):
        return _same_angle(gold, answer)
    if gold.percent is answer.percent:
        return same_text(gold.text, answer.text)
    as_value = same_text(*(f"\\frac{{{side.text}}}{{100}}" if side.percent else side.text for side in (gold, answer)))
    # A reference below one is a share, so the sign is not decoration: 0.5% does not answer 0.5.
    size = expressions.constant(gold.text) if answer.percent else None
    is_share = size is not None and -1 < size < 1
    return as_value or (conventions.percent == "forgive" and not is_share and same_text(gold.text, answer.text))


def _overlap(one: str, other: str) -> bool:
    """Return True if the words of unknown units agree, or one adds words: apples and red apples, but not boys and girls."""
    ours, theirs = ({word.removesuffix("s") for word in words.split()} - _GENERIC for words in (one, other))
    return ours <= theirs or theirs <= ours


def _is_other_case(one: Unit, other: Unit) -> bool:
    """Return True for a known unit and an unknown one that differs from it by capitals: nm and Nm, m and M, but not kPa and kpa."""
    unknown = other if one.known else one
    return one.known is not other.known and one.words == other.words and unknown.written != unknown.words


def _same_measure(gold: Answer, answer: Answer) -> bool:
    a, b = expressions.constant(gold.text), expressions.constant(answer.text)
    return bool(gold.unit and answer.unit and a is not None and b is not None and same_measure(a, gold.unit, b, answer.unit))


def _radians_and_degrees(gold: Answer, answer: Answer) -> bool:
    """Return True if one is in degrees and the other a multiple of pi."""
    return any(_is_in_degrees(one) and other.unit is None and "\\pi" in other.text for one, other in ((gold, answer), (answer, gold)))


def _is_in_degrees(answer: Answer) -> bool:
    return answer.unit is not None and answer.unit.dimension == (("angle", 1),) and answer.unit.size == 1


def _same_angle(gold: Answer, answer: Answer) -> bool:
    """Compare degrees with radians: 90 degrees are pi/2."""
    degrees, radians = (gold, answer) if _is_in_degrees(gold) else (answer, gold)
    a, b = expressions.constant(degrees.text), expressions.constant(radians.text)
    return a is not None and b is not None and same_number(times(a, DEGREE), b)


def _unit_read(answer: Answer, other: Answer) -> Answer:
    """Decide whether `10m` is ten metres or ten times m: it is a product if the other side contains variables."""
    if answer.short_unit is None:
        return answer
    expression = None if other.short_unit else expressions.read(other.text)
    if expression is not None and expression.symbols:
        return answer
    if other.unit is None and other.short_unit is None and answer.text[-1:].isalpha() and answer.text[-2:-1].isdigit():
        return answer  # 5s is a product, where neither side has a unit
    return Answer(kind="value", text=answer.short_unit[0], unit=answer.short_unit[1])
