"""Compute everything that the report shows from what a run stored."""
