"""First study files: drafts with comments, from a template and what a user says about problems and models.

    draft("endpoint", problems="problems.jsonl", models=("small-model", "large-model"), folder=Path())

returns the text of a study file. The command line asks for what is missing and writes the file (`isocost init`).
"""

from isocost.drafting.draft import DEFAULTS, SOURCES, draft, models_of, refuse_missing, refuse_unknown

__all__ = ["DEFAULTS", "SOURCES", "draft", "models_of", "refuse_missing", "refuse_unknown"]
