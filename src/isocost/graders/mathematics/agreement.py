"""Compare two answers by shape and by all their values; a given function compares single values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase

from isocost.graders.mathematics.answer import Answer
from isocost.graders.mathematics.names import is_derivative, same_name, states_itself
from isocost.graders.mathematics.relations import is_relation
from isocost.graders.mathematics.times import is_likely_ratio, may_be_ratio

_UNORDERED = re.compile(r"\bor\b|\\pm(?![a-z])")
_LETTERS = re.compile(r"[A-Za-z]")
SameValue = Callable[[Answer, Answer], bool]
Parts = Sequence[Answer]


def equal(gold: Answer, answer: Answer, same_value: SameValue, *, any_order: bool = True) -> bool:
    """Return True if two answers have one shape and all their values agree; no part may be missing.

    Args:
        gold: The reference.
        answer: The answer to judge.
        same_value: Compares two values.
        any_order: If True, lists and sets are compared in any order.
    """
    return _Agreement(same_value, any_order).equal(gold, answer)


class _Agreement:
    def __init__(self, same_value: SameValue, any_order: bool) -> None:
        self._same_value, self._any_order = same_value, any_order

    def equal(self, gold: Answer, answer: Answer) -> bool:
        one, other = _relation(gold), _relation(answer)
        if gold.name and answer.name and not same_name(gold.name, answer.name):
            if is_derivative(gold.name) is not is_derivative(answer.name):
                return False  # y' = 2x is not y = 2x
            if "value" not in (gold.kind, answer.kind) and not (one and other and _share_letters(gold, answer)):
                return False  # x > 5 is not y > 5, nor a:b = 3:4 b:a = 3:4; but x > y is y < x
        if gold.name and not other and not answer.name and states_itself(gold.name, gold.text):
            return False
        # Two relations in different variables still agree if the ranges do, or if the relations are equal as written.
        if one and other and not same_name(gold.name, answer.name):
            ranges = gold.kind != "value" and gold.kind == answer.kind
            return (ranges and self._same_shape(gold, answer)) or self._same_text(one, other)
        return self._same_shape(gold, answer)

    def _same_shape(self, gold: Answer, answer: Answer) -> bool:
        kinds = {gold.kind, answer.kind}
        if kinds == {"time"}:
            return _same_time(gold, answer) or self._same_ratio(gold, answer)
        if kinds == {"time", "ordered"}:
            return self._proportional(gold, answer)
        if kinds == {"time", "value"}:
            time, value = (gold, answer) if gold.kind == "time" else (answer, gold)
            return may_be_ratio(time.text) and self._same_text(
                *(_quotient(side) if side is time else value.text for side in (gold, answer))
            )
        if kinds & {"time", "words"}:
            return gold.kind == answer.kind and gold.text.casefold() == answer.text.casefold()
        if kinds == {"value"}:
            return self._same_value(gold, answer)
        if "matrix" in (gold.brackets, answer.brackets) and "value" not in kinds:
            return self._same_matrix(gold, answer)
        if "value" in kinds:
            return self._value_and_more(gold, answer)
        if "ordered" in kinds:
            return self._in_order(gold, answer)
        return self._in_any_order(gold, answer)

    def _value_and_more(self, gold: Answer, answer: Answer) -> bool:
        """Compare one value with several."""
        one, more = (gold, answer) if gold.kind == "value" else (answer, gold)
        if len(more.parts) == 1 and more.kind == "set":
            return self.equal(one, more.parts[0])
        if more is answer and more.kind == "list" and all(self.equal(gold, part) for part in more.parts):
            return True  # "5/2, or 2.5"
        if more.decimal and (more is answer or more.text.startswith("0")):  # the reference 1,5 is a list
            return self._same_text(*(more.decimal if side is more else side.text for side in (gold, answer)))
        if more.brackets == "matrix" and "\\begin" in one.text:  # a sum or product of matrices
            return self._same_text(gold.text, answer.text)
        if more.brackets == "::" and len(more.parts) == 2:
            return self._same_text(one.text, _fraction(more.parts[0], more.parts[1]))
        return False

    def _in_order(self, gold: Answer, answer: Answer) -> bool:
        """Compare tuples, intervals and ratios. A list may answer a tuple, as `x=1, y=2` answers (1, 2), but a set may not."""
        if gold.kind != answer.kind:
            ordered, more = (gold, answer) if gold.kind == "ordered" else (answer, gold)
            if more.kind != "list" or not _is_point(ordered) or _UNORDERED.search(more.text):
                return False
            placed = _placed(more, _LETTERS.findall(ordered.name or ""))
            return self._one_by_one(*(placed if side is more else side.parts for side in (gold, answer)))
        if gold.brackets == answer.brackets == "::":
            return self._proportional(gold, answer)
        return gold.brackets == answer.brackets and self._one_by_one(gold.parts, answer.parts)

    def _in_any_order(self, gold: Answer, answer: Answer) -> bool:
        if gold.decimal and answer.decimal and gold.text.startswith("0") and self._same_text(gold.decimal, answer.decimal):
            return True  # 0,5 and 0,50
        ours, theirs = _names(gold.parts), _names(answer.parts)
        if ours and theirs and (ours.keys() == theirs.keys() or not _are_inequalities([*gold.parts, *answer.parts])):
            # x = 1, y = 2 against y = 2, x = 1; but x < y, y < z against y > x, z > y is compared below
            return ours.keys() == theirs.keys() and all(self.equal(part, theirs[name]) for name, part in ours.items())
        if bool(ours) is not bool(theirs) or (not self._any_order and gold.kind != "union"):
            return self._one_by_one(gold.parts, answer.parts)
        # Equality is transitive, so taking the first partner that fits never prevents a complete matching.
        left = list(answer.parts) if len(gold.parts) == len(answer.parts) else []
        for part in gold.parts:
            partner = next((i for i, other in enumerate(left) if self.equal(part, other)), None)
            if partner is None:
                return False
            left.pop(partner)
        return True

    def _same_matrix(self, gold: Answer, answer: Answer) -> bool:
        """Compare row by row. A matrix of one column or row also agrees with a tuple."""
        ours, theirs = _rows(gold), _rows(answer)
        if ours is None or theirs is None:
            return False
        if "()" in (gold.brackets, answer.brackets):
            if all(min(len(rows), len(rows[0])) == 1 for rows in (ours, theirs)):
                return self._one_by_one(*([cell for row in rows for cell in row] for rows in (ours, theirs)))
            return False
        return len(ours) == len(theirs) and all(self._one_by_one(g, a) for g, a in zip(ours, theirs, strict=True))

    def _proportional(self, gold: Answer, answer: Answer) -> bool:
        """Compare ratios: 2:3 is 4:6. What was read as a time of day may be a ratio."""
        ours, theirs = (part.parts if part.kind == "ordered" else _ratio(part) for part in (gold, answer))
        if len(ours) != len(theirs) or "::" not in (gold.brackets, answer.brackets):
            return False
        if self._one_by_one(ours, theirs):
            return True
        if any(part.kind == "time" and not may_be_ratio(part.text) for part in (gold, answer)):
            return False  # 12:00 is not 5:0, though 0/12 is 0/5
        return all(self._same_text(_fraction(g, ours[0]), _fraction(a, theirs[0])) for g, a in zip(ours[1:], theirs[1:], strict=True))

    def _same_ratio(self, gold: Answer, answer: Answer) -> bool:
        """Compare two texts that may be times as ratios: a reference in lowest terms is answered by its multiples, 3:20 by 6:40."""
        return is_likely_ratio(gold.text) and may_be_ratio(answer.text) and self._same_text(_quotient(gold), _quotient(answer))

    def _one_by_one(self, gold: Parts, answer: Parts) -> bool:
        return len(gold) == len(answer) and all(self.equal(g, a) for g, a in zip(gold, answer, strict=True))

    def _same_text(self, gold: str, answer: str) -> bool:
        return self._same_value(Answer(kind="value", text=gold), Answer(kind="value", text=answer))


def _relation(answer: Answer) -> str | None:
    return answer.relation or (answer.text if answer.kind == "value" and is_relation(answer.text) else None)


def _names(parts: Parts) -> dict[str, Answer]:
    """Return the parts by name if each has its own; x_1 and x_2 are numbered, not named."""
    found = {part.name: part for part in parts if part.name}
    numbered = len({name.partition("_")[0] for name in found}) < len(found)
    return found if 1 < len(found) == len(parts) and not numbered else {}


def _placed(answer: Answer, order: list[str]) -> Parts:
    """Return the parts of a list in order: if it names neighbours of the alphabet, such as `y=1, x=2`, in the order of their names.

    Args:
        answer: The list.
        order: The letters of the tuple that it is compared with, as `(y, x) = (1, 2)` gives them.
    """
    named = _names(answer.parts)
    if sorted(named) == sorted(order):
        return [named[letter] for letter in order] if named else answer.parts
    letters = "".join(sorted(named))
    if len(letters) != len(named) or letters not in ascii_lowercase:  # theta and r, or n and k: no order is agreed on
        return answer.parts
    return [named[letter] for letter in letters] if named else answer.parts


def _rows(answer: Answer) -> list[Parts] | None:
    if answer.brackets == "matrix":
        return [row.parts for row in answer.parts]
    if answer.brackets == "[]" and all(part.brackets == "[]" for part in answer.parts):
        return [row.parts for row in answer.parts]
    return [answer.parts] if answer.brackets == "()" else None


def _is_point(ordered: Answer) -> bool:
    """Return True for a tuple as written: an inequality, a set and `x \\in (2, 5)` state an interval, which no list of values answers."""
    is_member = ordered.name is not None and ordered.relation is None
    return ordered.brackets == "()" and ordered.text.startswith("(") and not is_member


def _ratio(time: Answer) -> Parts:
    return [Answer(kind="value", text=part) for part in time.text.split(":")]


def _quotient(time: Answer) -> str:
    """Return a ratio of two terms that was read as a time as a fraction; one of three terms is left as written."""
    terms = _ratio(time)
    return _fraction(*terms) if len(terms) == 2 else time.text


def _share_letters(gold: Answer, answer: Answer) -> bool:
    """Return True if two ranges are inequalities between the same letters: x > y and y < x."""
    ranges = {gold.kind, answer.kind} == {"ordered"}
    return ranges and all(str(name) in str(side.relation) for name in (gold.name, answer.name) for side in (gold, answer))


def _are_inequalities(parts: Parts) -> bool:
    return all(part.kind == "ordered" and part.relation for part in parts)


def _fraction(top: Answer, bottom: Answer) -> str:
    return f"\\frac{{{top.text}}}{{{bottom.text}}}"


def _same_time(gold: Answer, answer: Answer) -> bool:
    # 3:30 is 3:30 pm where only one side says which half of the day, else the halves must agree.
    half_day = {gold.brackets, answer.brackets} - {""}
    seconds = [int(part.text) for part in (gold.parts[0], answer.parts[0])]
    return len(half_day) < 2 and (seconds[0] == seconds[1] or (len(half_day) == 1 and abs(seconds[0] - seconds[1]) == 12 * 3600))
