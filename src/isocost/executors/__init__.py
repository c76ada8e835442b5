"""Executors: run jobs in worker processes on this machine (`local`) or on a Ray cluster (`ray`)."""
