"""LaTeX of models as MathML: converted by a library, then rebuilt from an allow-list. What does not pass stays as the model wrote it."""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree import ElementTree

from markupsafe import Markup, escape

from isocost.viewer.visible import visible

LONGEST = 2000  # characters of a formula
DEEPEST = 50  # braces within braces
_ELEMENTS = (
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msup msub msubsup mover munder munderover mtable mtr mtd mstyle mpadded mphantom "
    "menclose"
)
_ATTRIBUTES = (
    "display displaystyle scriptlevel mathvariant stretchy fence separator form accent accentunder columnalign linethickness notation "
    "lspace rspace width height depth minsize maxsize largeop movablelimits symmetric"
)
_ALLOWED_ELEMENTS, _ALLOWED_ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
_VALUE = re.compile(r"[\w.+\-% ]{1,24}")
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


@lru_cache(maxsize=4096)
def mathml(latex: str, *, block: bool = False) -> Markup | None:
    """Return a formula as MathML of the allowed elements and attributes; None if it is too long or deep, wrong, or has anything else.

    Args:
        latex: The formula without its delimiters.
        block: Whether it stands by itself.
    """
    if len(latex) > LONGEST or _depth(latex) > DEEPEST:
        return None
    from latex2mathml.converter import convert

    try:
        text = convert(latex, display="block" if block else "inline")
        if "<!" in text:
            return None
        return Markup(_rebuilt(ElementTree.fromstring(text)))
    # The library fails on wrong LaTeX in many ways, among them IndexError and RecursionError; the formula is then shown as it was written.
    except Exception:  # noqa: BLE001
        return None


def _depth(latex: str) -> int:
    """Return how deep braces, brackets and environments are nested, counted without regard to which closes which."""
    depth = deepest = 0
    for found in re.findall(r"\\begin|\\end|\\left|\\right|\\.|[{}\[\]]", latex, flags=re.DOTALL):
        depth += found in ("{", "[", "\\begin", "\\left")
        depth -= found in ("}", "]", "\\end", "\\right")
        deepest = max(deepest, depth)
    return deepest


def _rebuilt(element: ElementTree.Element) -> str:
    """Write an element anew.

    Raises:
        ValueError: it, an attribute or an element within is not allowed.
    """
    name = element.tag.removeprefix(_NAMESPACE)
    if name not in _ALLOWED_ELEMENTS:
        raise ValueError(f"element {name}")
    attributes = []
    for key, value in element.attrib.items():
        if key not in _ALLOWED_ATTRIBUTES or not _VALUE.fullmatch(value):
            raise ValueError(f"attribute {key}")
        attributes.append(f' {key}="{value}"')
    inside = escape(visible(element.text or "")) + Markup("").join(
        Markup(_rebuilt(child)) + escape(visible(child.tail or "")) for child in element
    )
    return f"<{name}{''.join(attributes)}>{inside}</{name}>"
