"""The section on the rounds of an iterated study: what each bought, and how its student compares with those before."""

from __future__ import annotations

from itertools import groupby

from isocost import amounts
from isocost.records import Cost, Estimate, Results, RoundResult
from isocost.reporting import numbers
from isocost.reporting.blocks import Section, Table
from isocost.reporting.dotfigures import students_by_round
from isocost.reporting.tables import Shown, costs, estimate, problems, table, text, without_remark


def rounds(results: Results) -> Section | None:
    """Return the section on rounds, whose table is the first of the report; None for a study that is not iterated."""
    if not results.rounds:
        return None
    folders = ", ".join(f"rounds/{number}/" for number in range(2, max(each.number for each in results.rounds) + 1))
    notes = (
        f"Each later round is a run of its own, with its report: {folders}.",
        "The bill, the time, warnings and failed trainings are of all rounds.",
    )
    figure = students_by_round(results)
    finding = f"{rounds_finding(results)} The sections below are of round 1."
    return Section(key="rounds", title="The rounds", finding=finding, figures=(figure,) if figure else (), notes=notes)


def rounds_table(results: Results) -> Table | None:
    """Return a row per student, cell and round; None for a study that is not iterated."""
    if not results.rounds:
        return None
    columns: tuple[Shown[RoundResult], ...] = (
        text("Round", "round", lambda item: str(item.number) if item.number else "untrained"),
        estimate("Covered (%)", "covered", lambda item: item.covered, numbers.percent, ""),
        estimate("Kept per problem", "kept_per_problem", lambda item: item.kept_per_problem, numbers.mean, ""),
        *costs("Cost", "cost", results.rounds, _cost),
        estimate("Solves (%)", "pass@1", lambda item: item.solved, numbers.percent, ""),
        problems(lambda item: item.solved),
        estimate("To round before (points)", "difference", lambda item: item.difference, numbers.points, ""),
        estimate("To round 1 (points)", "since_first", lambda item: item.since_first, numbers.points, ""),
    )
    return table(
        [without_remark(column) for column in columns],
        results.rounds,
        key="rounds",
        title="The rounds",
        caption=(
            "Covered, kept and cost are of the data that the round bought. Solves: test problems solved greedily by the student that was"
            " trained on it. Differences are on the same test problems."
        ),
        group_title="Student, cell",
        group=_group,
    )


def rounds_finding(results: Results) -> str:
    """Return a sentence for each student and cell: what it solves after the last round, beside the first and untrained."""
    return " ".join(_sentence(list(own)) for _, own in groupby(results.rounds, key=_group))


def _sentence(own: list[RoundResult]) -> str:
    last = own[-1]
    by_number = {each.number: each.solved for each in own}
    head = f"{last.student} on {last.cell}, {last.number} rounds"
    if last.solved is None:
        return f"{head}: the last round has no student to compare."
    solves = f"{head}: it solves {numbers.percent(last.solved)} of {numbers.count(last.solved.n)} test problems after the last round"
    beside = ", ".join(f"{_solved(by_number[number])} {name}" for number, name in ((1, "after the first"), (0, "untrained")))
    return f"{solves}, {beside}. {_since_first(last)}."


def _since_first(last: RoundResult) -> str:
    difference = last.since_first
    if difference is None or (way := numbers.decided(difference, factor=100, decimals=1)) is None:
        return "Its first round has no student to compare it with"
    value, low, high = (amounts.fixed(100 * (end or 0.0), sign=True) for end in (difference.value, difference.low, difference.high))
    if way:
        word = "better" if way > 0 else "worse"
        return f"The student of round {last.number} is {word} than that of round 1: {value} points [{low}, {high}]"
    could = "" if last.detectable is None else f"; {numbers.detects(last.detectable)}"
    return f"No difference found between the students of rounds {last.number} and 1 ({low} to {high} points{could})"


def _solved(solved: Estimate | None) -> str:
    return "unknown" if solved is None else numbers.percent(solved)


def _group(item: RoundResult) -> str:
    return f"{item.student}, {item.cell}"


def _cost(item: RoundResult) -> Cost:
    # The seconds of the engines say little here, and would be a column more.
    return Cost(flops=item.cost.flops, usd=item.cost.usd) if item.cost else Cost()
