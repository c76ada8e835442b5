r"""Congruences such as `x \\equiv 5 \\pmod{7}`, by the smallest residues: `x \\equiv 12 \\pmod{7}` is the same one."""

from __future__ import annotations

import re

_RESIDUE = r"-?\s*\d{1,30}"
_BETWEEN = r"\s*(?:,|\\text\s*\{\s*(?:,\s*)?(?:or|and)\s*\}|\bor\b|\band\b)+\s*"
_CONGRUENCE = re.compile(
    rf"([A-Za-z](?:_\{{?\w\}}?)?(?:\^\{{?\d\}}?)?)\s*\\equiv\s*({_RESIDUE}(?:{_BETWEEN}{_RESIDUE}){{0,50}})"
    r"\s*\(?\s*(?:\\[pb]?mod(?![a-z])|\\text\s*\{\s*\(?\s*mod\s*\}|mod\b)\s*\{?\s*(\d{1,30})\s*\}?\s*\)?"
)


def congruence(text: str) -> str | None:
    """Return a congruence of one letter or its power with its residues reduced and in order; None for any other text."""
    found = _CONGRUENCE.fullmatch(text)
    if found is None or int(found[3]) == 0:
        return None
    modulus = int(found[3])
    residues = sorted({int(re.sub(r"\s", "", residue)) % modulus for residue in re.findall(_RESIDUE, found[2])})
    return f"{''.join(found[1].split())} \N{IDENTICAL TO} {', '.join(map(str, residues))} mod {modulus}"
