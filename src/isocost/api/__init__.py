"""isocost in Python: studies, runs, and functions on tables of samples. `isocost` itself has these names; see docs/python.md."""
