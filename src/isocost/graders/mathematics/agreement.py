"""Compare two answers by shape and by all their values; a given function compares single values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase

from isocost.graders.mathematics.relations import is_relation
from isocost.graders.mathematics.shapes import Answer

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
        if "value" not in (gold.kind, answer.kind) and gold.name and answer.name and not _same_name(gold.name, answer.name):
            return False  # x > 5 is not y > 5, nor a:b = 3:4 b:a = 3:4
        # Two relations in different variables still agree if the ranges do (x > 5, n > 5) or if the relations are equal as written.
        one, other = _relation(gold), _relation(answer)
        if one and other and not _same_name(gold.name, answer.name):
            ranges = gold.kind != "value" and gold.kind == answer.kind
            return (ranges and self._same_shape(gold, answer)) or self._same_text(one, other)
        return self._same_shape(gold, answer)

    def _same_shape(self, gold: Answer, answer: Answer) -> bool:
        kinds = {gold.kind, answer.kind}
        if "time" in kinds and kinds <= {"time", "ordered"}:
            return _same_time(gold, answer) if kinds == {"time"} else self._proportional(gold, answer)
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
        if more is answer and more.decimal:
            return self._same_text(gold.text, more.decimal)
        if more.brackets == "matrix" and "\\begin" in one.text:  # a sum or product of matrices
            return self._same_text(gold.text, answer.text)
        if more.brackets == "::" and len(more.parts) == 2:
            return self._same_text(one.text, _fraction(more.parts[0], more.parts[1]))
        return False

    def _in_order(self, gold: Answer, answer: Answer) -> bool:
        """Compare tuples, intervals and ratios. A list may answer a tuple, as `x=1, y=2` answers (1, 2), but a set may not."""
        if gold.kind != answer.kind:
            ordered = gold if gold.kind == "ordered" else answer
            return "list" in (gold.kind, answer.kind) and ordered.brackets == "()" and self._one_by_one(_placed(gold), _placed(answer))
        if gold.brackets == answer.brackets == "::":
            return self._proportional(gold, answer)
        return gold.brackets == answer.brackets and self._one_by_one(gold.parts, answer.parts)

    def _in_any_order(self, gold: Answer, answer: Answer) -> bool:
        ours, theirs = _names(gold.parts), _names(answer.parts)
        if ours and theirs:  # x = 1, y = 2 against y = 2, x = 1
            return ours.keys() == theirs.keys() and all(self.equal(part, theirs[name]) for name, part in ours.items())
        if ours or theirs or (not self._any_order and gold.kind != "union"):
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
        return all(self._same_text(_fraction(g, ours[0]), _fraction(a, theirs[0])) for g, a in zip(ours[1:], theirs[1:], strict=True))

    def _one_by_one(self, gold: Parts, answer: Parts) -> bool:
        return len(gold) == len(answer) and all(self.equal(g, a) for g, a in zip(gold, answer, strict=True))

    def _same_text(self, gold: str, answer: str) -> bool:
        return self._same_value(Answer(kind="value", text=gold), Answer(kind="value", text=answer))


def _relation(answer: Answer) -> str | None:
    return answer.relation or (answer.text if answer.kind == "value" and is_relation(answer.text) else None)


def _same_name(one: str | None, other: str | None) -> bool:
    """Return True if both give their value to the same name; `y` also matches any function."""
    if one is None or other is None:
        return False
    plain = {name.replace("{", "").replace("}", "") for name in (one, other)}
    if len(plain) == 2 and any(name.partition("_")[0] in plain and "_" in name for name in plain):
        return True  # x_1 and x_2 are x
    return len(plain) == 1 or ("y" in plain and any(re.fullmatch(r"[A-Za-z]\([a-z]\)", name) for name in plain))


def _names(parts: Parts) -> dict[str, Answer]:
    """Return the parts by name if each has its own; x_1 and x_2 are numbered, not named."""
    found = {part.name: part for part in parts if part.name}
    numbered = len({name.partition("_")[0] for name in found}) < len(found)
    return found if 1 < len(found) == len(parts) and not numbered else {}


def _placed(answer: Answer) -> Parts:
    """Return the parts in order: of a list that names neighbours of the alphabet, such as `y=1, x=2`, in the order of their names."""
    named = _names(answer.parts) if answer.kind == "list" else {}
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


def _ratio(time: Answer) -> Parts:
    return [Answer(kind="value", text=part) for part in time.text.split(":")]


def _fraction(top: Answer, bottom: Answer) -> str:
    return f"\\frac{{{top.text}}}{{{bottom.text}}}"


def _same_time(gold: Answer, answer: Answer) -> bool:
    # 3:30 is 3:30 pm where only one side says which half of the day, else the halves must agree.
    half_day = {gold.brackets, answer.brackets} - {""}
    seconds = [int(part.text) for part in (gold.parts[0], answer.parts[0])]
    return len(half_day) < 2 and (seconds[0] == seconds[1] or (len(half_day) == 1 and abs(seconds[0] - seconds[1]) == 12 * 3600))
