"""Multiple-choice rows: options become lines `(A) cat` of the question, the answer a reference for the grader `choice`.

Options have three forms: a list; by label, {"A": "cat", "B": "dog"}; or as on the Hugging Face hub, {"text": ["cat", "dog"],
"label": ["1", "2"]}. They are lettered A, B, ... in their order. The answer is a label of the row, a letter, the text of an option, or an
index that counts from 0 (as in MMLU); or a list of these if several are correct.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isocost.errors import ProblemsError

CHOICE_FIELD = "choices"
LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a question, in order, with the row's own labels, if any."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def listed(self) -> str:
        """Return one line per option."""
        return "\n".join(f"({letter}) {text}" for letter, text in zip(LETTERS, self.texts, strict=False))

    def reference(self, answer: object, where: str) -> str:
        """Return the reference answer as JSON: {"answer": letter or letters, "choices": texts}.

        Raises:
            ProblemsError: the answer fits no option, or two.
        """
        answers = answer if isinstance(answer, list) and answer else [answer]
        letters = sorted({self._letter(each, where) for each in answers})
        return json.dumps({"answer": letters[0] if len(letters) == 1 else letters, "choices": list(self.texts)}, ensure_ascii=False)

    def _letter(self, answer: object, where: str) -> str:
        found = self._fitting(answer)
        if len(found) != 1:
            what = "fits two of the choices: give a letter"
            if not found:
                what = "fits none of the choices: give a letter, a text or an index from 0"
            raise ProblemsError(f"{where}: the answer {json.dumps(answer, default=str)[:40]} {what}")
        return LETTERS[found.pop()]

    def _fitting(self, answer: object) -> set[int]:
        """Return the options that an answer can mean. A label of the row takes precedence over any other reading."""
        if isinstance(answer, bool) or not isinstance(answer, str | int):
            return set()
        text_of_answer = str(answer).strip()
        if text_of_answer in self.labels:
            return {self.labels.index(text_of_answer)}
        if isinstance(answer, int):
            return {answer} & set(range(len(self.texts)))
        found = {i for i, text in enumerate(self.texts) if text == text_of_answer}
        letter = text_of_answer.strip("(). ").upper()
        if not self.labels and len(letter) == 1 and letter in LETTERS[: len(self.texts)]:
            found.add(LETTERS.index(letter))
        return found


def options_of(choices: object, where: str) -> Options | None:
    """Return the options in a row's field, or None if it has none.

    Raises:
        ProblemsError: the options have another form, are fewer than two or more than ten, or one is empty.
    """
    if choices is None or choices == []:
        return None
    texts, labels = _texts_and_labels(choices)
    if texts is None or not all(map(_is_option, (*texts, *labels))):
        raise ProblemsError(f'{where}: field "{CHOICE_FIELD}" must be a list of texts, not {json.dumps(choices, default=str)[:60]}')
    if not 2 <= len(texts) <= len(LETTERS):
        raise ProblemsError(f'{where}: field "{CHOICE_FIELD}" must have 2 to {len(LETTERS)} texts, not {len(texts)}')
    if labels and (len(labels) != len(texts) or len(set(labels)) != len(labels)):
        raise ProblemsError(f'{where}: field "{CHOICE_FIELD}" must have one label per text, all different')
    # On one line each, because an option is a line of the question.
    return Options(texts=tuple(" ".join(str(text).split()) for text in texts), labels=tuple(str(label).strip() for label in labels))


def _is_option(text: object) -> bool:
    return isinstance(text, str | int | float) and bool(str(text).strip())


def _texts_and_labels(choices: object) -> tuple[Sequence[object] | None, Sequence[object]]:
    if isinstance(choices, list):
        return choices, ()
    if not isinstance(choices, Mapping):
        return None, ()
    text, label = choices.get("text"), choices.get("label")
    if isinstance(text, list) and isinstance(label, list | None):
        return text, label or ()
    return list(choices.values()), list(choices)
