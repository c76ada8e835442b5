"""Answers from a recorded table of samples: studies without a model, in tests and for published pools.

engine    the engine, which looks samples up
recorded  the samples of one model in columns, and their identity
table     reads and checks the table
"""

from isocost.engines.replay.engine import ReplayEngine, ReplayOptions, open_engine

__all__ = ["ReplayEngine", "ReplayOptions", "open_engine"]
