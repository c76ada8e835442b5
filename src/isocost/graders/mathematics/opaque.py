r"""Replace notation that a reader of algebra would multiply out by letters: `u'`, `E(X^2)`, `\\frac{\\partial f}{\\partial x}`.

Equal notation gets the same letter on both sides, so `u'v + uv'` is `uv' + u'v`, and E(X^2) is not E(X)^2.
"""

from __future__ import annotations

import re

from isocost.graders.mathematics import expressions

_MOST = 24  # notations that are replaced in two texts: each is compared with the others
_DEEPEST = 12  # functions of functions
_SIGNS = re.compile(r"'|[(\[]|d[A-Za-z]|\\partial|\\[A-Z]")
# A letter that these bind is no variable, and the derivative of a letter would be 0.
_BINDER = re.compile(
    r"\\(?:sum|prod|i{1,3}nt|oint|lim|max|min|sup|inf|begin|nabla|bigcup|bigcap)(?![a-z])|\{(?:d|\\partial)(?:\^\{?\d\}?)?\s*\}"
)
_GREEK = r"\\(?:alpha|beta|gamma|delta|theta|mu|rho|sigma|tau|phi|psi|omega)(?![a-zA-Z])"
# The reader of sympy takes them for the small ones. \Gamma(x) is a function that it knows.
_CAPITAL = r"\\(?:Gamma(?!\s*\()|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega)(?![a-zA-Z])"
_OF = r"(?:d|\\partial\s*)(?:\^\s*\{?\s*\d\s*\}?\s*)?[A-Za-z]"
_BY = r"(?:(?:d|\\partial)\s*[A-Za-z](?:\s*\^\s*\{?\d\}?)?\s*){1,3}"
_OPERATOR = r"\\mathbb\s*\{[EP]\}|\\(?:text|operatorname)\s*\{[A-Z][a-z]*\}(?=[(\[])"
_TOKEN = re.compile(
    rf"""(?P<leibniz>\\frac\s*\{{\s*{_OF}\s*\}}\s*\{{\s*{_BY}\}}|(?:d|\\partial\s*)[A-Za-z]\s*/\s*(?:d|\\partial\s*)[A-Za-z](?![A-Za-z]))
    | (?P<name>[A-Za-z](?:_\s*(?:\w|\{{\w{{1,8}}\}}))?|{_GREEK}|(?P<capital>{_CAPITAL})|{_OPERATOR})
        (?P<primes>'*)(?P<inverse>\^\s*\{{?-1\}}?(?=\())?
    | \\text\s*\{{[^{{}}]*\}} | \\[A-Za-z]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[A-Za-z]")
_ALWAYS = frozenset("fghuFGHPOT")  # letters that name functions whatever stands in the brackets
_LONE = re.compile(r"\s*(?:[A-Za-z]|(?P<number>\d+))\s*")


def with_letters(gold: str, answer: str) -> tuple[str, str]:
    """Return two texts with letters for derivatives and for values of functions.

    A letter before brackets is a function if it usually names one, or if either text has it before a single letter: nobody writes a
    product as p(x). Sums, integrals and limits bind letters, so texts with them are returned as they are.
    """
    if not (_SIGNS.search(gold) or _SIGNS.search(answer)) or _BINDER.search(gold) or _BINDER.search(answer):
        return gold, answer
    functions = _functions(gold, answer)
    letters = _Letters(functions)
    one, other = letters.replaced(gold), letters.replaced(answer)
    return (one, other) if len(letters.found) <= _MOST else (gold, answer)


def _functions(gold: str, answer: str) -> frozenset[str]:
    """Return the names that both texts use for functions."""
    applied: list[set[str]] = []
    numbered: list[set[str]] = []
    for text in (gold, answer):
        applied.append(set())
        numbered.append(set())
        brackets = _brackets(text)
        for match in _TOKEN.finditer(text):
            end = brackets.get(match.end()) if match["name"] else None
            inside = _LONE.fullmatch(text, match.end() + 1, end) if end else None
            if inside and not match["inverse"]:
                (numbered if inside["number"] else applied)[-1].add(_squeezed(match["name"]))
    return frozenset(applied[0] | applied[1] | (numbered[0] & numbered[1]))


class _Letters:
    """Letters for notation, by name and arguments.

    Attributes:
        found: The names with their arguments, in the order of their letters.
    """

    def __init__(self, functions: frozenset[str]) -> None:
        self._functions = functions
        self.found: list[tuple[str, str]] = []

    def replaced(self, text: str, depth: int = 0) -> str:
        """Return the text with letters for its notation."""
        if depth > _DEEPEST:
            return text
        brackets = _brackets(text)
        pieces: list[str] = []
        position = 0
        while position < len(text) and (match := _TOKEN.match(text, position)):
            position = match.end()
            if match["leibniz"]:
                pieces.append(self._letter(_leibniz(match[0]), ""))
            elif match["name"]:
                end = brackets.get(position) if self._is_function(match) else None
                arguments = self.replaced(text[position + 1 : end], depth + 1) if end else ""
                position = end + 1 if end else position
                name = _squeezed(match["name"]) + match["primes"] + ("^" if match["inverse"] else "")
                pieces.append(self._letter(name, arguments) if end or match["primes"] or match["capital"] else match[0])
            else:
                pieces.append(match[0])
        return "".join(pieces)

    def _is_function(self, match: re.Match[str]) -> bool:
        name = _squeezed(match["name"])
        if match["inverse"]:
            return name in _ALWAYS
        return name in self._functions or name in _ALWAYS or not (match["capital"] or _PLAIN_NAME.fullmatch(name))

    def _letter(self, name: str, arguments: str) -> str:
        for number, (known, inside) in enumerate(self.found):
            if known == name and (_squeezed(inside) == _squeezed(arguments) or expressions.same(inside, arguments)):
                return f" {{J_{{{number}}}}} "
        if len(self.found) <= _MOST:
            self.found.append((name, arguments))
        return f" {{J_{{{len(self.found) - 1}}}}} "


def _brackets(text: str) -> dict[int, int]:
    """Return the positions of brackets that close, by those that they close; empty ones are left out."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for position, character in enumerate(text):
        if character in "([{":
            opened.append(position)
        elif character in ")]}" and opened:
            start = opened.pop()
            if text[start] + character in ("()", "[]") and position > start + 1:
                found[start] = position
    return found


def _leibniz(text: str) -> str:
    """Return a derivative such as `dy/dx` in one notation."""
    return re.sub(r"\\frac|[{}/\s]", "", text)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s{}]", "", text).removeprefix("\\text").removeprefix("\\operatorname").removeprefix("\\mathbb")
