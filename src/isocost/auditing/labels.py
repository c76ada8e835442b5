"""What people said of chosen solutions: whose word stands, where they agree, and the rate so far."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from isocost.metrics.agreement import Agreement, agreement
from isocost.metrics.intervals import weighted_proportion
from isocost.records import Chosen, Estimate, Label, LabelVerdict

REASONS = ("wrong step", "lucky", "wrong question", "copied answer", "cut off", "grader error")
_FEWEST = 10  # labels a stratum needs to stand for itself; below, it is taken together with the one of the next weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What all labellers together found.

    Attributes:
        sound: By sample id, of solutions that somebody found sound or unsound and nobody found otherwise.
        disagreed: Solutions that some found sound and others unsound: no label until it is settled.
        unsure: Solutions of which nobody said more than unsure.
    """

    sound: Mapping[str, bool]
    disagreed: frozenset[str]
    unsure: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two labellers on the solutions that both found sound or unsound.

    Attributes:
        left: A labeller.
        right: The other, later in the alphabet.
        agreement: Raw and kappa, with intervals.
        counts: By what the left and the right one said: how many solutions.
        differing: The solutions that they differ on, in the order given.
        unsure: Solutions that both labelled and at least one was unsure of; they are left out.
    """

    left: str
    right: str
    agreement: Agreement
    counts: Mapping[tuple[LabelVerdict, LabelVerdict], int]
    differing: tuple[str, ...]
    unsure: int


def words(labels: Iterable[Label], labeller: str) -> list[Label]:
    """What a labeller said and did not take back, skips too, in the order of the log.

    An `undo` takes back the last word on its solution that still stands; the one before, if there is one, stands again.
    """
    kept: list[Label] = []
    for label in labels:
        if label.labeller != labeller:
            continue
        if label.verdict != "undo":
            kept.append(label)
            continue
        last = next((i for i in reversed(range(len(kept))) if kept[i].sample_id == label.sample_id), None)
        if last is not None:
            del kept[last]
    return kept


def standing(labels: Iterable[Label]) -> dict[tuple[str, str], Label]:
    """The last word of each labeller on each solution, by (labeller, sample id): sound, unsound or unsure.

    What was undone does not stand, and a skip (not now) takes nothing back that was said before.
    """
    said = list(labels)
    found: dict[tuple[str, str], Label] = {}
    for labeller in dict.fromkeys(label.labeller for label in said):
        found |= {(labeller, label.sample_id): label for label in words(said, labeller) if label.verdict != "skip"}
    return found


def verdicts(labels: Iterable[Label]) -> Verdicts:
    """One verdict a solution: where labellers who were sure do not disagree."""
    said: dict[str, set[LabelVerdict]] = defaultdict(set)
    for (_, sample_id), label in standing(labels).items():
        said[sample_id].add(label.verdict)
    sure = {sample_id: kinds - {"unsure"} for sample_id, kinds in said.items()}
    return Verdicts(
        sound={sample_id: kinds == {"sound"} for sample_id, kinds in sure.items() if len(kinds) == 1},
        disagreed=frozenset(sample_id for sample_id, kinds in sure.items() if len(kinds) > 1),
        unsure=frozenset(sample_id for sample_id, kinds in sure.items() if not kinds),
    )


def compared(labels: Iterable[Label]) -> Iterator[Compared]:
    """Every two labellers, on the solutions that both found sound or unsound; those that share none are left out."""
    by_labeller: dict[str, dict[str, LabelVerdict]] = defaultdict(dict)
    for (labeller, sample_id), label in standing(labels).items():
        by_labeller[labeller][sample_id] = label.verdict
    for left, right in combinations(sorted(by_labeller), 2):
        theirs = by_labeller[right]
        both = {sample_id: (verdict, theirs[sample_id]) for sample_id, verdict in by_labeller[left].items() if sample_id in theirs}
        sure = {sample_id: pair for sample_id, pair in both.items() if "unsure" not in pair}
        if both:
            yield Compared(
                left=left,
                right=right,
                agreement=agreement([a for a, _ in sure.values()], [b for _, b in sure.values()]),
                counts=Counter(sure.values()),
                differing=tuple(sample_id for sample_id, (a, b) in sure.items() if a != b),
                unsure=len(both) - len(sure),
            )


def rate_so_far(said: Mapping[str, LabelVerdict], chosen: Sequence[Chosen]) -> Estimate:
    """Share of unsound ones among the problems that models solved, from labels of the first places, whatever model they are of.

    Labels are a random subset of the chosen; strata (model and level) are weighted back to the problems they stand for. Strata with few
    labels are taken together with those of the next weight, so that with few labels, or equal weights, it is Wilson's plain rate.

    Args:
        said: By sample id; what is neither sound nor unsound is left out.
        chosen: All that were chosen.

    Returns:
        n counts the labels that are sound or unsound; undefined without any.
    """
    strata: dict[tuple[float, str, str], list[Chosen]] = defaultdict(list)
    for one in chosen:
        strata[one.weight, one.model, one.stratum].append(one)
    unsound, sure, weight = [0], [0], [0.0]
    for key in sorted(strata):
        if sure[-1] >= _FEWEST:
            unsound.append(0)
            sure.append(0)
            weight.append(0.0)
        found = Counter(said.get(one.sample_id) for one in strata[key])
        unsound[-1] += found["unsound"]
        sure[-1] += found["sound"] + found["unsound"]
        weight[-1] += sum(one.weight for one in strata[key])
    if len(sure) > 1 and sure[-1] < _FEWEST:  # what is left over at the end has no next one
        unsound[-2:], sure[-2:], weight[-2:] = [sum(unsound[-2:])], [sum(sure[-2:])], [sum(weight[-2:])]
    if not sure[0]:
        return Estimate(value=None, low=None, high=None, n=0)
    return weighted_proportion(unsound, sure, weight)
