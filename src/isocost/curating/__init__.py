"""Build a cell's training set from its samples: which solutions go in, in what form, and a card that says so.

Solutions that reach the right answer by wrong steps stay in unless the study filters them, as in the paper (arXiv 2408.16737); the stage
`audit` counts them.
"""

from isocost.curating.card import card
from isocost.curating.choosing import Curated, Rules, candidates, curate, seeded_ranks, solutions, ways
from isocost.curating.contamination import NearDuplicate, near_duplicates
from isocost.curating.rows import completion, to_rows

__all__ = [
    "Curated",
    "NearDuplicate",
    "Rules",
    "candidates",
    "card",
    "completion",
    "curate",
    "near_duplicates",
    "seeded_ranks",
    "solutions",
    "to_rows",
    "ways",
]
