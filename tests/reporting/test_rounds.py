"""The section on rounds, its table, and the verdict of an iterated study."""

from __future__ import annotations

from dataclasses import replace

from isocost.records import Cost, Estimate, Results, RoundResult
from isocost.reporting import report
from isocost.reporting.headline import headline
from isocost.reporting.rounds import rounds, rounds_finding, rounds_table
from tests.reporting.builder import estimate, results


def row(number: int, solved: float | None, since: Estimate | None = None) -> RoundResult:
    if number == 0:
        return RoundResult(number=0, cell="self@all", student="weak", solved=estimate(solved))
    return RoundResult(
        number=number,
        cell="self@all",
        student="weak",
        covered=estimate(0.5),
        kept_per_problem=Estimate(value=1.5, low=1.4, high=1.6, n=400),
        cost=Cost(flops=2e12, seconds=3.0),
        solved=None if solved is None else estimate(solved),
        difference=Estimate(value=0.01, low=-0.02, high=0.04, n=400),
        since_first=since,
        detectable=None if since is None else 0.031,
    )


def iterated(low: float = -0.012, high: float = 0.02, last: float | None = 0.47) -> Results:
    since = Estimate(value=(low + high) / 2, low=low, high=high, n=400)
    return replace(results(), rounds=(row(0, 0.4), row(1, 0.45), row(2, 0.46, since), row(3, last, since if last else None)))


def test_the_finding_is_the_last_round_beside_the_first_and_untrained() -> None:
    assert rounds_finding(iterated()) == (
        "weak on self@all, 3 rounds: it solves 47.0% [43.0, 51.0] of 400 test problems after the last round, 45.0% [41.0, 49.0] after the"
        " first, 40.0% [36.0, 44.0] untrained. No difference found between the students of rounds 3 and 1 (−1.2 to +2.0 points; this run"
        " could detect 3.1 points)."
    )


def test_a_difference_is_claimed_only_where_its_interval_leaves_out_zero() -> None:
    assert "The student of round 3 is better than that of round 1: +3.0 points [+1.0, +5.0]" in rounds_finding(iterated(0.01, 0.05))
    assert "The student of round 3 is worse than that of round 1: −3.0 points [−5.0, −1.0]" in rounds_finding(iterated(-0.05, -0.01))
    assert "No difference found" in rounds_finding(iterated(0.0004, 0.05))  # 0.0 as printed


def test_a_last_round_without_a_student_is_told() -> None:
    assert rounds_finding(iterated(last=None)) == "weak on self@all, 3 rounds: the last round has no student to compare."


def test_the_table_has_a_row_per_round() -> None:
    table = rounds_table(iterated())
    assert table is not None
    assert [each.entries[0].text for each in table.rows] == ["untrained", "1", "2", "3"]
    titles = [column.title for column in table.columns]
    assert titles[:4] == ["Round", "Covered (%) [95% interval]", "Kept per problem [95% interval]", "Cost (TFLOPs)"]
    assert [entry.text for entry in table.rows[3].entries][1:] == [
        "50.0% [46.0, 54.0]",
        "1.50 [1.40, 1.60]",
        "2.0",
        "47.0% [43.0, 51.0]",
        "400",
        "+1.0 [−2.0, +4.0]",
        "+0.4 [−1.2, +2.0]",
    ]


def test_the_report_of_an_iterated_study_opens_with_its_rounds() -> None:
    made = report(iterated())
    assert made.headline == headline(iterated()) == rounds_finding(iterated())
    assert made.markdown.index("| weak, self@all | untrained |") < made.markdown.index("## The rounds") < made.markdown.index("## The stud")
    assert f"{made.headline} The sections below are of round 1." in made.markdown
    assert "rounds/2/, rounds/3/" in made.markdown
    assert {"students_by_round"} <= set(made.figures)
    assert {"rounds", "students_by_round"} <= set(made.tables)


def test_a_study_of_one_round_has_no_such_section() -> None:
    assert rounds(results()) is None
    assert rounds_table(results()) is None
