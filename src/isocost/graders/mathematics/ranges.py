r"""Inequalities in one variable as the intervals they describe: `x > 5` is (5, \\infty), `1 < |x| \\le 3` is [-3, -1) and (1, 3]."""

from __future__ import annotations

import re

Interval = tuple[str, str, str]  # lower end, upper end, brackets

_RELATION = re.compile(r"(<|>|\\le(?![a-z])|\\ge(?![a-z]))")
GREEK = r"\\(?:alpha|beta|gamma|delta|epsilon|theta|lambda|mu|rho|sigma|tau|phi|varphi|psi|omega)(?![a-zA-Z])"
_VARIABLE = re.compile(rf"(?:[a-zA-Z]|{GREEK})(?:_\{{?\w+\}}?)?(?:\([a-zA-Z]\))?")
_ABSOLUTE = re.compile(rf"(?:\||\\[lr]?vert\b)\s*([a-zA-Z]|{GREEK})\s*(?:\||\\[lr]?vert\b)")
_LETTER = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]")
_BELOW = ("<", "\\le")
_TURNED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}


def as_range(text: str) -> tuple[Interval, ...] | None:
    """Return the intervals, or None for any other text. The bounds may contain letters, but not the variable."""
    pieces = [piece.strip() for piece in _RELATION.split(text)]
    if len(pieces) == 3:
        left, relation, right = pieces
        if not _is_variable(left):
            left, relation, right = right, _TURNED[relation], left
        return _one_sided(left, relation, right) if _is_variable(left) and _is_bound(right, left) else None
    if len(pieces) == 5 and _is_variable(pieces[2]) and (pieces[1] in _BELOW) is (pieces[3] in _BELOW):
        low, first, name, second, high = pieces
        if first not in _BELOW:
            low, first, second, high = high, _TURNED[second], _TURNED[first], low
        return _two_sided(low, first, name, second, high) if _is_bound(low, name) and _is_bound(high, name) else None
    return None


def variable_of(text: str) -> str | None:
    """Return the variable of an inequality that `as_range` reads."""
    pieces = [piece.strip() for piece in _RELATION.split(text)]
    if len(pieces) == 5:  # a < x < b
        return pieces[2].strip("|")
    return next((piece.strip("|") for piece in pieces if _is_variable(piece)), None)


def _is_variable(text: str) -> bool:
    return bool(_VARIABLE.fullmatch(text) or _ABSOLUTE.fullmatch(text))


def _is_bound(text: str, name: str) -> bool:
    letter = _LETTER.search(name)
    return bool(text) and (letter is None or letter[0] not in _LETTER.findall(text)) and not re.search(r"[=,;]", text)


def _one_sided(name: str, relation: str, bound: str) -> tuple[Interval, ...] | None:
    closed = relation in ("\\le", "\\ge")
    below = relation in _BELOW
    if _ABSOLUTE.fullmatch(name):
        inner = (_negate(bound), bound, "[]" if closed else "()")
        outer = (("-\\infty", _negate(bound), "(]" if closed else "()"), (bound, "\\infty", "[)" if closed else "()"))
        return (inner,) if below else outer
    if below:
        return (("-\\infty", bound, "(]" if closed else "()"),)
    return ((bound, "\\infty", "[)" if closed else "()"),)


def _two_sided(low: str, first: str, name: str, second: str, high: str) -> tuple[Interval, ...]:
    opening, closing = "(" if first == "<" else "[", ")" if second == "<" else "]"
    if not _ABSOLUTE.fullmatch(name):
        return ((low, high, opening + closing),)
    turned = {"(": ")", "[": "]", ")": "(", "]": "["}
    return ((_negate(high), _negate(low), turned[closing] + turned[opening]), (low, high, opening + closing))


def _negate(bound: str) -> str:
    if bound.startswith("-") and not re.search(r"[-+]", bound[1:]):
        return bound[1:].strip()
    return f"-({bound})" if re.search(r"[-+]", bound) else f"-{bound}"
