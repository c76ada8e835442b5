"""Assemble the record that the report is made from."""

from __future__ import annotations

import importlib.metadata
import itertools
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache

import numpy as np
import polars as pl

from isocost import auditing, measuring
from isocost.arrays import Bools, Ints
from isocost.config import Study
from isocost.curating import Curated
from isocost.engines import ENGINES
from isocost.ledger import Account
from isocost.machine import available_cores
from isocost.metrics.intervals import count_interval, detectable_difference, paired_count_difference, paired_difference
from isocost.policies import FIXED
from isocost.preparing.prepare import Prepared, generators
from isocost.records import (
    BillLine,
    Cell,
    CellComparison,
    CellResult,
    Cost,
    Estimate,
    ModelCard,
    Results,
    Spending,
    Truncation,
)
from isocost.reporting.money import without_overlaps
from isocost.results.audits import Audits
from isocost.results.curves import compare_models
from isocost.results.drawtable import DrawTable
from isocost.results.forecasts import forecast_outcomes
from isocost.results.independence import Independence
from isocost.results.pools import measured_models, pass_rates, pool_measures
from isocost.results.reported import reported
from isocost.results.rounds import rounds_json
from isocost.results.spending import spendings
from isocost.results.students import by_variant, comparisons, evaluations, students_json
from isocost.sampling.data import SamplingOutcome
from isocost.students.evaluate import Evaluated
from isocost.students.train import Training, Trainings

AUDITED = ("fpr", "cost_per_")  # prefixes of the measures that audits add; their n_ungraded counts unchecked solutions
ACCOUNTS = ("data", "judge", "training", "evaluation")  # in the order of the bill
LIBRARIES = ("isocost", *(library for entry in ENGINES.values() for library in entry.libraries), "ray", "trl", "math-verify", "polars")


def assemble(
    prepared: Prepared,
    bought: SamplingOutcome,
    table: DrawTable,
    curated: Mapping[Cell, Curated],
    audits: Audits,
    trainings: Trainings,
    evaluated: Sequence[Evaluated],
    seconds: Mapping[str, float],
    solutions: Ints | None = None,
) -> Results:
    """Return everything that the report is made from.

    Args:
        prepared: The study.
        bought: The plans of the cells, the problems and the ledger.
        table: Every draw.
        curated: The training set of each cell.
        audits: The audits.
        trainings: The trained students and the trainings that failed; empty before the stage `finetune`.
        evaluated: The evaluations; empty before the stage `evaluate`.
        seconds: Wall-clock seconds by stage.
        solutions: As in `Reached`; needed if `counts_solutions`.
    """
    study = prepared.study
    seeds = by_variant(evaluated)
    remote = {name for name, facts in prepared.facts.items() if facts.remote}
    bill = _bill_lines(prepared, table, curated, trainings.done, evaluated) + _other_lines(bought, table)
    independence, audited = Independence.of(prepared, table), audits.measures()
    measured = measured_models(table, independence.measured)
    cells = tuple(_cell_result(prepared, bought, table, curated, audits, plan.cell, trainings.done) for plan in bought.plans)
    found = Results(
        study=study.name,
        models=tuple(prepared.cards.values()),
        n_problems=len(bought.problems),
        excluded=bought.excluded,
        cells=cells,
        pools={
            model: {**own, **audited.get(model, {})}
            for model, own in pool_measures(measured, len(bought.problems), independence.by_outcomes).items()
        },
        evaluations=tuple(evaluations(prepared, seeds)),
        comparisons=tuple(comparisons(prepared, seeds)),
        bill=tuple(sorted(bill, key=lambda line: ACCOUNTS.index(line.account))),
        seconds=dict(seconds),
        environment=environment(),
        cell_comparisons=tuple(_cell_comparisons(study, bought, table, curated)),
        independent_draws=independence.parts,
        spendings=tuple(spendings(prepared, bought, table, independence, solutions)),
        forecasts=tuple(forecast_outcomes(bought, cells, _discounting(study))),
        reasoning={key: (paid.reasoning_tokens, paid.tokens) for key, paid in bought.ledger.accounts.items() if paid.reasoning_tokens},
        truncated=_truncations(prepared, table),
        failed=bought.failed,
        mixed_rates=bought.mixed_rates,
        doubt=bought.doubt,
        failed_trainings=trainings.failed,
        pass_rates=pass_rates(measured, independence.by_outcomes),
    )
    return without_overlaps(compare_models(found, prepared, bought, table, measured, independence), remote)


def _discounting(study: Study) -> set[str]:
    """Return the arms whose policy discounts by false positive rates."""
    return {name for name, arm in study.arms.items() if any(arm.false_positive_rates.values())}


def _truncations(prepared: Prepared, table: DrawTable) -> dict[str, Truncation]:
    """Return the samples that reached max_tokens, of each model that has any."""
    cut, answered = ((table.draws["finish_reason"] == "length").to_numpy(), (table.draws["finish_reason"] != "error").to_numpy())
    found = {
        model: Truncation(
            cut=int((cut & table.is_of(model)).sum()),
            n=int((answered & table.is_of(model)).sum()),
            max_tokens=prepared.study.sampling_of(model).max_tokens,
            longest=int((table.draws["num_generated_tokens"].to_numpy() * (cut & table.is_of(model))).max(initial=0)),
        )
        for model in generators(prepared.study)
    }
    return {model: each for model, each in found.items() if each.cut}


def _cell_result(
    prepared: Prepared,
    bought: SamplingOutcome,
    table: DrawTable,
    curated: Mapping[Cell, Curated],
    audits: Audits,
    cell: Cell,
    trainings: Sequence[Training],
) -> CellResult:
    plan = next(p for p in bought.plans if p.cell == cell)
    drawn, ids = table.cells[cell], table.problem_ids
    graded, correct = drawn & table.graded, drawn & table.correct
    measures = measuring.cell_estimates(table.count(graded), table.count(correct), n_ungraded=int(drawn.sum() - graded.sum()))
    if prepared.study.arms[cell.arm].policy not in FIXED:
        del measures["pass@1"]  # biased where outcomes decide how often a problem is drawn
    rules = prepared.study.curate_of(cell.arm)
    # An unfiltered set keeps wrong solutions too, whose number says nothing of the data.
    if rules.filter == "correct":
        measures["kept_per_problem"] = count_interval(_count_kept(curated[cell], ids), rules.per_problem)
    measures |= _cell_rates(table, correct, audits.cells[cell])
    return CellResult(
        plan=plan,
        cost=table.cost(drawn),
        n_samples=int(drawn.sum()),
        n_tokens=table.tokens(drawn),
        measures=measures,
        funnel=(*curated[cell].funnel, *_unfit(trainings, cell)),
        n_kept=curated[cell].kept.size,
        exhausted=_is_exhausted(prepared, plan.models, ids, int(drawn.sum())),
    )


def _is_exhausted(prepared: Prepared, models: Sequence[str], ids: Sequence[str], n_drawn: int) -> bool:
    """Return True if models replay recorded samples, and all that they have of these problems are drawn."""
    recorded = [prepared.available.get(model) for model in models]
    return all(each is not None for each in recorded) and n_drawn >= sum(each.get(id_, 0) for each in recorded if each for id_ in ids)


def _unfit(trainings: Sequence[Training], cell: Cell) -> Iterator[tuple[str, int]]:
    """Yield the kept solutions of a cell that a student could not be trained on, by student and reason."""
    for each in {training.student: training for training in trainings if training.cell == cell}.values():
        trained = each.trained
        lost = {"too long": trained.n_too_long, "end token inside": trained.n_with_end, "stop string inside": trained.n_with_stop}
        yield from ((f"{what} for {each.student}", count) for what, count in lost.items() if count)


def _count_kept(curated: Curated, ids: Sequence[str]) -> list[float]:
    """Return the number of solutions kept of each problem, float[problems]."""
    return [float(curated.by_problem.get(problem, 0)) for problem in ids]


def _cell_rates(table: DrawTable, correct: Bools, audited: pl.DataFrame) -> dict[str, Estimate]:
    """Return the cell's false positive rate by steps, and that of each model if it has several.

    The cell's rate weights each model by the number of problems that it solved in the cell.
    """
    counts = {model: int((table.count(correct & table.is_of(model)) > 0).sum()) for model in table.models}
    solved = {model: count for model, count in counts.items() if count}
    own = {model: audited.filter(pl.col("model") == model)["sound"].to_list() for model in solved}
    each = {f"fpr/{model}": auditing.false_positive_rate(found) for model, found in own.items()} if len(own) > 1 else {}
    return {"fpr": auditing.mixed_rate(own, solved), **each}


def _cell_comparisons(study: Study, bought: SamplingOutcome, table: DrawTable, curated: Mapping[Cell, Curated]) -> list[CellComparison]:
    """Compare every pair of cells with one budget, and number-matched cells with all.

    Args:
        study: The study.
        bought: The plans of the cells.
        table: Every draw.
        curated: The training set of each cell.
    """
    ids = table.problem_ids
    covered = {cell: (table.count(drawn & table.correct) > 0).astype(float).tolist() for cell, drawn in table.cells.items()}
    found: list[CellComparison] = []
    for left, right in itertools.combinations([p.cell for p in bought.plans], 2):
        number_matched = None in (left.budget, right.budget)
        if left.budget != right.budget and not number_matched:
            continue
        # Paired by problem, since all cells have the same problems.
        difference = paired_difference(covered[left], covered[right])
        detectable = detectable_difference(covered[left], covered[right])
        found.append(CellComparison(left=left.name, right=right.name, measure="covered", difference=difference, detectable=detectable))
        rules = [study.curate_of(cell.arm) for cell in (left, right)]
        if any(each.filter != "correct" for each in rules):
            continue
        caps = [each.per_problem for each in rules]
        cap = None if None in caps else max(each for each in caps if each is not None)
        difference = paired_count_difference(_count_kept(curated[left], ids), _count_kept(curated[right], ids), most=cap)
        found.append(CellComparison(left=left.name, right=right.name, measure="kept_per_problem", difference=difference))
    return found


def _bill_lines(
    prepared: Prepared, table: DrawTable, curated: Mapping[Cell, Curated], trainings: Sequence[Training], evaluated: Sequence[Evaluated]
) -> list[BillLine]:
    lines = list(_draw_lines(prepared, table, curated))
    for student in dict.fromkeys(t.student for t in trainings):
        own = [t.trained for t in trainings if t.student == student]
        tokens = sum(t.tokens for t in own)
        adapters = prepared.study.finetune is not None and prepared.study.finetune.method == "lora"
        cost = _training_cost(prepared.cards[student], tokens, sum(t.seconds for t in own), adapters=adapters)
        lines.append(BillLine(account="training", model=student, what="steps", count=sum(t.steps for t in own), tokens=tokens, cost=cost))
    for student in dict.fromkeys(e.student for e in evaluated):
        mine = [e for e in evaluated if e.student == student]
        tokens = sum(e.tokens for e in mine)
        each = prepared.cards[student].flops_per_token
        flops = None if each is None else each * tokens
        count = sum(e.answers for e in mine)
        lines.append(
            BillLine(
                account="evaluation", model=student, what="answers", count=count, tokens=tokens,
                cost=Cost(flops=flops, seconds=sum(e.seconds for e in mine)),
            )
        )  # fmt: skip
    return lines


def _draw_lines(prepared: Prepared, table: DrawTable, curated: Mapping[Cell, Curated]) -> Iterator[BillLine]:
    """Yield a bill line for the kept, rejected and failed draws of each model."""
    kept = np.zeros(table.draws.height, dtype=np.bool_)
    for each in curated.values():
        kept[each.kept] = True
    kept &= table.correct  # an unfiltered control is no reason to call a wrong draw kept
    failed = (table.draws["finish_reason"] == "error").to_numpy()
    for model in generators(prepared.study):
        # The masks are disjoint, so the three lines add up to the bill of the model.
        for what, which in {"kept": kept & ~failed, "rejected": ~kept & ~failed, "failed": failed}.items():
            mine = which & table.is_of(model)
            yield BillLine(account="data", model=model, what=what, count=int(mine.sum()), tokens=table.tokens(mine), cost=table.cost(mine))


def _other_lines(bought: SamplingOutcome, table: DrawTable) -> list[BillLine]:
    """Return bill lines for what the ledger has beyond the draws that the study uses now.

    These are draws of other settings, other questions and former models, requests whose answers were lost, and calls of judges.
    """
    lines: list[BillLine] = []
    for (account, model), paid in bought.ledger.accounts.items():
        if account == "judge":
            lines.append(BillLine(account=account, model=model, what="verdicts", count=paid.count, tokens=paid.tokens, cost=paid.cost))
        else:
            lines += _unused_lines(model, paid, table)
        if paid.lost:
            lines.append(BillLine(account=account, model=model, what="lost", count=paid.lost, tokens=0, cost=paid.lost_cost))
    return [line for line in lines if line.count]


def _unused_lines(model: str, paid: Account, table: DrawTable) -> list[BillLine]:
    mine = table.is_of(model)
    own, count = table.cost(mine), paid.count - int(mine.sum())
    if count <= 0:  # below 0 only where the ledger has lost lines
        return []
    cost = Cost(flops=_minus(paid.cost.flops, own.flops), usd=_minus(paid.cost.usd, own.usd))
    tokens = paid.tokens - table.tokens(mine)
    return [BillLine(account="data", model=model, what="other settings", count=count, tokens=tokens, cost=cost)]


def _minus(total: float | None, part: float | None) -> float | None:
    return None if total is None or part is None else total - part


def _training_cost(card: ModelCard, tokens: int, seconds: float, *, adapters: bool) -> Cost:
    """Return the cost of training: 6P FLOPs per token, 2P forward and twice that backward (Kaplan et al. 2020, section 2.1).

    Backward, half is for the gradients of the weights. With LoRA adapters the weights are frozen, so it is 4P; the adapters, less than a
    hundredth of the weights, are left out.
    """
    passes = 2 if adapters else 3  # of 2P each, which flops_per_token is
    return Cost(flops=None if card.flops_per_token is None else passes * card.flops_per_token * tokens, seconds=seconds)


def environment() -> dict[str, str]:
    """Return versions of Python and libraries, the platform, and the number of cores that this process may use."""
    found = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        # The cores of this process: a container may allow fewer than the machine has.
        "cores": str(available_cores()),
    }
    return found | _library_versions()


@cache  # each version is in a long file, and a process keeps the libraries that it has imported
def _library_versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        # An optional library that is not installed.
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def to_json(results: Results) -> dict[str, object]:
    """Return the content of `measures.json`: pools by model in the form of `measure --json`, with their audits, cells, and policies."""
    # measuring.to_json reads n_ungraded as ungraded draws; for measures of audits it means unchecked solutions.
    plain = {
        model: {name: estimate for name, estimate in measures.items() if not name.startswith(AUDITED)}
        for model, measures in results.pools.items()
    }
    models = measuring.to_json(plain)
    for model, measures in results.pools.items():
        models["models"][model] |= {name: asdict(estimate) for name, estimate in measures.items() if name.startswith(AUDITED)}
    cells = {
        c.plan.cell.name: {name: asdict(estimate) for name, estimate in c.measures.items()} | {"n_samples": c.n_samples, "n_kept": c.n_kept}
        for c in results.cells
    }
    # What a study does not have has no key, as it has no section in the report.
    policies = {each.cell: _without_cell(each) for each in results.spendings}
    forecasts = [{**asdict(each), "inside": each.inside} for each in results.forecasts]
    rates = {model: list(counts) for model, counts in results.pass_rates.items()}
    optional = {"policies": policies, "forecasts": forecasts, **students_json(results), "rounds": rounds_json(results), "pass_rates": rates}
    return {**models, "cells": cells, **{key: value for key, value in optional.items() if value}, **reported(results)}


def _without_cell(spending: Spending) -> dict[str, object]:
    fields = asdict(spending)
    del fields["cell"]
    for each in (*fields["models"], *fields["rounds"]):
        del each["cost"]["seconds"]  # measured: the same draws, bought again, have the same file
    return fields
