"""Multiple choice: the letter of an option, or its text, compared with the right one."""

from __future__ import annotations

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.choice.letters import (
    LETTERS,
    LONGEST_TAIL,
    Choice,
    Sign,
    find_conclusion,
    find_isolated,
    find_mention,
    find_statement,
    plain,
    read_sign,
)
from isocost.graders.choice.reference import Reference, read_reference
from isocost.graders.extract import extract_answer, final_text, is_stated
from isocost.records import Verdict

LONGEST_END = 20_000  # characters searched for the choice, from the end


class ChoiceGrader(AnswerGrader):
    """Compares the option that a solution settles on with the reference, `B` or one of the forms of `read_reference`.

    Options are A to J. An answer in words counts where the reference has the options' texts and exactly one of them equals it. Several
    letters ("A and C") are right only where the reference has the same ones; an undecided solution ("A or C") is wrong.
    """

    name = "choice"
    version = "5"

    def extract(self, generation: str) -> str | None:
        """Return the letters, as `B` or `A, C` or `A or C`; None where the solution names none.

        For an answer in words, return these words and, on a second line, the letters to use if no option has this text.
        """
        text = final_text(generation)[-LONGEST_END:]
        flat = plain(text)
        found = extract_answer(generation)
        if found and not found.text:  # the last box is empty or cut off
            return None
        boxed = read_sign(plain(found.text).replace("\n", " ")) if found and found.marker != "phrase" else None
        statement = find_statement(flat)
        for sign in (boxed, statement):
            if sign and sign.choice and not sign.words:
                return str(sign.choice)
        letters = next((sign.choice for sign in (boxed, statement) if sign and sign.choice), None)
        # The order is that of reliability: a conclusion, a letter on its own line, then any letter mentioned last.
        letters = letters or find_conclusion(flat) or find_isolated(text) or find_mention(flat)
        words = _words(boxed, statement) or ("" if letters else flat.rpartition("\n")[2])[:LONGEST_TAIL]
        if not words:
            return str(letters) if letters else None
        return f"{words}\n{letters or ''}"

    def is_stated(self, generation: str, answer: str) -> bool:
        """Return True if a text that was cut off marks its answer, and all of it."""
        return is_stated(self.extract, generation, answer)

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Return the verdict.

        Reasons: `equal`, `different`, `several` (more letters than the one that is right, or undecided), `no_choice` (no option is
        named), `bad_reference` (the reference names none).
        """
        gold = read_reference(reference)
        if gold is None:
            return ungraded("bad_reference")
        chosen = _chosen(answer, gold) if answer else None
        if chosen is None:
            return no_answer("no_choice")
        if chosen.how == "or" or len(chosen.letters) > 1 == len(gold.letters):
            return incorrect(str(chosen), "several")
        return correct(str(chosen), "equal") if chosen.letters == gold.letters else incorrect(str(chosen), "different")

    def gold(self, reference: str) -> str | None:
        """Return the right letters in a box. A reference that cannot be read is returned in a box as it is, and the grader refuses it."""
        found = read_reference(reference)
        return super().gold(", ".join(found.letters) if found else reference)


def _words(*signs: Sign | None) -> str:
    return next((sign.words for sign in signs if sign and sign.words), "")


def _chosen(answer: str, gold: Reference) -> Choice | None:
    words, newline, letters = answer.partition("\n")
    if not newline:
        words, letters = "", words
    if letter := gold.named(words):
        return Choice((letter,))
    found = tuple(letter for letter in LETTERS if letter in letters)
    return Choice(found, "one" if len(found) == 1 else "or" if " or " in letters else "and") if found else None
