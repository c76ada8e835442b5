"""Audits by steps: the arithmetic that solutions write out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from isocost.auditing.lots import lot
from isocost.equations import audit_steps
from isocost.records import Audit, Outcome, Sample, Verdict


def audit(samples: Iterable[Sample], verdicts: Mapping[str, Verdict], *, per_model: int | None, seed: int) -> list[Audit]:
    """Check the arithmetic of some answer-correct solutions of each model, at most one of a problem and model.

    A problem that a model has solved is drawn with equal chance, and so is a solution among its correct ones; the choice depends on the
    seed and on what there is to choose from, not on the order of the samples.

    What it cannot see: it reads the equations that a solution writes out and nothing else. A wrong step in words, a right equation about
    the wrong quantity, a skipped step, a lucky guess or algebra with letters passes as sound or, without any equation, as not checked. A
    false equation that the final answer does not rest on still counts as unsound. So its rate is closer to a lower bound of the false
    positive rate; people or a judge find the rest.

    Args:
        samples: The solutions, in any order.
        verdicts: By sample id; a sample without one is not correct.
        per_model: Solutions to check of each model; None for one of every solved problem.
        seed: Of the choice.

    Returns:
        One audit a chosen solution, by model and then in the order drawn; `sound` is None where no equation could be read.
    """
    drawn = one_a_problem(samples, verdicts, seed=seed)
    # A second lot for the problem: the least of many sample lots would favour problems with many correct solutions.
    order = sorted(drawn, key=lambda key: (key[0], lot(seed, *key)))
    chosen = [drawn[key] for _, keys in groupby(order, key=lambda key: key[0]) for key in list(keys)[:per_model]]
    return [audited(sample) for sample in chosen]


def audited(sample: Sample) -> Audit:
    """The audit of one solution; `sound` is None where no equation could be read."""
    sound, first_false = audit_steps(sample.generation)
    return Audit(sample_id=sample.id, by="steps", sound=sound, first_false=first_false)


def one_a_problem(samples: Iterable[Sample], verdicts: Mapping[str, Verdict], *, seed: int) -> dict[tuple[str, str], Sample]:
    """Of every model and problem that it solved, one of the correct solutions, each with equal chance: (model, problem id) -> it."""
    drawn: dict[tuple[str, str], Sample] = {}
    for sample in samples:
        verdict = verdicts.get(sample.id)
        if verdict is None or verdict.outcome is not Outcome.CORRECT:
            continue
        key = (sample.model, sample.problem_id)
        if key not in drawn or lot(seed, sample.id) < lot(seed, drawn[key].id):
            drawn[key] = sample
    return drawn
