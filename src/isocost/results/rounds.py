"""Put the rounds of an iterated study side by side: what each bought, and the student that came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from isocost import evaluating
from isocost.config import Study
from isocost.evaluating import GREEDY, Outcomes, ProblemOutcome
from isocost.records import BillLine, CellResult, Comparison, Estimate, FailedTraining, Results, RoundResult
from isocost.results.stored import read_results
from isocost.results.students import scaled_json
from isocost.store import RunDirectory
from isocost.students.evaluate import PLAIN, label_of

_SPLIT = "test"


def has_rounds(directory: RunDirectory) -> bool:
    """Return True if a run directory has the measures of an iterated study whose rounds were all done."""
    return bool((directory.read_derived("measures.json") or {}).get("rounds"))


def with_rounds(study: Study, first: Results, folders: Sequence[Path]) -> Results:
    """Return the results of an iterated study: those of its first round, its rounds side by side, and the bill and time of all.

    Args:
        study: The iterated study.
        first: The results of its first round.
        folders: The run directories of its rounds, in order; each but the first has its own report.

    Raises:
        RunDirectoryError: a round has no report, or a damaged one.
    """
    found = [first, *(read_results(folder) for folder in folders[1:])]
    rows = [row for cell in found[0].cells for student in _students(study) for row in _rows(study, folders, found, cell, student)]
    seconds: dict[str, float] = {}
    for each in found:
        for stage, own in each.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + own
    return replace(
        found[0],
        rounds=tuple(rows),
        bill=_whole_bill(found),
        seconds=seconds,
        # What casts doubt on the rounds, whichever it came from. The models of later rounds have names of their own.
        truncated={model: each for results in found for model, each in results.truncated.items()},
        doubt=next((f"round {n}: {each.doubt}" if n > 1 else each.doubt for n, each in enumerate(found, start=1) if each.doubt), ""),
        failed_trainings=tuple(_failed_trainings(found)),
    )


def _failed_trainings(found: Sequence[Results]) -> Iterator[FailedTraining]:
    """Yield the failed trainings of all rounds; those of later ones say in which."""
    for number, results in enumerate(found, start=1):
        for each in results.failed_trainings:
            yield each if number == 1 else replace(each, reason=f"round {number}: {each.reason}")


def _students(study: Study) -> Sequence[str]:
    return study.finetune.students if study.finetune else ()


def _rows(study: Study, folders: Sequence[Path], found: Sequence[Results], cell: CellResult, student: str) -> Iterator[RoundResult]:
    name = cell.plan.cell.name
    first = _against_untrained(found[0], student, name)
    yield RoundResult(number=0, cell=name, student=student, solved=_untrained(found[0], student, first))
    seeds = [outcomes_on_test(folder, each, study, student, name) for folder, each in zip(folders, found, strict=True)]
    for number, (own, results) in enumerate(zip(seeds, found, strict=True), start=1):
        data = next(each for each in results.cells if each.plan.cell.name == name)
        before = first.difference if number == 1 and first else None
        if number > 1 and own and seeds[number - 2]:
            before = _compared(own, seeds[number - 2], student, name).difference
        since = _compared(own, seeds[0], student, name) if number > 1 and own and seeds[0] else None
        yield RoundResult(
            number=number,
            cell=name,
            student=student,
            covered=data.measures.get("covered"),
            kept_per_problem=data.measures.get("kept_per_problem"),
            cost=data.cost,
            solved=evaluating.estimate_seeds(own) if own else None,
            difference=before,
            since_first=since.difference if since else None,
            detectable=since.detectable if since else None,
        )


def outcomes_on_test(folder: Path, results: Results, study: Study, student: str, cell: str) -> list[Outcomes]:
    """Return the greedy outcomes of a student on the test problems, one for each training seed that did not fail.

    Args:
        folder: A run directory.
        results: Its results.
        study: Its study.
        student: The student.
        cell: The cell whose data it was trained on, by name.
    """
    failed = {(each.student, each.cell, each.seed) for each in results.failed_trainings}
    found = []
    for seed in study.finetune.seeds if study.finetune else ():
        path = folder / "evaluations" / label_of(student, cell, seed, PLAIN, _SPLIT) / f"{GREEDY}.jsonl"
        # Answers of a training that an earlier start finished may lie beside one that failed now.
        if (student, cell, seed) not in failed and path.exists():
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found.append(tuple(ProblemOutcome(**{key: row[key] for key in ("problem_id", "score", "predicted_answer")}) for row in rows))
    return found


def _compared(left: Sequence[Outcomes], right: Sequence[Outcomes], student: str, cell: str) -> Comparison:
    return evaluating.compare(
        left, right, student=student, split=_SPLIT, metric=GREEDY, left_cell=cell, right_cell=cell, setup="self-improvement"
    )


def _against_untrained(results: Results, student: str, cell: str) -> Comparison | None:
    wanted = (student, _SPLIT, GREEDY, cell, None)
    return next((each for each in results.comparisons if (each.student, each.split, each.metric, each.left, each.right) == wanted), None)


def _untrained(results: Results, student: str, compared: Comparison | None) -> Estimate | None:
    """Return what the untrained student solves with the prompt that trained ones are compared with."""
    wanted = (student, None, compared.right_prompt if compared else PLAIN, _SPLIT, GREEDY)
    return next(
        (each.estimate for each in results.evaluations if (each.student, each.cell, each.prompt, each.split, each.metric) == wanted), None
    )


def _whole_bill(found: Sequence[Results]) -> tuple[BillLine, ...]:
    """Return the bill of all rounds, a line for each account, model and kind, in the order of the first round."""
    lines: dict[tuple[str, str, str], BillLine] = {}
    for line in (line for results in found for line in results.bill):
        key = line.account, line.model, line.what
        own = lines.get(key)
        lines[key] = (
            line if own is None else replace(own, count=own.count + line.count, tokens=own.tokens + line.tokens, cost=own.cost + line.cost)
        )
    accounts = list(dict.fromkeys(line.account for line in lines.values()))
    return tuple(sorted(lines.values(), key=lambda line: accounts.index(line.account)))


def rounds_json(results: Results) -> list[Mapping[str, object]]:
    """Return the key `rounds` of measures.json: a row per cell, student and round. Differences are in points."""
    return [
        {
            "round": each.number,
            "cell": each.cell,
            "student": each.student,
            **{name: None if (own := getattr(each, name)) is None else scaled_json(own) for name in ("covered", "kept_per_problem")},
            "cost": None if each.cost is None else {"flops": each.cost.flops, "usd": each.cost.usd},
            "pass@1": None if each.solved is None else scaled_json(each.solved),
            **{name: None if (own := getattr(each, name)) is None else scaled_json(own, 100) for name in ("difference", "since_first")},
            "detectable": None if each.detectable is None else 100 * each.detectable,
        }
        for each in results.rounds
    ]
