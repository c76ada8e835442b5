"""The reference answer of a multiple-choice question: the right letters, and the options' texts where they are known."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from isocost.digits import json_int
from isocost.graders.choice.letters import LETTERS, plain, read_choice

_LABELLED = re.compile(r"[(\[]([A-Ja-j])[)\]][.:]? ?(\S.*)|([A-Ja-j])[.):] ?(\S.*)|([A-J]) (\S.*)", re.DOTALL)
_ARTICLE = re.compile(r"(?:an?|the|le|la|les|un|une|der|die|das|ein|eine|el|los|las|una) (?=.)")
_FORMULA = re.compile(r"[\d\\^=+<>|%]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBERED = re.compile(r"[(\[]?\d{1,2}[)\].:] ?(?=\S)")
_PREDICATE = re.compile(
    r"(?:.*[.!?] )?(?!.*\b(?:not|never|if|unless)\b)(?:it|this|that|the|its|his|her|their)\b.*?\b(?:is|are|was|were) (.+)", re.I
)
_FIRST_PART = re.compile(r" ?[,;(\[—–]| (?:because|since|as|which|i\.e\.|parce que|car|weil|porque)\b| - ")


@dataclass(frozen=True, slots=True)
class Reference:
    """The right options.

    Attributes:
        letters: Of the right options, sorted; more than one where all of them must be named.
        texts: The options' texts by letter, as far as they are known.
    """

    letters: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)

    def named(self, words: str) -> str | None:
        """Return the letter of the one option with this text; None where none has it, or several do."""
        if labelled := _LABELLED.fullmatch(words):
            letter, option = _label(labelled)
            if fold(option) == fold(self.texts.get(letter, "")) != "":
                return letter
        # From the strictest match to the loosest, and only a unique one: an article or a reason may distinguish two options.
        first = _FIRST_PART.split(words, maxsplit=1)[0]
        for answer in (words, first, *_predicates(words, first)):
            for trim in (fold, _bare):
                found = [letter for letter, text in self.texts.items() if trim(answer) == trim(text) != ""]
                if len(found) == 1:
                    return found[0]
        return None


def _predicates(words: str, statement: str) -> list[str]:
    """Return an option without its number, "(2) Paris", and what a statement says of its subject, "Paris" of "The capital is Paris"."""
    numbered, predicate = _NUMBERED.match(words), _PREDICATE.fullmatch(statement)
    return [words[found.end() :] for found in [numbered] if found] + [found[1] for found in [predicate] if found]


def read_reference(reference: str) -> Reference | None:
    r"""Read a reference in any of its forms; None where it names no option.

    The forms are `B`, `(b)`, `B.`, `\\text{(C)}`, `\\boxed{C}`; `A, C` where several are right; `(D) Alina`, `D. Alina`, `D Alina`, which
    also gives the text of D; or {"answer": ..., "choices": ["cat", "dog"]}, whose answer is a letter, the text of an option, an index that
    counts from 0, or a list of these.
    """
    if reference.lstrip().startswith("{"):
        return _from_json(reference)
    text = plain(reference).rstrip(". ")
    choice, labelled = read_choice(text), _LABELLED.fullmatch(text)
    if choice and choice.how == "or":
        return None
    if choice and (choice.how == "and" or not labelled):
        return Reference(choice.letters)
    return Reference((label[0],), {label[0]: label[1]}) if labelled and (label := _label(labelled)) else None


def _label(labelled: re.Match[str]) -> tuple[str, str]:
    letter, text = (group for group in labelled.groups() if group)
    return letter.upper(), text


def fold(text: str) -> str:
    """Return an option's text without case, layout and separators between words; of a formula only layout and white space are removed."""
    text = _THOUSANDS.sub("", plain(text)).replace("\N{MINUS SIGN}", "-").casefold().strip(" .,;:!?\"'()\n")
    if _FORMULA.search(text):
        return "".join(text.split())
    return " ".join(re.findall(r"\w+", text)) or text


def _bare(text: str) -> str:
    folded = fold(text)
    return _ARTICLE.sub("", folded, count=1) if _ARTICLE.match(folded) else folded


def _from_json(reference: str) -> Reference | None:
    try:
        row = json.loads(reference, parse_int=json_int)
    except (ValueError, RecursionError):
        return None
    choices = row.get("choices", [])
    if not isinstance(choices, list) or len(choices) > len(LETTERS) or not all(isinstance(c, str | int | float) for c in choices):
        return None
    known = Reference((), dict(zip(LETTERS, map(str, choices), strict=False)))
    answers = row.get("answer")
    letters = [_letter(answer, known) for answer in (answers if isinstance(answers, list) else [answers])]
    if not letters or None in letters:
        return None
    return Reference(tuple(sorted({letter for letter in letters if letter})), known.texts)


def _letter(answer: object, known: Reference) -> str | None:
    if isinstance(answer, int) and not isinstance(answer, bool):
        return LETTERS[answer] if 0 <= answer < len(known.texts) else None
    if not isinstance(answer, str):
        return None
    choice = read_choice(plain(answer))
    if choice and len(choice.letters) == 1 and (choice.letters[0] in known.texts or not known.texts):
        return choice.letters[0]
    return known.named(answer)
