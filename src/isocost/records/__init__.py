"""Records: the values that stages pass to each other. They are frozen, keyword-only, and have no behaviour beyond reading themselves."""

from __future__ import annotations

from isocost.records.audits import Audit, AuditedBy, Chosen, Label, LabelVerdict
from isocost.records.costs import UNITS, Basis, BillLine, Cost, Unit, prompt_readings
from isocost.records.digests import ADDED_LATER, NOT_DIGESTED, OMIT, OMIT_DEFAULT
from isocost.records.estimates import Estimate, estimate_json
from isocost.records.forecasts import ForecastOutcome
from isocost.records.funnel import FUNNEL
from isocost.records.results import (
    ALL_STUDENTS,
    Cell,
    CellComparison,
    CellPlan,
    CellResult,
    Comparison,
    Evaluation,
    FailedTraining,
    ModelCard,
    ModelCrossover,
    ModelCurve,
    ModelPair,
    PriceTier,
    PromptReading,
    Results,
    Setup,
)
from isocost.records.rounds import RoundResult
from isocost.records.samples import (
    Allocation,
    Delimiters,
    Failed,
    FinishReason,
    Outcome,
    Pair,
    Problem,
    SamplingParams,
    Truncation,
    Verdict,
)
from isocost.records.spending import Estimator, ModelSpending, RoundSpending, Spending, UniformMatch

__all__ = [
    "ADDED_LATER",
    "ALL_STUDENTS",
    "FUNNEL",
    "NOT_DIGESTED",
    "OMIT",
    "OMIT_DEFAULT",
    "UNITS",
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
    "Delimiters",
    "Estimate",
    "Estimator",
    "Evaluation",
    "Failed",
    "FailedTraining",
    "FinishReason",
    "ForecastOutcome",
    "Label",
    "LabelVerdict",
    "ModelCard",
    "ModelCrossover",
    "ModelCurve",
    "ModelPair",
    "ModelSpending",
    "Outcome",
    "Pair",
    "PriceTier",
    "Problem",
    "PromptReading",
    "Results",
    "RoundResult",
    "RoundSpending",
    "SamplingParams",
    "Setup",
    "Spending",
    "Truncation",
    "UniformMatch",
    "Unit",
    "Verdict",
    "estimate_json",
    "prompt_readings",
]
