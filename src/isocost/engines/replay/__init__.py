"""Answers from a recorded table of samples: studies without a model, in tests and for published pools.

engine    the engine, which looks samples up
recorded  the samples of one model in columns, and their identity
table     reads and checks the table
"""
