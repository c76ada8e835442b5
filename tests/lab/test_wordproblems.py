import random
import re
from itertools import islice

import pytest

from isocost.lab.corpus import Writer, solve
from isocost.lab.wordproblems import LEVELS, Split, WordProblem, apply, generate

SPLITS: tuple[Split, ...] = ("pretraining", "train", "validation", "test", "transfer")
SEEDS = (0, 1, 2)
EACH = 150


def draw(split: Split, seed: int, count: int = EACH) -> list[WordProblem]:
    return list(islice(generate(split, seed), count))


@pytest.fixture(scope="module")
def drawn() -> dict[Split, list[WordProblem]]:
    return {split: [problem for seed in SEEDS for problem in draw(split, seed)] for split in SPLITS}


def test_no_two_splits_share_a_question_whatever_the_seeds(drawn: dict[Split, list[WordProblem]]) -> None:
    questions = {split: {problem.question for problem in problems} for split, problems in drawn.items()}
    for split in SPLITS:
        for other in SPLITS:
            assert split == other or not questions[split] & questions[other]


def test_no_two_splits_share_scene_and_steps(drawn: dict[Split, list[WordProblem]]) -> None:
    skeletons = {split: {(problem.scene, problem.steps) for problem in problems} for split, problems in drawn.items()}
    for split in SPLITS:
        for other in SPLITS:
            assert split == other or not skeletons[split] & skeletons[other]


def test_transfer_scenes_stand_nowhere_else(drawn: dict[Split, list[WordProblem]]) -> None:
    transfer = {problem.scene for problem in drawn["transfer"]}
    elsewhere = {problem.scene for split in SPLITS if split != "transfer" for problem in drawn[split]}
    assert transfer
    assert elsewhere
    assert not transfer & elsewhere


def test_every_level_occurs_in_every_split(drawn: dict[Split, list[WordProblem]]) -> None:
    for problems in drawn.values():
        assert {problem.level for problem in problems} == set(LEVELS)


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_seed_gives_the_same_problems(split: Split) -> None:
    assert draw(split, 7, 50) == draw(split, 7, 50)
    assert draw(split, 7, 50) != draw(split, 8, 50)


@pytest.mark.parametrize("split", SPLITS)
def test_questions_of_a_draw_are_distinct(split: Split) -> None:
    assert len({problem.question for problem in draw(split, 0)}) == EACH


@pytest.mark.parametrize("writer", [Writer(), Writer(spaced=False), Writer(opener=True)])
def test_a_careful_solution_is_true_and_ends_in_the_answer(writer: Writer, drawn: dict[Split, list[WordProblem]]) -> None:
    rng = random.Random(0)
    for problem in (problem for problems in drawn.values() for problem in problems):
        *lines, ending = solve(problem, writer, rng).splitlines()
        assert ending == f"#### {problem.answer}"
        assert len(lines) == problem.level
        for line in lines:
            match = re.search(r"(\d+) ?([-+*/]) ?(\d+) ?= ?(\d+)$", line)
            assert match is not None
            assert apply(match[2], int(match[1]), int(match[3])) == int(match[4])  # type: ignore[arg-type]


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="known: pretraining, train"):
        next(generate("dev", 0))  # type: ignore[arg-type]
