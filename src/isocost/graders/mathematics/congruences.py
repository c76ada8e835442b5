r"""Congruences such as `x \\equiv 5 \\pmod{7}`, by the smallest residues: `x \\equiv 12 \\pmod{7}` is the same one."""

from __future__ import annotations

import re

# A residue begins with no space and a joint has one group of spaces before each of its signs: if two neighbours could match the same
# space, n residues before an end that does not match would take 2^n steps.
_RESIDUE = r"(?:-\s*)?\d{1,30}"
_BETWEEN = r"(?:\s*(?:,|\\text\s*\{\s*(?:,\s*)?(?:or|and)\s*\}|\bor\b|\band\b))+\s*"
_MODULUS = r"(?:\\[pb]?mod(?![a-z])|\\text\s*\{\s*\(?\s*mod(?:ulo)?\b(?:\s*\})?|mod(?:ulo)?\b)\s*\{?\s*(\d{1,30})(?:\s*[)}]){0,2}"
_CONGRUENCE = re.compile(
    rf"([A-Za-z](?:_\{{?\w\}}?)?(?:\^\{{?\d\}}?)?)\s*\\equiv\s*({_RESIDUE}(?:{_BETWEEN}{_RESIDUE}){{0,50}})\s*(?:\(\s*)?{_MODULUS}"
)


def congruence(text: str) -> str | None:
    """Return a congruence of one letter or its power with its residues reduced and in order; None for any other text."""
    found = _CONGRUENCE.fullmatch(text)
    if found is None or int(found[3]) == 0:
        return None
    modulus = int(found[3])
    residues = sorted({int(re.sub(r"\s", "", residue)) % modulus for residue in re.findall(_RESIDUE, found[2])})
    return f"{''.join(found[1].split())} \N{IDENTICAL TO} {', '.join(map(str, residues))} mod {modulus}"
