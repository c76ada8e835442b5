r"""Words for "and" and "or" in the languages that the graders know, between values or boxes: `1 \text{ oder } 2`, `1 或 2`."""

from __future__ import annotations

import re

# Short words are only read inside \text{}: between values e, i, o, u and y are variables.
_SHORT_AND = "y|e|i|a|u|و|и|και"
_SHORT_OR = "o|ou|ή"
_AND = "and|et|und|en|och|og|oraz|și|si|ve|dan|và"
_OR = "or|oder|eller|of|lub|nebo|sau|veya|atau|hoặc|или|либо"
_DENSE_AND = "以及|和|与|與|及|且|および|かつ|と|그리고|및|와|과|और|एवं|এবং"  # of scripts without spaces, or with endings
_DENSE_OR = "或者|或|または|もしくは|또는|혹은|या|অথবা|أو"

_IN_TEXT = re.compile(
    r"(?<=[\w)}\]$%!])\s*\\(?:text|mbox|textrm)\s*\{(?:\s*,?\s*"
    rf"(?:(?P<all>{_AND}|{_DENSE_AND})|(?:{_OR}|{_DENSE_OR}))\s*|\s+(?:(?P<every>{_SHORT_AND})|(?:{_SHORT_OR}))\s+)\}}(?=\s*\S)",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"(?:(?<=[\d)}}\]$])|(?<=\b[a-zA-Z]))(?:\s+(?:(?P<all>et|und|oraz|ve|dan|và)|(?:oder|eller|lub|nebo|sau|veya|atau|hoặc|или|ou))\s+"
    rf"|\s*(?:(?P<dense>{_DENSE_AND}|(?<=\s)и(?=\s))|(?:{_DENSE_OR}))\s*)(?=[-+\d(\[$\\]|[a-zA-Z]\b)",
    re.IGNORECASE,
)
_BARE_ASCII = (" et ", " und ", " oraz ", " ve ", " dan ", " oder ", " eller ", " lub ", " nebo ", " sau ", " veya ", " atau ", " ou ")
_ASCII_SIGNS = (r"\text", r"\mbox", *_BARE_ASCII)
CONNECTIVES = rf"(?:\b(?:{_AND}|{_OR}|ou|y|e|o|и)\b|{_DENSE_AND}|{_DENSE_OR})"


def with_english_joints(text: str) -> str:
    r"""Return the text with joining words of other languages as `\text{ and }` and `\text{ or }`."""
    if text.isascii() and not any(sign in text for sign in _ASCII_SIGNS):
        return text
    text = _IN_TEXT.sub(lambda match: r"\text{ and }" if match["all"] or match["every"] else r"\text{ or }", text)
    return _BARE.sub(lambda match: r" \text{ and } " if match["all"] or match["dense"] else r" \text{ or } ", text)
