"""Answers compared with the reference as text, ignoring case and white space."""

from __future__ import annotations

import re

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.decoration import undecorated, without_label, without_text
from isocost.graders.extract import PERCENT_BEHIND, extract_answer, final_text, is_stated
from isocost.graders.replies import plain_characters
from isocost.records import Verdict

_WORD = re.compile(r"[^\W\d_]+[.!]?")
_YES = re.compile(r"(?i)(yes|no|true|false),?\s+(?:because|since)\b")
_MARKED = "*_`\"'$\u201c\u00ab\u300c"


class ExactGrader(AnswerGrader):
    """Compares the final answer with the reference as text. Without a marked answer, the last line that is not empty counts.

    Quotation marks, emphasis, dollar signs, commands such as `\\text` and a full stop around either side are passed over, and so is a label
    before a number, one word or something emphasised.
    """

    name = "exact"
    version = "6"

    def extract(self, generation: str) -> str | None:
        """Return the marked answer, else the last line that is not empty; None where there is none."""
        found = extract_answer(generation)
        if found is None:
            return _last_line(final_text(generation)) or None
        # Only text inside the box is compared, as everywhere outside of mathematics.
        return (found.text.removesuffix(PERCENT_BEHIND) if found.marker == "boxed" else found.text) or None

    def is_stated(self, generation: str, answer: str) -> bool:
        """Return True if a text that was cut off marks its answer, and all of it."""
        return is_stated(self.extract, generation, answer)

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Return the verdict.

        Reasons: `equal`, `different`, `no_answer`, `bad_reference` (the reference is empty).
        """
        gold = _fold(reference)
        if not gold:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_answer")
        golds = (gold, _fold(_last_line(reference))) if ":" in reference else (gold,)  # the last line of an answer has no label either
        return correct(answer, "equal") if _fold(answer) in golds else incorrect(answer, "different")


def _last_line(text: str) -> str:
    """Return the last line that is not empty, without a label before a number, one word or something emphasised."""
    line = (text.strip().splitlines() or [""])[-1].strip()
    value = without_label(line)
    if reason := _YES.match(line):
        return reason[1]
    return undecorated(value) if value[:1] in _MARKED or value[:1].isdigit() or (value != line and _WORD.fullmatch(value)) else line


def _fold(text: str) -> str:
    bare = undecorated(without_text(plain_characters(text).strip().strip("$").strip())).strip().rstrip(".").strip("$")
    return " ".join((bare or text).casefold().split())
