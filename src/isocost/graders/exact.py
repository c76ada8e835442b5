"""The answer must be the reference, letter for letter, but for case and white space."""

from __future__ import annotations

from isocost.graders.extract import extract_answer, final_text
from isocost.records import Outcome, Verdict


class ExactGrader:
    """Compares the final answer with the reference as text. Without a marked answer, the last line that is not empty counts."""

    name = "exact"
    version = "1"
    cheap = True

    def grade(self, reference: str, generation: str) -> Verdict:
        """Reasons: `equal`, `different`, `no_answer`, `bad_reference` (the reference is empty)."""
        gold = _folded(reference)
        if not gold:
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="bad_reference")
        found = extract_answer(generation)
        answer = found.text if found else (final_text(generation).strip().splitlines() or [""])[-1].strip()
        if not answer:
            return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason="no_answer")
        if _folded(answer) == gold:
            return Verdict(outcome=Outcome.CORRECT, predicted_answer=answer, reason="equal")
        return Verdict(outcome=Outcome.INCORRECT, predicted_answer=answer, reason="different")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
