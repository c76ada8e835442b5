"""Records: the values that stages pass to each other. They are frozen, keyword-only, and have no behaviour beyond reading themselves."""

from __future__ import annotations

from isocost.records.audits import Audit, AuditedBy, Chosen, Label, LabelVerdict
from isocost.records.cells import Cell, CellComparison, CellPlan, CellResult
from isocost.records.costs import Basis, BillLine, Cost, Unit
from isocost.records.curves import ModelCrossover, ModelCurve, ModelPair
from isocost.records.digests import ADDED_LATER, OMIT_DEFAULT
from isocost.records.estimates import Estimate
from isocost.records.evaluations import Comparison, Evaluation, Setup
from isocost.records.models import ModelCard, PromptReading
from isocost.records.problems import Problem
from isocost.records.results import Results
from isocost.records.samples import Allocation, FinishReason, SamplingParams
from isocost.records.verdicts import Outcome, Verdict

__all__ = [
    "ADDED_LATER",
    "OMIT_DEFAULT",
    "Allocation",
    "Audit",
    "AuditedBy",
    "Basis",
    "BillLine",
    "Cell",
    "CellComparison",
    "CellPlan",
    "CellResult",
    "Chosen",
    "Comparison",
    "Cost",
    "Estimate",
    "Evaluation",
    "FinishReason",
    "Label",
    "LabelVerdict",
    "ModelCard",
    "ModelCrossover",
    "ModelCurve",
    "ModelPair",
    "Outcome",
    "Problem",
    "PromptReading",
    "Results",
    "SamplingParams",
    "Setup",
    "Unit",
    "Verdict",
]
