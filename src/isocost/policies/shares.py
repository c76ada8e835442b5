"""Shares of the money of an arm with several models."""

from __future__ import annotations

from isocost.errors import BudgetError
from isocost.policies.base import Terms


def money_shares(terms: Terms, policy: str) -> list[float]:
    """Return the share of each model, in the order of the terms: those of the terms, or equal ones if there are none.

    Args:
        terms: The terms of the cell.
        policy: The name of the policy, for messages.

    Raises:
        BudgetError: the arm has one model or no budget, or the shares are not those of its models, not positive or above 1 together.
    """
    models, shares = terms.models, terms.shares
    if terms.amount is None:
        raise BudgetError(f"the policy {policy} spends shares of a budget; samples_per_problem is for the policy uniform")
    if len(models) < 2:
        raise BudgetError(f"the policy {policy} takes at least two models, got {len(models)}: {', '.join(models)}")
    if not shares:
        return [1.0 / len(models)] * len(models)
    if set(shares) != set(models):
        raise BudgetError(f"the policy {policy} needs a share for each of its models, {', '.join(models)}; got {', '.join(shares)}")
    # Decimal shares that sum to 1 may exceed it in floats.
    if not all(share > 0 for share in shares.values()) or sum(shares.values()) > 1.0 + 1e-9:
        given = ", ".join(f"{model}: {share:g}" for model, share in shares.items())
        raise BudgetError(f"the policy {policy} needs positive shares that sum to at most 1, got {given}")
    return [shares[model] for model in models]
