"""Run the audit stage: choose solutions, rate them by steps, judge and people, and estimate false positive rates.

Files are in `audits/`, replies of a judge in `judge/`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl

from isocost import auditing
from isocost.amounts import quantity
from isocost.arrays import Bools
from isocost.auditing.labelfile import read_labels
from isocost.auditing.labels import Verdicts, verdicts
from isocost.events import Listener, Note
from isocost.executors.base import Executor
from isocost.ids import text_hash
from isocost.judging.reasoning import Judge, judge_prompt
from isocost.preparing.prepare import Prepared
from isocost.records import Cell, Chosen, Estimate, Label, Unit
from isocost.results.drawtable import DrawTable
from isocost.sampling.data import SamplingOutcome
from isocost.store import RunDirectory

FOLDER = "audits"
ID = re.compile("[0-9a-f]{16}")  # a sample id; tables of other tools have others
_TEXT, _FLAG = pl.String(), pl.Boolean()
_SCHEMAS = {  # explicit, so that a table without rows has its columns too
    "chosen": {
        "sample_id": _TEXT, "model": _TEXT, "problem_id": _TEXT, "sample_index": pl.Int64(), "stratum": _TEXT, "weight": pl.Float64(),
        "place": pl.Int64(),
    },
    "steps": {"cell": _TEXT, "sample_id": _TEXT, "by": _TEXT, "sound": _FLAG, "first_false": _TEXT},
    "steps-chosen": {"sample_id": _TEXT, "sound": _FLAG, "first_false": _TEXT},
    "judge-chosen": {"sample_id": _TEXT, "sound": _FLAG, "reason": _TEXT, "reply": _TEXT, "model": _TEXT, "version": _TEXT},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Audits:
    """The audits of a run.

    Attributes:
        cells: The audits by steps of every cell's own solutions: `model`, `problem_id`, `sample_id`, `sound`, `first_false`.
        found: The verdicts on each chosen solution.
        rates: The rates of each model that has a correct solution.
        costs: Cost per correct and per truly correct solution, by model and unit.
        labels: The labels of people.
        judge: The judge and the example of its prompt; "" without a judge.
        judged: The judge's verdicts, by sample id.
    """

    cells: Mapping[Cell, pl.DataFrame]
    found: Sequence[auditing.Found]
    rates: Sequence[auditing.ModelRates]
    costs: Mapping[str, Mapping[Unit, tuple[Estimate, Estimate]]]
    labels: Verdicts
    judge: str
    judged: Mapping[str, auditing.Judged] = field(default_factory=dict)

    def measures(self) -> dict[str, dict[str, Estimate]]:
        """Return measures by model and name.

        Names are `fpr` (the rate that is used), `fpr/steps` and so on, and `cost_per_correct_usd`, `cost_per_truly_correct_flops` and so
        on.
        """
        found: dict[str, dict[str, Estimate]] = {}
        for each in self.rates:
            own = {"fpr": each.rate} | {f"fpr/{way}": rate for way, rate in each.rates.items()}
            for unit, (correct, truly) in self.costs[each.model].items():
                own |= {f"cost_per_correct_{unit}": correct, f"cost_per_truly_correct_{unit}": truly}
            found[each.model] = own
        return found


def audit(
    prepared: Prepared,
    directory: RunDirectory,
    executor: Executor,
    bought: SamplingOutcome,
    table: DrawTable,
    listener: Listener,
    *,
    again: bool = False,
) -> Audits:
    """Choose solutions, audit them by steps and, if the study sets one, by its judge, and read the labels of people.

    With `again`, calls of the judge that failed for good at an earlier start are repeated.

    Raises:
        LimitReachedError: the limit leaves no room for the judge; its replies so far are stored.
        EngineError: the judge cannot be called.
    """
    study = prepared.study
    read_verdicts(directory)  # a damaged file of labels raises here, before a judge is paid
    seed, per_model = study.seed, study.audit.per_model
    solved = _correct_draws(table, seed)
    cells = {
        cell: _add_sample_ids(table, auditing.to_audit(_select_drawn(solved, drawn), per_model=per_model, seed=seed))
        for cell, drawn in table.cells.items()
    }
    drawn = _add_sample_ids(table, auditing.one_a_problem(_select_drawn(solved, table.drawn)))
    chosen = auditing.choose(drawn, bought.problems, per_model=per_model, seed=seed)
    own = _rows_of_chosen(drawn, chosen)
    steps = _audit_steps(table, [*cells.values(), own])
    # maintain_order: the rows of the files must not depend on how polars schedules its threads.
    audited = {cell: rows.join(steps, on="place", how="left", maintain_order="left") for cell, rows in cells.items()}
    _write(directory, "steps", [rows.with_columns(cell=pl.lit(cell.name), by=pl.lit("steps")) for cell, rows in audited.items()])
    _write(directory, "chosen", [pl.DataFrame(list(map(asdict, chosen)), schema=_SCHEMAS["chosen"])])
    own = own.join(steps, on="place", how="left", maintain_order="left")
    _write(directory, "steps-chosen", [own])
    judged, judge = _judge_chosen(
        prepared, directory, executor, bought, chosen, table.texts_of(own["place"].to_numpy()), listener, again=again
    )
    labels = read_verdicts(directory, table)  # read again: people may have labelled while the judge was at work
    if outdated := _outdated(_labels(directory), table):
        listener(Note(text=_describe_outdated(outdated, chosen)))
    found = [_found(each, sound, judged, labels) for each, sound in zip(chosen, own["sound"], strict=True)]
    order = list(study.models)
    # Every table of the report lists the models in the order of the study.
    rates = sorted(auditing.model_rates(found), key=lambda each: order.index(each.model))
    return Audits(
        cells=audited,
        found=found,
        rates=rates,
        costs={each.model: auditing.unit_costs(_draws_in_order_of_cells(table, each.model), each.rate) for each in rates},
        labels=labels,
        judge=judge,
        judged=judged,
    )


def _correct_draws(table: DrawTable, seed: int) -> pl.DataFrame:
    """Return the correct draws with their place in the table and `lot`, their rank in the seeded random order."""
    columns = table.draws.select("model", "problem_id", "sample_index", "outcome").filter(pl.Series(table.correct))
    return columns.with_columns(
        place=pl.Series(np.flatnonzero(table.correct).astype(np.uint32)),
        lot=pl.Series(auditing.ranks(seed, table.sample_ids(table.correct)).astype(np.uint32)),
    )


def _select_drawn(solved: pl.DataFrame, drawn: Bools) -> pl.DataFrame:
    """Return the correct draws that are marked in `drawn`, bool[draws]."""
    return solved.filter(pl.Series(drawn[solved["place"].to_numpy()]))


def _audit_steps(table: DrawTable, wanted: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Audit these draws by steps; return `place`, `sound` and `first_false`.

    Cells share draws, so one mask over all of them has each text read and audited once.
    """
    mask = np.zeros(table.draws.height, dtype=np.bool_)
    for rows in wanted:
        mask[rows["place"].to_numpy()] = True
    parts = [auditing.audited(texts).with_columns(place=pl.Series(places, dtype=pl.UInt32)) for places, texts in table.texts(mask)]
    # The empty frame gives the columns their types where no text is audited.
    return pl.concat([auditing.audited([]).with_columns(place=pl.lit(0, dtype=pl.UInt32)), *parts])


def _rows_of_chosen(draws: pl.DataFrame, chosen: Sequence[Chosen]) -> pl.DataFrame:
    """Return the rows of the chosen draws, in the order of `chosen`."""
    wanted = pl.DataFrame({"sample_id": [each.sample_id for each in chosen]}, schema={"sample_id": pl.String})
    return wanted.join(draws, on="sample_id", how="left", maintain_order="left")


def _add_sample_ids(table: DrawTable, draws: pl.DataFrame) -> pl.DataFrame:
    """Add the column `sample_id`: ids are numbers until here, as text for every draw would take most of the memory."""
    return draws.with_columns(sample_id=pl.Series(list(table.sample_ids(draws["place"].to_numpy())), dtype=pl.String))


def _draws_in_order_of_cells(table: DrawTable, model: str) -> pl.DataFrame:
    """Return the model's draws that any cell drew, in the order of cells: sums of floats depend on the order."""
    # Two bytes per draw: a run may have millions of draws, and far fewer cells than 65,536.
    first = np.zeros(table.draws.height, dtype=np.uint16)
    # Reversed, so that a draw of several cells keeps the number of the first.
    for number, drawn in reversed(list(enumerate(table.cells.values()))):
        first[drawn] = number
    mine = table.drawn & table.is_of(model)
    draws = table.draws.select("problem_id", "outcome", "cost_flops", "cost_usd").filter(pl.Series(mine))
    return draws[np.argsort(first[mine], kind="stable")] if first[mine].any() else draws


def _judge_chosen(
    prepared: Prepared,
    directory: RunDirectory,
    executor: Executor,
    bought: SamplingOutcome,
    chosen: Sequence[Chosen],
    texts: Iterable[str],
    listener: Listener,
    *,
    again: bool,
) -> tuple[dict[str, auditing.Judged], str]:
    """Return the judge's verdicts by sample id, and its name with the example of its prompt; empty without a judge."""
    if prepared.study.audit.by != "judge":
        return {}, ""
    judge = Judge(prepared, directory, executor, again=again)
    problems = {p.id: p for p in bought.problems}
    prompts = {each.sample_id: judge_prompt(problems[each.problem_id], text) for each, text in zip(chosen, texts, strict=True)}
    judged = judge.judge(prompts, bought.ledger, listener)
    rows = [{**asdict(each), "model": judge.model, "version": judge.version} for each in judged.values()]
    _write(directory, "judge-chosen", [pl.DataFrame(rows, schema=_SCHEMAS["judge-chosen"])])
    return judged, f"{judge.model} (asked as in {judge.example})"


def read_verdicts(directory: RunDirectory, table: DrawTable | None = None) -> Verdicts:
    """Return the verdicts of people in a run directory; with the table of draws, without those on texts that are others now.

    Raises:
        StorageError: a line of the labels is damaged.
    """
    labels = _labels(directory)
    outdated = frozenset[Label]() if table is None else _outdated(labels, table)
    return verdicts(label for label in labels if label not in outdated)


def _labels(directory: RunDirectory) -> list[Label]:
    return read_labels(directory.path / FOLDER / "labels.jsonl")


def _outdated(labels: Sequence[Label], table: DrawTable) -> frozenset[Label]:
    """Return the labels whose solution was bought again since: its id is the same, and nobody has read its text."""
    read = {label.sample_id for label in labels if label.text_hash is not None}
    if not read:
        return frozenset()
    wanted = table.draws["id"].is_in([int(sample_id, 16) for sample_id in read if ID.fullmatch(sample_id)]).to_numpy()
    now = {
        sample_id: text_hash(text)
        for places, texts in table.texts(wanted)
        for sample_id, text in zip(table.sample_ids(places), texts, strict=True)
    }
    return frozenset(each for each in labels if each.text_hash is not None and now.get(each.sample_id, each.text_hash) != each.text_hash)


def _describe_outdated(labels: Collection[Label], chosen: Sequence[Chosen]) -> str:
    """Return a note on labels that do not count, with the numbers of the chosen solutions among theirs."""
    theirs = {label.sample_id for label in labels}
    again = ", ".join(str(place + 1) for place in sorted(each.place for each in chosen if each.sample_id in theirs))
    told = f"{quantity(len(labels), 'label')} of people do not count: the solutions were lost and bought again, with other texts"
    return f"{told}{f'; label again in isocost view: {again}' if again else ''}"


def _found(chosen: Chosen, steps: bool | None, judged: Mapping[str, auditing.Judged], labels: Verdicts) -> auditing.Found:
    sample_id = chosen.sample_id
    return auditing.Found(
        chosen=chosen,
        steps=steps,
        judge=judged[sample_id].sound if sample_id in judged else None,
        people=labels.sound.get(sample_id),
        undecided=sample_id in labels.disagreed or sample_id in labels.unsure,
    )


def _write(directory: RunDirectory, name: str, parts: Sequence[pl.DataFrame]) -> None:
    schema = _SCHEMAS[name]
    rows = [part.select(pl.col(key).cast(dtype) for key, dtype in schema.items()) for part in parts if part.height]
    directory.write_frames([pl.concat(rows, rechunk=True) if rows else pl.DataFrame(schema=schema)], FOLDER, f"{name}.parquet")
