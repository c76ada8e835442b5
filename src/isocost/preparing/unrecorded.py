"""Problems of which the table of a replayed model has no sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isocost.config import Study
from isocost.events import Listener, Note
from isocost.policies import FIXED
from isocost.records import Problem

_SHOWN = 60  # characters of an id in a message

Counts = Mapping[str, Mapping[str, int] | None]


def replayed_within(study: Study) -> list[str]:
    """Return the models of arms whose policy asks for no more samples than are recorded. A fixed plan with too few fails instead."""
    used = {model for arm in study.arms.values() if arm.policy not in FIXED for model in arm.models}
    return [name for name in study.models if name in used]


def unrecorded_mistakes(counts: Counts, problems: Sequence[Problem]) -> Iterator[str]:
    """Yield the models whose recorded samples are of none of the problems: the ids of table and problems differ.

    Args:
        counts: Recorded samples by problem id, by model; None for a model that generates its samples.
        problems: The training problems.
    """
    for name, recorded in counts.items():
        if recorded is not None and problems and not any(problem.id in recorded for problem in problems):
            theirs = f'such as "{next(iter(recorded))[:_SHOWN]}"' if recorded else "none at all"
            yield (
                f"models.{name}: has recorded samples of none of the problems: ids of its table are {theirs}, "
                f'those of problems.train such as "{problems[0].id[:_SHOWN]}"\n'
                "  give both the same ids: a field id in the problems, the column problem_id in the table"
            )


def note_unrecorded(counts: Counts, problems: Sequence[Problem], listener: Listener) -> None:
    """Note, for each model, the number of problems of which no sample is recorded. The arguments are those of `unrecorded_mistakes`."""
    for name, recorded in counts.items():
        lacking = [problem.id for problem in problems if recorded is not None and not recorded.get(problem.id)]
        if lacking:
            first = lacking[0][:_SHOWN]
            listener(Note(text=f"models.{name}: no sample is recorded of {len(lacking):,} of {len(problems):,} problems (first: {first})"))
