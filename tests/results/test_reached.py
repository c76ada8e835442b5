"""Values of sets of draws, against the same looked up draw by draw."""

from pathlib import Path

import numpy as np

from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups
from isocost.records import Outcome
from isocost.results.reached import Reached
from tests.results.tabled import draw, table

RIGHT, WRONG, UNKNOWN = Outcome.CORRECT, Outcome.INCORRECT, Outcome.UNGRADED


def test_a_problem_is_covered_by_one_correct_draw_of_any_model(tmp_path: Path) -> None:
    made = table(tmp_path, [draw("weak", "p10", 0, WRONG), draw("strong", "p10", 0, RIGHT), draw("weak", "p2", 0, UNKNOWN)])
    reached = Reached(table=made, objective=Coverage(), solutions=None)
    assert reached.values(np.ones(3, np.bool_)).tolist() == [1.0, 0.0, 0.0]
    assert reached.values(made.is_of("weak")).tolist() == [0.0, 0.0, 0.0]


def test_equal_solutions_of_two_models_are_kept_once_and_no_more_than_wanted(tmp_path: Path) -> None:
    draws = [draw("strong", "p10", 0), draw("weak", "p10", 0), draw("weak", "p10", 1), draw("weak", "p10", 2), draw("weak", "p2", 0)]
    made = table(tmp_path, draws)  # the table's order: strong before weak, by problem, by index
    solutions = np.array([7, 7, 3, 5, -1])
    reached = Reached(table=made, objective=KeptPerProblem(2), solutions=solutions)
    assert reached.values(np.ones(5, np.bool_)).tolist() == [2.0, 0.0, 0.0]
    assert reached.values(made.is_of("strong")).tolist() == [1.0, 0.0, 0.0]
    assert reached.values(made.draws["sample_index"].to_numpy() < 1).tolist() == [1.0, 0.0, 0.0]


def test_a_group_is_whole_of_one_model_and_has_both_outcomes(tmp_path: Path) -> None:
    draws = [
        draw("weak", "p10", 0, RIGHT), draw("weak", "p10", 1, WRONG),  # mixed
        draw("weak", "p2", 0, RIGHT), draw("weak", "p2", 1, RIGHT), draw("weak", "p2", 2, WRONG),  # the second group is not whole
        draw("weak", "p1", 0, RIGHT), draw("strong", "p1", 0, WRONG), draw("strong", "p1", 1, UNKNOWN),
    ]  # fmt: skip
    made = table(tmp_path, draws)
    reached = Reached(table=made, objective=MixedGroups(2), solutions=None)
    assert reached.values(np.ones(len(draws), np.bool_)).tolist() == [1.0, 0.0, 0.0]
