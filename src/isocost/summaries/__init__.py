"""Summarise a run for people: its plan, its status, its audits."""
