r"""Compare the order of vectors and matrices in products: `\\mathbf{A}\\mathbf{B}` is not `\\mathbf{B}\\mathbf{A}`."""

from __future__ import annotations

import re
from collections import Counter

_BOLD = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|bf|vec|overrightarrow)(?:\s*\{\s*(?:\\(?:mathrm|mathit)\s*)?([A-Za-z])\s*\}|\s+([A-Za-z])(?![A-Za-z]))"
)
_VECTOR = re.compile(r"\\vec\s*(?:\{\s*([A-Za-z])\s*\}|([A-Za-z])(?![A-Za-z]))")
_POWER = r"\s*+(?:\^\s*+(?:\{[^{}]*+\}|\w)\s*+)?"
_PRODUCT = re.compile(rf"\\vec\{{[A-Za-z]\}}{_POWER}\)?+\s*+(?:\\(?:cdot|times)\s*+)?\(?+\s*+\\vec\{{")
_TERMS = re.compile(r"[-+=,;<>]|\\(?:pm|mp|le|ge|ne)(?![a-z])")
_FACTORS = re.compile(
    r"\\(?P<dot>cdot)(?![a-z])|\\(?P<cross>times)(?![a-z])|\\[A-Za-z]+|(?P<letter>[A-Za-z])\s*(?P<power>\^\s*(?:\{[^{}]*+\}|\w))?"
)
_SIGN_OF_POWER = re.compile(r"(\^\s*\{\s*)-")  # of an inverse, which begins no term


def with_vectors(text: str) -> str:
    r"""Return a product of bold letters with `\\vec` for each; any other text as it is, because bold type says nothing there."""
    if "\\mathbf" not in text and "\\b" not in text:
        return text
    marked = _BOLD.sub(lambda match: f"\\vec{{{match[1] or match[2]}}}", text)
    return marked if _PRODUCT.search(marked) else text


def is_another_order(gold: str, answer: str) -> bool:
    r"""Return True if two texts multiply the same vectors in another order, or by another product.

    Terms are compared as written: scalar products in any order, other products in the order of their factors.
    """
    names = {match[1] or match[2] for text in (gold, answer) for match in _VECTOR.finditer(text)}
    if not (_has_product(gold) or _has_product(answer)):
        return False
    ours, theirs = (_terms(text, names) for text in (gold, answer))
    return Counter(map(_sorted_letters, ours)) == Counter(map(_sorted_letters, theirs)) and Counter(ours) != Counter(theirs)


def without_vectors(text: str) -> str:
    r"""Return the text with plain letters for vectors."""
    return _VECTOR.sub(lambda match: f" {match[1] or match[2]} ", text)


def _has_product(text: str) -> bool:
    return "\\vec" in text and _PRODUCT.search(_BOLD.sub(lambda match: f"\\vec{{{match[1] or match[2]}}}", text)) is not None


def _terms(text: str, names: set[str]) -> list[tuple[str, ...]]:
    """Return the vectors and products of each term in order; the sides of a scalar product are sorted."""
    terms = _TERMS.split(_SIGN_OF_POWER.sub(r"\1~", without_vectors(text)))
    return [tuple(sorted(_sides(term, names))) for term in terms]


def _sides(term: str, names: set[str]) -> list[str]:
    sides = [""]
    for match in _FACTORS.finditer(term):
        if match["dot"]:
            sides.append("")
        elif match["cross"]:
            sides[-1] += "\N{MULTIPLICATION SIGN}" * bool(sides[-1])
        elif match["letter"] in names:
            sides[-1] += match["letter"] + re.sub(r"[\s{}]", "", match["power"] or "")
    return [side.removesuffix("\N{MULTIPLICATION SIGN}") for side in sides if side]


def _sorted_letters(sides: tuple[str, ...]) -> str:
    return "".join(sorted("".join(sides).replace("\N{MULTIPLICATION SIGN}", "")))
