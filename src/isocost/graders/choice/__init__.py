"""Multiple choice: the letter of an option, or what the option says, compared with the right one."""

from __future__ import annotations

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer, ungraded
from isocost.graders.choice.letters import LETTERS, LONGEST_TAIL, Choice, Sign, concluded, mentioned, plain, read_sign, standing, stated
from isocost.graders.choice.reference import Reference, read_reference
from isocost.graders.extract import extract_answer, final_text
from isocost.records import Verdict

LONGEST_END = 20_000  # characters in which the choice is looked for, from the end


class ChoiceGrader(AnswerGrader):
    """Compares the option that a solution settles on with the reference, `B` or one of the forms of `read_reference`.

    Options are A to J. An answer in words counts where the reference knows the options' texts and exactly one says the same. Several
    letters ("A and C") are right only where the reference has the same ones; a solution that stays undecided ("A or C") is wrong.
    """

    name = "choice"
    version = "1"

    def extract(self, generation: str) -> str | None:
        """The letters, `B` or `A, C` or `A or C`; for an answer in words, these and, on a second line, the letters to take if no option
        says so.
        """
        text = final_text(generation)[-LONGEST_END:]
        flat = plain(text)
        found = extract_answer(generation)
        boxed = read_sign(plain(found.text).replace("\n", " ")) if found and found.marker != "phrase" else None
        said = stated(flat)
        for sign in (boxed, said):
            if sign and sign.choice and not sign.words:
                return str(sign.choice)
        letters = next((sign.choice for sign in (boxed, said) if sign and sign.choice), None)
        letters = letters or concluded(flat) or standing(text) or mentioned(flat)
        words = _words(boxed, said) or ("" if letters else flat.rpartition("\n")[2])[:LONGEST_TAIL]
        if not words:
            return str(letters) if letters else None
        return f"{words}\n{letters or ''}"

    def settle(self, reference: str, answer: str | None) -> Verdict:
        """Reasons: `equal`, `different`, `several` (more letters than the one that is right, or undecided), `no_choice` (no option is
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
        """The right letters in a box; a reference that cannot be read as it is, to be refused."""
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
