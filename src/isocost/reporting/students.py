"""The section on students: problems solved untrained and after each data set, and the paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from isocost import amounts
from isocost.records import ALL_STUDENTS, Comparison, Estimate, Evaluation, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Section, Table, number, sized
from isocost.reporting.dotfigures import ordered, students_by_data, trained_on
from isocost.reporting.headline import students_finding
from isocost.reporting.marks import DECIDED, NEUTRAL, UNDECIDED, UNTRAINED, Mark, cell_marks
from isocost.reporting.tables import Shown, count, estimate, filled, problems, size, table, text

UNDEFINED = "no problem could be graded"


def students(results: Results) -> Section | None:
    """Return the section on students; None without evaluations and failed trainings."""
    failed = _failed(results)
    if not results.evaluations:
        return Section(key="students", title="The students", finding=failed) if failed else None
    figure = students_by_data(results)
    tables = filled([_solved(results, cell_marks(results)), _voted(results), _replies(results), _differences(results)])
    finding = " ".join(filter(None, (students_finding(results) or _first_scores(results), failed)))
    return Section(key="students", title="The students", finding=finding, figures=(figure,) if figure else (), tables=tables)


def _failed(results: Results) -> str:
    """Return a sentence for each training that failed; its row is in no table."""
    return " ".join(f"Failed: {each.student} on {each.cell}, seed {each.seed}: {each.reason}." for each in results.failed_trainings)


def _first_scores(results: Results) -> str:
    """Return what the first student solves, where there are no two data sets to compare."""
    solved = [item for item in ordered(results.evaluations) if item.metric == "pass@1"] or ordered(results.evaluations)
    own = [item for item in solved if (item.student, item.split) == (solved[0].student, solved[0].split)]
    scores = ", ".join(f"{trained_on(item)} {numbers.percent(item.estimate)}" for item in own[:4])
    return f"{solved[0].student} on the {solved[0].split} split ({solved[0].metric}): {scores}."


def _solved(results: Results, marks: Mapping[str, Mark]) -> Table:
    shown: tuple[Shown[Evaluation], ...] = (
        text("Trained on", "trained_on", trained_on),
        text("Set-up", "setup", lambda item: item.setup or amounts.MISSING),
        estimate("Solved (%)", "pass@1", lambda item: item.estimate, numbers.percent, UNDEFINED),
        problems(lambda item: item.estimate),
    )
    return table(
        shown,
        [item for item in ordered(results.evaluations) if item.metric == "pass@1"],
        key="students",
        title="Problems solved, greedy decoding (pass@1)",
        caption="Share of problems solved. Untrained: with the plain format that trained ones see, and with the study's prompt.",
        group_title="Student, split",
        group=lambda item: f"{item.student}, {item.split}",
        mark=lambda item: marks.get(item.cell, NEUTRAL) if item.cell else UNTRAINED,
        drawn="pass@1",
        axis=axes.shares,
    )


class _Voter(NamedTuple):
    """The evaluated model of a row: student, split and training data."""

    student: str
    split: str
    data: str


def _voted(results: Results) -> Table:
    """Return the metrics of sampled solutions, one column each."""
    others = [item for item in ordered(results.evaluations) if "@" in item.metric and item.metric != "pass@1"]
    found = {(_Voter(item.student, item.split, trained_on(item)), item.metric): item.estimate for item in others}

    def by_vote(metric: str) -> Shown[_Voter]:
        return estimate(f"{metric} (%)", metric, lambda voter: found.get((voter, metric)), numbers.percent, UNDEFINED)

    data: Shown[_Voter] = text("Trained on", "trained_on", lambda voter: voter.data)
    return table(
        (data, *(by_vote(name) for name in dict.fromkeys(item.metric for item in others))),
        dict.fromkeys(voter for voter, _ in found),
        key="students_maj",
        title="Problems solved by several samples",
        caption="maj@k: the answer that most of k sampled solutions give. pass@k: one of k is right.",
        group_title="Student, split",
        group=lambda voter: f"{voter.student}, {voter.split}",
    )


def _replies(results: Results) -> Table:
    """Return length, end and false positives of greedy answers."""
    own = [item for item in ordered(results.evaluations) if item.metric in ("response_tokens", "stopped", "false_positives")]
    found = {(_Voter(item.student, item.split, trained_on(item)), item.metric): item.estimate for item in own}
    data: Shown[_Voter] = text("Trained on", "trained_on", lambda voter: voter.data)

    def share(title: str, metric: str, undefined: str) -> Shown[_Voter]:
        return estimate(title, metric, lambda voter: found.get((voter, metric)), numbers.percent, undefined)

    tokens: Shown[_Voter] = estimate(
        "Tokens", "response_tokens", lambda voter: found.get((voter, "response_tokens")), numbers.mean, "no answer came"
    )
    return table(
        (
            data,
            tokens,
            share("Stopped (%)", "stopped", "no answer came"),
            size("n answers", "n", lambda voter: found.get((voter, "stopped"))),
            share("False positives (%)", "false_positives", "no equation in a right answer"),
            count("n right with equations", "n_false_positives", lambda voter: _n(found.get((voter, "false_positives")))),
        ),
        dict.fromkeys(voter for voter, _ in found),
        key="students_replies",
        title="Greedy answers",
        caption="Mean tokens; share that ended before max_tokens; share of right answers with equations in which one is false.",
        group_title="Student, split",
        group=lambda voter: f"{voter.student}, {voter.split}",
    )


def _n(estimate: Estimate | None) -> int:
    return 0 if estimate is None else estimate.n


def _differences(results: Results) -> Table:
    groups = list(dict.fromkeys(map(_compared_in, sorted(results.comparisons, key=lambda item: item.student != ALL_STUDENTS))))
    shown: tuple[Shown[Comparison], ...] = (
        text("Left − right", "difference_of", lambda item: f" {amounts.MINUS} ".join(_sides(item))),
        text("Set-up of left", "setup", lambda item: item.setup or amounts.MISSING),
        estimate("Difference (points)", "difference", lambda item: item.difference, numbers.points, UNDEFINED),
        Shown(column=Column(title="n problems", key="n"), entry=_compared_on),
        Shown(
            column=Column(title="Detectable (points)", key="detectable", share=True),
            entry=lambda item: number(item.detectable, lambda value: amounts.fixed(value * 100)),
        ),
        text("Finding", "finding", _finding),
    )
    return table(
        shown,
        sorted(results.comparisons, key=lambda item: groups.index(_compared_in(item))),
        key="differences",
        title="Paired differences",
        caption="Left minus right, paired by problem, in points; all students: their mean. Not corrected for the number of rows.",
        group_title="Student, split, metric",
        group=_compared_in,
        mark=lambda item: DECIDED if _better(item) else UNDECIDED,
        drawn="difference",
        axis=axes.differences,
    )


def _compared_on(item: Comparison) -> Entry:
    """Make the entry of n. A comparison of false positives leaves out problems without an audited right answer on both sides."""
    is_audit = item.metric == "false_positives"
    return sized(item.difference, left_out="left out" if is_audit else "not graded")


def _compared_in(item: Comparison) -> str:
    return f"{item.student}, {item.split}, {item.metric}"


def _sides(item: Comparison) -> tuple[str, str]:
    return item.left or "untrained", item.right or "untrained"


def _finding(item: Comparison) -> str:
    left, right = _sides(item)
    return {1: f"● {left} better", -1: f"● {right} better"}.get(_better(item), "○ no difference found")


def _better(item: Comparison) -> int:
    """Return 1 if left is better, -1 if right is, 0 if the interval holds no difference too."""
    way = numbers.decided(item.difference, factor=100, decimals=1) or 0
    # Fewer false positives are better.
    return -way if item.metric == "false_positives" else way
