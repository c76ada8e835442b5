"""The steps of a funnel from drawn to kept, each with a sentence for people."""

from collections.abc import Mapping
from types import MappingProxyType

# In the order in which they are tried: a draw counts for the first one that applies.
FUNNEL: Mapping[str, str] = MappingProxyType(
    {
        "drawn": "Solutions were drawn.",
        "error": "The engine failed and returned no solution.",
        "ungraded": "The grader could not decide about the answer.",
        "no_answer": "The solution states no answer.",
        "incorrect": "The answer is wrong.",
        "cut_off": "The text reached max_tokens and was cut off.",
        "contaminated": "The problem nearly repeats a problem of a set that is kept apart.",
        "other_problem": "The problem is not among the first ones, which alone are used.",
        "labelled_unsound": "People labelled the reasoning unsound.",
        "unsound": "An audit found the reasoning unsound.",
        "duplicate": "The set has an equal solution of the same problem.",
        "over_cap": "The set has as many solutions of the problem as it may.",
        "kept": "The solution is in the set.",
    }
)
