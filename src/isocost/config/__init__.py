"""The study file: pydantic models, one per section. `studyfile.py` reads YAML into them.

Every field has a line under `Attributes` of its model. `scripts/study_docs.py` writes docs/study-file.md from these lines.
"""

from __future__ import annotations

from isocost.config.grading import JUDGE, AuditSpec, GraderSpec
from isocost.config.models import BatchPrice, Costs, Discount, ListPrice, ModelSpec, Price, Prompt
from isocost.config.sections import OpenSection, Section
from isocost.config.study import Arm, Budget, ExecutorSpec, ProblemSource, Study
from isocost.config.training import Curate

__all__ = [
    "JUDGE",
    "Arm",
    "AuditSpec",
    "BatchPrice",
    "Budget",
    "Costs",
    "Curate",
    "Discount",
    "ExecutorSpec",
    "GraderSpec",
    "ListPrice",
    "ModelSpec",
    "OpenSection",
    "Price",
    "ProblemSource",
    "Prompt",
    "Section",
    "Study",
]
