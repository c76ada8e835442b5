r"""Names that a value is given to: `x`, `f(x)`, `AB`, derivatives such as `f'(x)` and `\\frac{dy}{dx}`."""

from __future__ import annotations

import re

from isocost.graders.mathematics.bound import occurs

# Names that a value is given to: x, x_1, f(x), f(x, y), (x, y), AB, \theta.
_NAMED = re.compile(
    r"[A-Za-z](?:_\{?[\w,]+\}?)?(?:\([a-zA-Z](?:,\s*[a-zA-Z])*\))?|\([A-Za-z](?:\s*,\s*[A-Za-z])+\)|[A-Z]{2}|\\(?!log|l[ng]|exp)[a-z]{2,}"
)
_ARGUMENTS = r"(?:\((?P<of>[A-Za-z](?:,[A-Za-z])*)\))?"
_PRIMED = re.compile(rf"(?P<name>[A-Za-z])(?:_\{{?\w\}}?)?(?:(?P<primes>'+)|\^\{{?\((?P<order>\d)\)\}}?){_ARGUMENTS}")
_LEIBNIZ = re.compile(
    rf"\\frac\{{(?:d|\\partial)(?:\^\{{?(?P<order>\d)\}}?)?(?P<name>[A-Za-z]){_ARGUMENTS}\}}"
    r"\{(?:d|\\partial)(?P<by>[A-Za-z])(?:\^\{?(?P<power>\d)\}?)?\}"
)
_DOTTED = re.compile(r"\\(?P<dots>d{1,2})ot\{?(?P<name>[A-Za-z])\}?")
# An operator and what it is applied to: \frac{d}{dx}(x^2). The inverse of a function: f^{-1}(x).
_OPERATED = re.compile(
    r"\\frac\{(?:d|\\partial)(?:\^\{?\d\}?)?\}\{(?:d|\\partial)[A-Za-z](?:\^\{?\d\}?)?\}[^=]+|[A-Za-z]\^\{?-1\}?\([A-Za-z]\)"
)
_SUM = re.compile(r"(?<=[^({])[-+]")
_OF_ANY = re.compile(r"'(?!'|\(-?[\d.\\])|\\frac\{(?:d|\\partial)[\^A-Za-z]")
_FUNCTION = re.compile(r"[A-Za-z]\([a-z]\)")


class _Derivative:
    """A derivative: of a function, so many times, by or of a variable where that is written."""

    def __init__(self, function: str, order: int, variable: str | None) -> None:
        self.function, self.order, self.variable = function, order, variable


def is_name(side: str) -> bool:
    """Return True if a side of an equation, without spaces, is a name or a derivative."""
    return _NAMED.fullmatch(side) is not None or is_derivative(side)


def is_derivative(name: str) -> bool:
    """Return True for a derivative, or another operator with what it is applied to."""
    return _derivative(name) is not None or _OPERATED.fullmatch(name) is not None


def is_differential(side: str) -> bool:
    """Return True if a side is a sum with a derivative as a function, as of a differential equation: y'' + y, but not f'(2) + 1."""
    return _SUM.search(side) is not None and _OF_ANY.search(side) is not None


def same_name(one: str | None, other: str | None) -> bool:
    """Return True if both give their value to the same name; `y` also matches any function, `y'` its derivative."""
    if one is None or other is None:
        return False
    plain = {name.replace("{", "").replace("}", "") for name in (one, other)}
    if len(plain) == 1:
        return True
    first, second = _derivative(one), _derivative(other)
    if first or second:
        return bool(first and second and _same_derivative(first, second))
    if any(name.partition("_")[0] in plain and "_" in name for name in plain):
        return True  # x_1 and x_2 are x
    return "y" in plain and any(_FUNCTION.fullmatch(name) for name in plain)


def states_itself(name: str, side: str) -> bool:
    """Return True for a derivative whose function is in the other side too: y' = y is a differential equation, and y is no value of it."""
    derivative = _derivative("".join(name.split()))
    return derivative is not None and occurs(derivative.function, side)


def with_variable(name: str, side: str) -> str:
    """Return y' = 2x as y'(x): the name of a derivative with the variable that its other side shows."""
    found = _PRIMED.fullmatch(name)
    letter = next((letter for letter in "xt" if occurs(letter, side)), None) if found else None
    return name if found is None or found["of"] or letter in (None, found["name"]) else f"{name}({letter})"


def _derivative(name: str) -> _Derivative | None:
    if found := _PRIMED.fullmatch(name):
        return _Derivative(found["name"], len(found["primes"] or "") or int(found["order"]), found["of"])
    if found := _LEIBNIZ.fullmatch(name):
        same_order = (found["order"] or "1") == (found["power"] or "1")
        return _Derivative(found["name"], int(found["order"] or 1), found["by"]) if same_order else None
    if found := _DOTTED.fullmatch(name):
        return _Derivative(found["name"], len(found["dots"]), "t")
    return None


def _same_derivative(one: _Derivative, other: _Derivative) -> bool:
    if one.order != other.order or (one.variable and other.variable and one.variable != other.variable):
        return False
    # y stands for the value of a function, but not for another coordinate: x'(t) is not y'(t)
    functions = {one.function, other.function}
    return len(functions) == 1 or ("y" in functions and bool(functions & {*"fghFGH"}))
