"""The study file as pydantic models, one per section. `studyfile.py` reads YAML into them."""

from __future__ import annotations

from isocost.config.arms import Arm, Budget, Limit, Match, Pilot
from isocost.config.costs import Amount, Costs, Discount, Price
from isocost.config.executors import ExecutorSpec
from isocost.config.grading import JUDGE, AuditSpec, GraderSpec
from isocost.config.models import ModelSpec, Sampling
from isocost.config.problems import ProblemSets, ProblemSource
from isocost.config.prompts import Example, Prompt, PromptChanges
from isocost.config.sections import Name, OpenSection, PositiveFloat, PositiveInt, Section
from isocost.config.students import Curate, Evaluate, Finetune
from isocost.config.study import Study

__all__ = [
    "JUDGE",
    "Amount",
    "Arm",
    "AuditSpec",
    "Budget",
    "Costs",
    "Curate",
    "Discount",
    "Evaluate",
    "Example",
    "ExecutorSpec",
    "Finetune",
    "GraderSpec",
    "Limit",
    "Match",
    "ModelSpec",
    "Name",
    "OpenSection",
    "Pilot",
    "PositiveFloat",
    "PositiveInt",
    "Price",
    "ProblemSets",
    "ProblemSource",
    "Prompt",
    "PromptChanges",
    "Sampling",
    "Section",
    "Study",
]
