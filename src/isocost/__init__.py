"""Compute-optimal sampling for synthetic reasoning data."""
