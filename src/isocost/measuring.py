"""Measuring: what the samples of a model, or of a cell, are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from isocost.metrics.coverage import Floats, Ints, coverage_at_k, covered, pass_at_1
from isocost.metrics.diversity import Level, distinct_key, diversity_at_k, kept_per_problem
from isocost.metrics.intervals import count_interval, mean_interval
from isocost.records import Estimate

Measures = Mapping[str, Mapping[str, Estimate]]
_LEVELS: dict[str, Level] = {"diversity": "string", "diversity_normalised": "normalised", "diversity_equations": "equations"}
_FEW_PROBLEMS = 30


def measure(table: pl.DataFrame, ks: Sequence[int]) -> dict[str, dict[str, Estimate]]:
    """Coverage and diversity at each k, pass@1 and covered of every model in a table of samples.

    All samples of a model and problem are taken as M equal draws, whatever their pool: the table must not come from adaptive sampling,
    whose counts depend on the outcomes. Samples that were not graded are left out of M and counted in n_ungraded. A problem is left out of
    a measure that it does not define (k > M, or nothing graded); n is the number that remain, and the estimate is None where none do.
    Intervals are over problems.

    Args:
        table: As `tables.read_table` gives it; diversity needs `generation`.
        ks: Draws to measure at.

    Returns:
        By model in order of appearance, then by name: `coverage@K`, `diversity@K` (exact strings), `diversity_normalised@K` and
        `diversity_equations@K` for each K, `pass@1`, `covered`.

    Raises:
        ValueError: A k below 1.
    """
    if any(k < 1 for k in ks):
        raise ValueError(f"k must be at least 1, got {min(ks)}")
    by_model = table.partition_by("model", maintain_order=True, as_dict=True)
    return {str(model): _measure_model(rows, ks) for (model,), rows in by_model.items()}


def measure_cell(table: pl.DataFrame, problem_ids: Sequence[str], cap: int | None = None) -> dict[str, Estimate]:
    """`covered`, `kept_per_problem` and `pass@1` of the samples that a cell bought, over all problems of the study.

    A problem without a correct sample in the cell, bought or not, graded or not, is not covered and keeps nothing: these are the data in
    hand. pass@1 is the mean over the problems with a graded sample of their share correct; an adaptive policy that stops at successes
    biases it, upwards.

    Args:
        table: The cell's samples, of all its models; kept_per_problem needs `generation`.
        problem_ids: Every problem that the cell could have bought for.
        cap: Most distinct correct solutions kept of one problem; None keeps all.
    """
    counts = _count(table.filter(pl.col("problem_id").is_in(list(problem_ids))), list(problem_ids))
    found = {"covered": mean_interval(covered(counts.correct)), "pass@1": mean_interval(pass_at_1(counts.drawn, counts.correct))}
    if "generation" in table.columns:
        owners, _ = counts.classes("string")
        kept = kept_per_problem(np.bincount(owners, minlength=len(problem_ids)), cap)
        found["kept_per_problem"] = count_interval(kept, cap)
    return {name: replace(estimate, n_ungraded=counts.ungraded) for name, estimate in found.items()}


def to_json(measures: Measures) -> dict[str, dict[str, dict[str, object]]]:
    """The object that `isocost measure --json` prints.

    {"models": {MODEL: {NAME: {"value", "low", "high", "n"}, ..., "n_ungraded": int}}}.
    """
    models: dict[str, dict[str, object]] = {}
    for model, estimates in measures.items():
        models[model] = {name: {"value": e.value, "low": e.low, "high": e.high, "n": e.n} for name, e in estimates.items()}
        models[model]["n_ungraded"] = _ungraded(estimates)
    return {"models": models}


def to_markdown(measures: Measures) -> str:
    """A Markdown table, a row a measure and a column a model, each number with its 95% interval over problems and its n."""
    names = list(dict.fromkeys(name for estimates in measures.values() for name in estimates))
    rows = [["measure", *measures], ["---", *("---:" for _ in measures)]]
    rows += [[name, *(_cell(name, estimates.get(name)) for estimates in measures.values())] for name in names]
    rows.append(["samples not graded", *(f"{_ungraded(estimates):,}" for estimates in measures.values())])
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    note = "Means over n problems with 95% intervals over problems; diversity: distinct correct solutions."
    if any(0 < e.n < _FEW_PROBLEMS for estimates in measures.values() for e in estimates.values()):
        note += f" Few problems: some n are under {_FEW_PROBLEMS}."
    return "\n".join([*lines, "", note])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """The graded draws of each problem: int[problems] twice, and the correct texts with the index of their problem."""

    drawn: Ints
    correct: Ints
    ungraded: int
    solutions: pl.DataFrame

    def classes(self, level: Level) -> tuple[Ints, Ints]:
        """Problem and multiplicity of each distinct correct solution: int[classes] twice."""
        texts = self.solutions["generation"].unique()
        keys = pl.DataFrame(
            {"generation": texts, "key": [distinct_key(text, level) for text in texts]}, schema_overrides={"key": pl.String}
        )
        found = self.solutions.join(keys, on="generation").group_by("problem", "key").len().sort("problem", "key")
        return found["problem"].cast(pl.Int64).to_numpy(), found["len"].cast(pl.Int64).to_numpy()


def _measure_model(rows: pl.DataFrame, ks: Sequence[int]) -> dict[str, Estimate]:
    counts = _count(rows, rows["problem_id"].unique(maintain_order=True).to_list())
    classes = {name: counts.classes(level) for name, level in _LEVELS.items()} if "generation" in rows.columns else {}
    found: dict[str, Estimate] = {}
    for k in ks:
        found[f"coverage@{k}"] = mean_interval(coverage_at_k(counts.drawn, counts.correct, k))
        for name, (owners, multiplicity) in classes.items():
            found[f"{name}@{k}"] = count_interval(diversity_at_k(counts.drawn, owners, multiplicity, k), k)
    found["pass@1"] = mean_interval(pass_at_1(counts.drawn, counts.correct))
    found["covered"] = mean_interval(_where_drawn(counts.drawn, covered(counts.correct)))
    return {name: replace(estimate, n_ungraded=counts.ungraded) for name, estimate in found.items()}


def _count(rows: pl.DataFrame, problem_ids: Sequence[str]) -> _Counts:
    index = pl.DataFrame(
        {"problem_id": problem_ids, "problem": range(len(problem_ids))}, schema={"problem_id": pl.String, "problem": pl.Int64}
    )
    graded = rows.drop_nulls("correct").join(index, on="problem_id", how="left", maintain_order="left")
    owner, correct = graded["problem"].to_numpy(), graded["correct"].to_numpy()
    wanted = [name for name in ("problem", "generation") if name in graded.columns]
    return _Counts(
        drawn=np.bincount(owner, minlength=len(problem_ids)),
        correct=np.bincount(owner[correct], minlength=len(problem_ids)),
        ungraded=rows.height - graded.height,
        solutions=graded.filter("correct").select(wanted).with_columns(pl.col(pl.String).fill_null("")),
    )


def _where_drawn(drawn: Ints, values: Floats) -> Floats:
    return np.where(drawn > 0, values, np.nan)


def _ungraded(estimates: Mapping[str, Estimate]) -> int:
    return max((estimate.n_ungraded for estimate in estimates.values()), default=0)


def _cell(name: str, estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined"
    value, low, high = estimate.value, estimate.low, estimate.high
    if name.startswith(("diversity", "kept")):
        return f"{value:.2f} [{low:.2f}, {high:.2f}], n {estimate.n:,}"
    return f"{100 * value:.1f}% [{100 * low:.1f}, {100 * high:.1f}], n {estimate.n:,}"
