"""The kinds of logs in a run directory: the fields of their lines, and the remedy for a damaged line."""

from __future__ import annotations

from typing import Any, get_args

from isocost.records import FinishReason, Outcome
from isocost.store.fields import AMOUNT, AMOUNT_OR_NULL, COUNT, LIST, TEXT, TEXT_OR_NULL, Field, Kind, one_of


def _are_lines(value: Any) -> bool:
    """Return True for a list of orders or allocations: two texts and two counts each."""

    def is_line(line: Any) -> bool:
        if not isinstance(line, list) or len(line) != 4:
            return False
        return all(map(TEXT.fits, line[:2])) and all(map(COUNT.fits, line[2:]))

    return isinstance(value, list) and all(map(is_line, value))


_LINES = Field("a list of [text, text, first index, count]", _are_lines)
_ORDERED = Field("a list of such lists", lambda value: isinstance(value, list) and all(map(_are_lines, value)))
_RESTORE = "restore the file from a copy"
_BATCH = {"batch": TEXT, "rows": LIST}
_GENERATED = {"num_prompt_tokens": COUNT, "num_generated_tokens": COUNT, "finish_reason": one_of(get_args(FinishReason))}
_COSTS = {"cost_flops": AMOUNT_OR_NULL, "cost_usd": AMOUNT_OR_NULL, "cost_seconds": AMOUNT}

ANY = Kind(remedy=f"{_RESTORE}, or remove line {{line}}")
BATCHES = Kind(remedy=ANY.remedy, fields=_BATCH)
LEDGER = Kind(
    remedy=f"{_RESTORE}; never remove it: it is the record of what was paid, and the limit is kept by it",
    fields={"event": TEXT, "request": TEXT},
    checked=True,
    one_writer=True,
)
_POOL = Kind(
    remedy=f"{_RESTORE}, or remove line {{line}}, and only this line: its draws, which are paid, are then bought again",
    fields=_BATCH,
    rows={"id": TEXT, "problem_id": TEXT, "sample_index": COUNT, "generation": TEXT, **_GENERATED, **_COSTS},
    paid=True,
)
_ORDERS = Kind(
    remedy=f"{_RESTORE}, or remove line {{line}}, and only this line: what is missing is ordered again, what is stored is not bought again",
    fields={"pool": TEXT, "batches": _ORDERED},
    checked=True,
    unique=True,  # a second order of the same draws would buy them twice
)
_JUDGE = Kind(
    remedy=f"{_RESTORE}, or remove line {{line}}, and only this line: its replies, which are paid, are then bought again",
    fields=_BATCH,
    rows={"id": TEXT, "submitted": TEXT, "reply": TEXT, **_GENERATED, **_COSTS},
    paid=True,
)
_VERDICTS = Kind(
    remedy="remove line {line}: its draws are graded again, from what is stored",
    fields=_BATCH,
    rows={
        "sample_id": TEXT,
        "reference": TEXT,
        "outcome": one_of([str(outcome) for outcome in Outcome]),
        "predicted_answer": TEXT_OR_NULL,
        "reason": TEXT,
    },
)
_ROUNDS = Kind(
    remedy=f"{_RESTORE}, or remove line {{line}}: the round is allocated again; draws that are stored are not bought again",
    fields={"round": COUNT, "terms": TEXT, "allocations": _LINES},
    checked=True,
)
_ANSWERS = Kind(
    remedy="remove line {line}: its questions are answered again",
    fields=_BATCH,
    rows={"problem_id": TEXT, "index": COUNT, "generation": TEXT, **_GENERATED, "seconds": AMOUNT},
)
_SUBMISSIONS = Kind(
    remedy=f"{_RESTORE}; never remove it: it names the batches that are under way, and without it they would be bought again",
    fields={"event": TEXT, "submission": TEXT},
    checked=True,
    one_writer=True,
)
_KINDS = {"ledger.jsonl": LEDGER, "batches.jsonl": _SUBMISSIONS, "arms": _ROUNDS}
_BATCH_KINDS = {"pools": _POOL, "judge": _JUDGE, "verdicts": _VERDICTS, "evaluations": _ANSWERS}


def kind_of_log(names: tuple[str, ...]) -> Kind:
    """Return the kind of the log at a path inside a run directory."""
    return _ORDERS if names[0] == "pools" else _KINDS.get(names[0], ANY)


def kind_of_batches(names: tuple[str, ...]) -> Kind:
    """Return the kind of the batch log at a path inside a run directory."""
    return _BATCH_KINDS.get(names[0], BATCHES)
