"""Human labels of chosen solutions: the current ones, the labellers' agreement, and the rate so far."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from isocost.metrics.agreement import Agreement, agreement
from isocost.metrics.intervals import weighted_proportion
from isocost.records import Chosen, Estimate, Label, LabelVerdict

REASONS = {  # why a solution is unsound, in the order of their keys, and what each means
    "wrong step": "a step does not follow, or its arithmetic is false",
    "lucky": "wrong reasoning reaches the right answer by chance",
    "wrong question": "it answers another question than the one asked",
    "copied answer": "it states the answer without deriving it",
    "cut off": "the text ends before its reasoning does",
    "grader error": "the answer is wrong, and the grader took it as correct",
}
_FEWEST = 10  # labels per stratum; a stratum with fewer is merged with the one of the next weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The verdicts of all labellers together.

    Attributes:
        sound: By sample id, of solutions on which all sure labellers agree.
        disagreed: Solutions that some found sound and others unsound: they have no verdict until that is settled.
        unsure: Solutions that every labeller was unsure of.
    """

    sound: Mapping[str, bool]
    disagreed: frozenset[str]
    unsure: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison of two labellers on the solutions that both found sound or unsound.

    Attributes:
        left: A labeller.
        right: The other, later in the alphabet.
        agreement: Raw and kappa, with intervals.
        counts: The number of solutions by the left and the right labeller's verdict.
        differing: The solutions that they differ on, in the order given.
        unsure: The number of solutions that both labelled and at least one was unsure of; they are left out.
    """

    left: str
    right: str
    agreement: Agreement
    counts: Mapping[tuple[LabelVerdict, LabelVerdict], int]
    differing: tuple[str, ...]
    unsure: int


def kept_labels(labels: Iterable[Label], labeller: str) -> list[Label]:
    """Return a labeller's labels that were not undone, skips included, in the order of the log.

    An `undo` removes the last remaining label of its solution; the label before it, if any, is then the current one.
    """
    kept: list[Label] = []
    for label in labels:
        if label.labeller != labeller:
            continue
        if label.verdict != "undo":
            kept.append(label)
            continue
        # An undo refers to its own solution, not to the log's last line: a labeller may undo an earlier solution.
        last = next((i for i in reversed(range(len(kept))) if kept[i].sample_id == label.sample_id), None)
        if last is not None:
            del kept[last]
    return kept


def current_labels(labels: Iterable[Label]) -> dict[tuple[str, str], Label]:
    """Return the current label of each labeller on each solution, by (labeller, sample id): sound, unsound or unsure.

    Undone labels do not count. A skip (not now) leaves an earlier label in place.
    """
    log = list(labels)
    found: dict[tuple[str, str], Label] = {}
    for labeller in dict.fromkeys(label.labeller for label in log):
        found |= {(labeller, label.sample_id): label for label in kept_labels(log, labeller) if label.verdict != "skip"}
    return found


def verdicts(labels: Iterable[Label]) -> Verdicts:
    """Return one verdict per solution, where all sure labellers agree."""
    given: dict[str, set[LabelVerdict]] = defaultdict(set)
    for (_, sample_id), label in current_labels(labels).items():
        given[sample_id].add(label.verdict)
    sure = {sample_id: kinds - {"unsure"} for sample_id, kinds in given.items()}
    return Verdicts(
        sound={sample_id: kinds == {"sound"} for sample_id, kinds in sure.items() if len(kinds) == 1},
        disagreed=frozenset(sample_id for sample_id, kinds in sure.items() if len(kinds) > 1),
        unsure=frozenset(sample_id for sample_id, kinds in sure.items() if not kinds),
    )


def compare_labellers(labels: Iterable[Label]) -> Iterator[Compared]:
    """Yield a comparison of every two labellers; pairs that share no solution are left out."""
    by_labeller: dict[str, dict[str, LabelVerdict]] = defaultdict(dict)
    for (labeller, sample_id), label in current_labels(labels).items():
        by_labeller[labeller][sample_id] = label.verdict
    for left, right in combinations(sorted(by_labeller), 2):
        theirs = by_labeller[right]
        both = {sample_id: (verdict, theirs[sample_id]) for sample_id, verdict in by_labeller[left].items() if sample_id in theirs}
        # Unsure is no verdict: as a third category it would count as disagreement.
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
    """Estimate the share of unsound solutions among the problems that models solved, from the labels given so far, over all models.

    Labels are a random subset of the chosen solutions. Strata (model and level) are weighted by the problems that they represent. Strata
    with few labels are merged with those of the next weight, so that with few labels, or equal weights, the result is Wilson's plain rate.

    Args:
        said: Verdicts by sample id; only sound and unsound ones count.
        chosen: All chosen solutions.

    Returns:
        n counts the labels that are sound or unsound; undefined without any.
    """
    strata: dict[tuple[float, str, str], list[Chosen]] = defaultdict(list)
    for one in chosen:
        strata[one.weight, one.model, one.stratum].append(one)
    unsound, sure, weight = [0], [0], [0.0]
    # Sorted by weight first, so that only strata of similar weight are merged, which keeps the bias of merging small.
    for key in sorted(strata):
        if sure[-1] >= _FEWEST:
            unsound.append(0)
            sure.append(0)
            weight.append(0.0)
        found = Counter(said.get(one.sample_id) for one in strata[key])
        unsound[-1] += found["unsound"]
        sure[-1] += found["sound"] + found["unsound"]
        weight[-1] += sum(one.weight for one in strata[key])
    if len(sure) > 1 and sure[-1] < _FEWEST:  # the last stratum has no next one, so it joins the one before
        unsound[-2:], sure[-2:], weight[-2:] = [sum(unsound[-2:])], [sum(sure[-2:])], [sum(weight[-2:])]
    if not sure[0]:
        return Estimate(value=None, low=None, high=None, n=0)
    return weighted_proportion(unsound, sure, weight)
