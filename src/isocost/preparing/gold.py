"""The gold check: before anything is spent, the grader must accept each problem's own reference answer.

No model could solve a problem whose reference answer is refused, so such problems are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from isocost.amounts import quantity
from isocost.errors import InputError
from isocost.events import Listener, Note
from isocost.grading import GradingPool, check_gold
from isocost.preparing.prepare import Prepared, Refused
from isocost.problems.references import reference_flaw
from isocost.problems.repeated import repeated_ids
from isocost.store import RunDirectory

FILE = "excluded.jsonl"
MOST_NAMED = 10  # in an error
MOST_TOLD = 3  # in a note
LONGEST_ANSWER = 60  # characters of one there


def drop_refused(prepared: Prepared, grading: GradingPool, *, strict: bool = False) -> Prepared:
    """Return the study without the problems whose reference answer the grader refuses; its `refused` lists them with reasons.

    If a model judges the training problems, these need no reference answer and are not checked.

    Args:
        prepared: The study.
        grading: The grader.
        strict: True to raise if any problem is refused.

    Raises:
        InputError: no problem of a split is left, or `strict` is set and one is refused.
    """
    refused: list[Refused] = []
    answered = {s: problems for s, problems in prepared.problems.items() if not (s == "train" and prepared.study.is_judged)}
    for split, problems in answered.items():
        found = {p.id: flaw for p in problems if (flaw := p.flaw or reference_flaw(p.answer))}
        found |= check_gold([p for p in problems if p.id not in found], grading)
        refused += [Refused(split=split, id=p.id, answer=p.answer, reason=found[p.id], where=p.where) for p in problems if p.id in found]
        if problems and len(found) == len(problems):
            raise InputError(
                f"the grader {grading.grader.name} accepts no reference answer of problems.{split}; "
                f"{_format_refused(refused[-len(found)])}\n"
                "  choose another grader, or check the answers"
            )
    if strict and refused:
        raise InputError(_refusal_message(refused, grading.grader.name, sum(map(len, answered.values()))))
    left_out = {(r.split, r.id) for r in refused}
    left = {split: [p for p in problems if (split, p.id) not in left_out] for split, problems in prepared.problems.items()}
    return replace(prepared, problems=left, refused=tuple(refused))


def record(prepared: Prepared, directory: RunDirectory, listener: Listener) -> None:
    """Write the problems that were left out to `excluded.jsonl`, and note their number."""
    path = None
    if prepared.refused:
        path = directory.write_text("".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in prepared.refused), FILE)
    else:
        directory.remove(FILE)  # of an earlier start with other problems or another grader
    tell(prepared, listener, path)


def tell(prepared: Prepared, listener: Listener, path: Path | None = None) -> None:
    """Note what is doubtful about the problem sets: fields that were chosen among several, questions that repeat, problems left out.

    Args:
        prepared: The study, without the problems that were left out.
        listener: Called with the notes.
        path: The file that lists the problems left out; without it the first of them are named.
    """
    _note_choices(prepared, listener)
    _note_repeated(prepared, listener)
    for split, problems in prepared.problems.items():
        if of_split := [r for r in prepared.refused if r.split == split]:
            total = len(problems) + len(of_split)
            what = f"{len(of_split)} of {total} problems of {split} left out: the grader refuses their reference answer"
            if path:
                listener(Note(text=f"{what} ({of_split[0].id}: {of_split[0].reason}); {path} names all"))
                continue
            named = ", ".join(_format_left_out(r) for r in of_split[:MOST_TOLD])
            more = f" and {len(of_split) - MOST_TOLD} more" if len(of_split) > MOST_TOLD else ""
            listener(Note(text=f"{what} ({named}{more})"))


def _format_left_out(refused: Refused) -> str:
    where = f", {Path(refused.where).name}" if refused.where else ""
    return f"{refused.id}{where}: {refused.reason}"


def _note_choices(prepared: Prepared, listener: Listener) -> None:
    """Note the fields that question and reference answer were read from, where rows have several that could be meant."""
    for split, problems in prepared.problems.items():
        for what, name in (("question", "question"), ("answer", "reference answer")):
            for fields, n in Counter(p.choices[what] for p in problems if what in p.choices).items():
                rows = quantity(n, "problem")
                others = " or ".join(f'"{field}"' for field in fields[1:])
                text = f'problems.{split}: the {name} of {rows} is the field "{fields[0]}", not {others}'
                listener(Note(text=f"{text}; problems.{split}.{what}_field names another"))


def _note_repeated(prepared: Prepared, listener: Listener) -> None:
    """Note the questions that occur more than once in a set: their draws would be bought for each of them."""
    for split, problems in prepared.problems.items():
        if repeated := repeated_ids(problems):
            many = "1 question occurs" if len(repeated) == 1 else f"{len(repeated):,} questions occur"
            first = ", ".join(repeated[0][:MOST_NAMED])
            advice = f"problems.{split}.repeated: merge takes each once"
            listener(Note(text=f"problems.{split}: {many} more than once (first: {first}); {advice}"))


def _refusal_message(refused: Sequence[Refused], grader: str, n_problems: int) -> str:
    more = len(refused) - MOST_NAMED
    return "\n".join(
        [
            f"the grader {grader} refuses {len(refused)} of {n_problems} reference answers",
            *(f"  problems.{r.split}: {_format_refused(r)}" for r in refused[:MOST_NAMED]),
            *([f"  and {more} more"] if more > 0 else []),
            "  correct them, choose another grader, or leave out --strict to go on without these problems",
        ]
    )


def _format_refused(refused: Refused) -> str:
    answer = refused.answer if len(refused.answer) <= LONGEST_ANSWER else refused.answer[:LONGEST_ANSWER] + "..."
    where = f", {Path(refused.where).name}" if refused.where else ""
    return f"{refused.id} ({answer!r}{where}) is refused with {refused.reason!r}"


def check_references(prepared: Prepared, listener: Listener, *, strict: bool, must: bool) -> Prepared:
    """Return the study without the problems that a run would leave out.

    Args:
        prepared: The study.
        listener: Called with notes.
        strict: As for `run`.
        must: False to go on with a note where the grader does not work on this machine.
    """
    spec = prepared.study.reference_grader
    try:
        checking = GradingPool(spec.name, workers=1, time_limit=spec.time_limit, options=spec.options)
    except InputError as error:
        if must:
            raise
        listener(Note(text=f"reference answers were not checked: {error}"))
        tell(prepared, listener)
        return prepared
    with checking:
        usable = drop_refused(prepared, checking, strict=strict)
    tell(usable, listener)
    return usable
