"""Audits of the reasoning behind correct answers: solutions are chosen, then checked by steps, by a judge and by people."""

from isocost.auditing.choosing import choose
from isocost.auditing.judging import Judged, audit_prompt, read_reply
from isocost.auditing.labelling import SUPPOSED, Difference, Needed, differences, needed
from isocost.auditing.lots import ranks
from isocost.auditing.rates import FEWEST_LABELS, Found, ModelRates, agreements, false_positive_rate, mixed_rate, model_rates
from isocost.auditing.steps import audited, one_a_problem, to_audit
from isocost.auditing.unitcosts import unit_costs

__all__ = [
    "FEWEST_LABELS",
    "SUPPOSED",
    "Difference",
    "Found",
    "Judged",
    "ModelRates",
    "Needed",
    "agreements",
    "audit_prompt",
    "audited",
    "choose",
    "differences",
    "false_positive_rate",
    "mixed_rate",
    "model_rates",
    "needed",
    "one_a_problem",
    "ranks",
    "read_reply",
    "to_audit",
    "unit_costs",
]
