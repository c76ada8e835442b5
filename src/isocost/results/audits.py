"""The audit stage of a run: what is looked at, by whom, and what it says. Files are in `audits/`, replies of a judge in `judge/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from isocost import auditing
from isocost.auditing.labelfile import read_labels
from isocost.auditing.labels import Verdicts, verdicts
from isocost.events import Listener
from isocost.executors.base import Executor
from isocost.judging.reasoning import Judge
from isocost.preparing.prepare import Prepared
from isocost.records import Audit, Cell, Chosen, Estimate, Sample, Unit
from isocost.sampling.data import Bought, Graded
from isocost.store import RunDirectory, write_parquet

FOLDER = "audits"
_TEXT, _FLAG = pl.String(), pl.Boolean()
_SCHEMAS = {  # a table without rows has its columns all the same
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
    """What the audits of a run say.

    Attributes:
        cells: By steps, of every cell's own solutions.
        found: What is known of each chosen solution.
        rates: By model, those with a correct solution.
        costs: By model and unit: per correct and per truly correct solution.
        labels: What people said.
        judge: The judge and what it is asked, in short; "" without one.
        judged: What it said, by sample id.
    """

    cells: Mapping[Cell, Sequence[Audit]]
    found: Sequence[auditing.Found]
    rates: Sequence[auditing.ModelRates]
    costs: Mapping[str, Mapping[Unit, tuple[Estimate, Estimate]]]
    labels: Verdicts
    judge: str
    judged: Mapping[str, auditing.Judged] = field(default_factory=dict)

    def measures(self) -> dict[str, dict[str, Estimate]]:
        """By model: `fpr`, the rate to believe; `fpr/steps` and so on; `cost_per_correct_usd`, `cost_per_truly_correct_flops` and so on."""
        found: dict[str, dict[str, Estimate]] = {}
        for each in self.rates:
            own = {"fpr": each.rate} | {f"fpr/{way}": rate for way, rate in each.rates.items()}
            for unit, (correct, truly) in self.costs[each.model].items():
                own |= {f"cost_per_correct_{unit}": correct, f"cost_per_truly_correct_{unit}": truly}
            found[each.model] = own
        return found


def audit(
    prepared: Prepared, directory: RunDirectory, executor: Executor, bought: Bought, listener: Listener, *, again: bool = False
) -> Audits:
    """Choose solutions, look at them by steps and, where the study says so, by its judge; take in what people said.

    With `again`, calls of the judge that failed for good at an earlier start are made once more.

    Raises:
        LimitReachedError: the limit leaves no room for the judge; what it said before is stored.
        EngineError: the judge cannot be asked.
    """
    study = prepared.study
    _labels(directory)  # a damaged file is told before a judge is paid
    cells = {cell: _audit_cell(prepared, draws) for cell, draws in bought.drawn.items()}
    _write(directory, "steps", [{"cell": cell.name, **asdict(a)} for cell, audits in cells.items() for a in audits])
    drawn = list({(s.model, s.id): (s, v) for own in bought.drawn.values() for s, v in own}.values())
    texts = {s.id: s for s, _ in drawn}
    chosen = auditing.choose(
        (s for s, _ in drawn), {s.id: v for s, v in drawn}, bought.problems, per_model=study.audit.per_model, seed=study.seed
    )
    _write(directory, "chosen", [asdict(each) for each in chosen])
    steps = {c.sample_id: auditing.audited(texts[c.sample_id]) for c in chosen}
    _write(directory, "steps-chosen", [{"sample_id": a.sample_id, "sound": a.sound, "first_false": a.first_false} for a in steps.values()])
    judged, judge = _judged(prepared, directory, executor, bought, [texts[c.sample_id] for c in chosen], listener, again=again)
    labels = _labels(directory)
    found = [_found(each, steps, judged, labels) for each in chosen]
    order = list(study.models)
    rates = sorted(auditing.model_rates(found), key=lambda each: order.index(each.model))
    own = {each.model: [d for d in drawn if d[0].model == each.model] for each in rates}
    return Audits(
        cells=cells,
        found=found,
        rates=rates,
        costs={each.model: auditing.unit_costs(own[each.model], each.rate) for each in rates},
        labels=labels,
        judge=judge,
        judged=judged,
    )


def _audit_cell(prepared: Prepared, draws: Sequence[Graded]) -> list[Audit]:
    study = prepared.study
    verdicts = {s.id: v for s, v in draws}
    return auditing.audit((s for s, _ in draws), verdicts, per_model=study.audit.per_model, seed=study.seed)


def _judged(
    prepared: Prepared,
    directory: RunDirectory,
    executor: Executor,
    bought: Bought,
    samples: Sequence[Sample],
    listener: Listener,
    *,
    again: bool,
) -> tuple[dict[str, auditing.Judged], str]:
    """The judge's verdicts by sample id, and which judge it was; nothing without one."""
    if prepared.study.audit.by != "judge":
        return {}, ""
    judge = Judge(prepared, directory, executor, again=again)
    judged = judge.judge(samples, {p.id: p for p in bought.problems}, bought.ledger, listener)
    rows = [{**asdict(each), "model": judge.model, "version": judge.version} for each in judged.values()]
    _write(directory, "judge-chosen", rows)
    return judged, f"{judge.model} (asked as in {judge.example})"


def _labels(directory: RunDirectory) -> Verdicts:
    return verdicts(read_labels(directory.path / FOLDER / "labels.jsonl"))


def _found(chosen: Chosen, steps: Mapping[str, Audit], judged: Mapping[str, auditing.Judged], labels: Verdicts) -> auditing.Found:
    sample_id = chosen.sample_id
    return auditing.Found(
        chosen=chosen,
        steps=steps[sample_id].sound,
        judge=judged[sample_id].sound if sample_id in judged else None,
        people=labels.sound.get(sample_id),
        undecided=sample_id in labels.disagreed or sample_id in labels.unsure,
    )


def _write(directory: RunDirectory, name: str, rows: Sequence[Mapping[str, object]]) -> Path:
    directory.check()
    path = directory.path / FOLDER / f"{name}.parquet"
    schema = _SCHEMAS[name]
    write_parquet(pl.DataFrame({key: [row[key] for row in rows] for key in schema}, schema=schema), path)
    return path
