"""The numbers of the report that `measures.json` holds beside the measures of models and cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from isocost.records import Results

_TIMED = "seconds"  # wall-clock time differs each time, and the same draws bought again have the same file


def reported(results: Results) -> dict[str, object]:
    """Return comparisons of cells, curves, crossovers, pairs of models, costs, the bill and exclusions; docs/formats.md has the keys.

    What a study does not have has no key.
    """
    found: dict[str, list[Any]] = {
        "cell_comparisons": [asdict(each) for each in results.cell_comparisons],
        "curves": [_untimed(asdict(each)) for each in (*results.curves, *results.mixtures)],
        "crossovers": [asdict(each) for each in results.crossovers],
        "model_pairs": [asdict(each) for each in results.model_pairs],
        "costs": [
            {
                "cell": cell.plan.cell.name,
                "samples_per_problem": dict(cell.plan.samples_per_problem),
                "at_most_per_problem": dict(cell.plan.at_most_per_problem),
                "planned": _untimed(asdict(cell.plan.cost)),
                "realised": _untimed(asdict(cell.cost)),
                "n_tokens": cell.n_tokens,
                "funnel": dict(cell.funnel),
            }
            for cell in results.cells
        ],
        "bill": [_untimed(asdict(line)) for line in results.bill],
        "excluded": [{"problem_id": problem, "reason": reason} for problem, reason in results.excluded],
    }
    return {key: value for key, value in found.items() if value}


def _untimed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _untimed(value) if isinstance(value, Mapping) else value for key, value in fields.items() if key != _TIMED}
