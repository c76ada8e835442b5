"""Describe the rounds of an iterated study in its plan: what each spends and samples."""

from __future__ import annotations

from collections.abc import Sequence

from isocost.amounts import format_amount
from isocost.preparing.prepare import Prepared
from isocost.records import CellPlan
from isocost.studyrounds import own_students, trained_name


def describe_rounds(prepared: Prepared, plans: Sequence[CellPlan]) -> str:
    """Return the rounds of a plan as a table, with what each cell spends and samples in each; "" for a study of one round."""
    study = prepared.study
    if study.rounds == 1:
        return ""
    lines = [
        f"{study.rounds} rounds, each with an equal part of the budget; the table above is one of them.",
        "",
        "| round | cell | budget | samples from |",
        "| ---: | --- | ---: | --- |",
    ]
    for number in range(1, study.rounds + 1):
        for plan in plans:
            amount = "number-matched" if plan.unit is None or plan.amount is None else format_amount(plan.unit, plan.amount)
            lines.append(f"| {number} | {plan.cell.name} | {amount} | {', '.join(_models(prepared, plan, number))} |")
    return "\n".join(lines)


def rounds_json(prepared: Prepared, plans: Sequence[CellPlan]) -> dict[str, object]:
    """Return the key `rounds` of `isocost plan --json`: by round, each cell with its unit, amount and models; no key for one round."""
    if prepared.study.rounds == 1:
        return {}
    numbers = range(1, prepared.study.rounds + 1)
    return {
        "rounds": [
            {
                "round": number,
                "cells": [
                    {"cell": plan.cell.name, "unit": plan.unit, "amount": plan.amount, "models": _models(prepared, plan, number)}
                    for plan in plans
                ],
            }
            for number in numbers
        ]
    }


def _models(prepared: Prepared, plan: CellPlan, number: int) -> list[str]:
    """Return the models that a cell samples in a round: from the second on, students have the names of what was trained before."""
    students = own_students(prepared.study, plan.cell.arm) if number > 1 else ()
    return [trained_name(model, plan.cell.arm, number - 1) if model in students else model for model in plan.models]
