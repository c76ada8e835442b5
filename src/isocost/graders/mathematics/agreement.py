"""Whether two answers agree in shape and in all their values; single values are compared by a function that is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isocost.graders.mathematics.relations import is_relation
from isocost.graders.mathematics.shapes import Answer

SameValue = Callable[[Answer, Answer], bool]


def equal(gold: Answer, answer: Answer, same_value: SameValue, *, any_order: bool = True) -> bool:
    """Whether two answers are of one shape and all their values agree; no part may be missing.

    Args:
        gold: The reference.
        answer: What was answered.
        same_value: Compares two values.
        any_order: Whether lists and sets are compared without regard to order.
    """

    def same(one: Answer, other: Answer) -> bool:
        return equal(one, other, same_value, any_order=any_order)

    if gold.relation and answer.relation and gold.kind != answer.kind:
        return same_value(Answer(kind="value", text=gold.relation), Answer(kind="value", text=answer.relation))
    if {gold.kind, answer.kind} & {"time", "words"}:
        return _same_wording(gold, answer)
    if gold.kind == answer.kind == "value":
        return same_value(gold, answer)
    if "value" in (gold.kind, answer.kind):
        return _value_and_more(gold, answer, same_value)
    if gold.kind == answer.kind == "ordered":
        return gold.brackets == answer.brackets and _in_order(gold.parts, answer.parts, same)
    if {gold.kind, answer.kind} == {"list", "ordered"}:  # `x=1, y=2` against `(1, 2)`: the order is what tells the two apart
        ordered = gold if gold.kind == "ordered" else answer
        return ordered.brackets == "()" and _in_order(gold.parts, answer.parts, same)
    return (_in_any_order if any_order or gold.kind == "union" else _in_order)(gold.parts, answer.parts, same)


def _same_wording(gold: Answer, answer: Answer) -> bool:
    if gold.kind != answer.kind:
        return False
    if gold.kind == "words":
        return gold.text.casefold() == answer.text.casefold()
    half_day = {gold.brackets, answer.brackets} - {""}
    seconds = [int(part.text) for part in (gold.parts[0], answer.parts[0])]
    return len(half_day) < 2 and (seconds[0] == seconds[1] or (len(half_day) == 1 and abs(seconds[0] - seconds[1]) == 12 * 3600))


def _value_and_more(gold: Answer, answer: Answer, same_value: SameValue) -> bool:
    """One value against several: a decimal comma, a ratio written as a fraction, or an equation against a range."""
    one, more = (gold, answer) if gold.kind == "value" else (answer, gold)
    if more.kind == "list" and more is answer and all(equal(gold, part, same_value) for part in more.parts):
        return True  # "5/2, or 2.5"
    if more.brackets == "matrix" and "\\begin" in one.text:  # a sum or product of matrices
        return same_value(Answer(kind="value", text=gold.text), Answer(kind="value", text=answer.text))
    if more.decimal:
        return same_value(one, Answer(kind="value", text=more.decimal))
    if more.brackets == "::" and len(more.parts) == 2 and all(part.kind == "value" for part in more.parts):
        return same_value(one, Answer(kind="value", text=f"\\frac{{{more.parts[0].text}}}{{{more.parts[1].text}}}"))
    if more.relation and one.text and is_relation(one.text):
        return same_value(one, Answer(kind="value", text=more.relation))
    return False


def _in_order(gold: Sequence[Answer], answer: Sequence[Answer], same: Callable[[Answer, Answer], bool]) -> bool:
    return len(gold) == len(answer) and all(same(g, a) for g, a in zip(gold, answer, strict=True))


def _in_any_order(gold: Sequence[Answer], answer: Sequence[Answer], same: Callable[[Answer, Answer], bool]) -> bool:
    # Equality is transitive, so taking the first partner that fits never spoils a match that exists.
    if len(gold) != len(answer):
        return False
    left = list(answer)
    for part in gold:
        partner = next((i for i, other in enumerate(left) if same(part, other)), None)
        if partner is None:
            return False
        left.pop(partner)
    return True
