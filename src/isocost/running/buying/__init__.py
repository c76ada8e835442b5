"""Buying draws: pools and what they lack, calls of engines on the ledger, grading meanwhile, and what is told of it all."""
