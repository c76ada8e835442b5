"""Distributions of per-problem pass rates: laws, priors, and posteriors from counts of successes and draws."""

from __future__ import annotations

from isocost.passrates.grid import Marginal
from isocost.passrates.laws import PAPER, Law
from isocost.passrates.marginal import MarginalPosterior
from isocost.passrates.posterior import Posterior, States
from isocost.passrates.powerlaw import power_law
from isocost.passrates.priors import HIERARCHICAL, Prior, fixed_prior, law_prior

__all__ = [
    "HIERARCHICAL",
    "PAPER",
    "Law",
    "Marginal",
    "MarginalPosterior",
    "Posterior",
    "Prior",
    "States",
    "fixed_prior",
    "law_prior",
    "power_law",
]
