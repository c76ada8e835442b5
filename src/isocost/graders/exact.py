"""Answers compared with the reference as text, ignoring case and white space."""

from __future__ import annotations

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.extract import extract_answer, final_text
from isocost.records import Verdict


class ExactGrader(AnswerGrader):
    """Compares the final answer with the reference as text. Without a marked answer, the last line that is not empty counts."""

    name = "exact"
    version = "1"

    def extract(self, generation: str) -> str | None:
        """Return the marked answer, else the last line that is not empty; None where there is none."""
        found = extract_answer(generation)
        return (found.text if found else (final_text(generation).strip().splitlines() or [""])[-1].strip()) or None

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Return the verdict.

        Reasons: `equal`, `different`, `no_answer`, `bad_reference` (the reference is empty).
        """
        gold = _fold(reference)
        if not gold:
            return ungraded("bad_reference")
        if answer is None:
            return no_answer("no_answer")
        return correct(answer, "equal") if _fold(answer) == gold else incorrect(answer, "different")


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
