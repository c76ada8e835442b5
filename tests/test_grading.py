import threading
import time
from concurrent.futures import CancelledError, Future

import pytest

from isocost.errors import InputError
from isocost.grading import GradingPool, Pair, check_gold, grade
from isocost.records import Outcome, Problem, Verdict

MISBEHAVING = "tests.misbehaving_graders:Misbehaving"
CARELESS = "tests.misbehaving_graders:Careless"


def pairs(*generations: str) -> list[Pair]:
    return [Pair(key=str(i), reference="right", generation=text) for i, text in enumerate(generations)]


def test_a_bad_solution_costs_only_itself() -> None:
    generations = ["right", "hang", "wrong", "die", "raise", *(f"wrong {i}" for i in range(40)), "right"]
    verdicts = dict(grade(pairs(*generations), MISBEHAVING, workers=2, time_limit=2.0))
    assert [verdicts[str(i)].reason for i in range(5)] == [
        "compared",
        "timeout",
        "compared",
        "crash",
        "error: ValueError: cannot read this",
    ]
    assert [verdicts[str(i)].outcome for i in (1, 3, 4)] == [Outcome.UNGRADED] * 3
    assert verdicts["0"].correct
    assert verdicts["45"].correct
    assert all(verdicts[str(i)].outcome is Outcome.INCORRECT for i in range(5, 45))
    assert list(verdicts) == [str(i) for i in range(len(generations))]


def test_many_slow_solutions_are_not_a_hang() -> None:
    submitted = [Pair(key=str(i), reference=str(i), generation="slow") for i in range(8)]
    with GradingPool(MISBEHAVING, workers=1, time_limit=1.0) as pool:
        assert {verdict.reason for verdict in pool.submit(submitted).result()} == {"compared"}


def test_grading_from_other_threads_and_equal_solutions_once() -> None:
    found: list[str] = []
    with GradingPool("math", workers=1, time_limit=20.0) as pool:
        submitted = [Pair(key=str(i), reference="\\frac{\\sqrt{3}}{3}", generation="\\boxed{1/\\sqrt{3}}") for i in range(3)]

        def work() -> None:
            found.extend(verdict.reason for verdict in pool.submit(submitted).result())

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["equal"] * 9
        assert len(pool._verdicts) == 1


def test_submitting_returns_at_once_and_leaving_waits() -> None:
    with GradingPool(MISBEHAVING, workers=1, time_limit=10.0) as pool:
        start = time.monotonic()
        future = pool.submit(pairs("slow"))
        assert time.monotonic() - start < 2.0
    assert future.result()[0].reason == "compared"


def test_an_exception_in_the_block_stops_the_workers() -> None:
    start = time.monotonic()
    submitted: list[Future[list[Verdict]]] = []

    def interrupted() -> None:
        with GradingPool(MISBEHAVING, workers=1, time_limit=50.0) as pool:
            submitted.append(pool.submit(pairs("hang")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - start < 30.0
    with pytest.raises(CancelledError):
        submitted[0].result(timeout=5.0)


def test_cheap_graders_start_no_process() -> None:
    with GradingPool(CARELESS, workers=4, time_limit=1.0) as pool:
        verdicts = pool.submit(pairs("right", "raise", "none")).result()
        assert pool._pool is None
    assert [verdict.reason for verdict in verdicts][0::2] == ["compared", "error: the grader returned NoneType, not a Verdict"]
    assert verdicts[1].reason.startswith("error: ValueError")


def test_nothing_to_grade() -> None:
    assert list(grade([], "math", workers=1, time_limit=1.0)) == []
    with GradingPool("math", workers=1, time_limit=1.0) as pool:
        assert pool.submit([]).result() == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("maths", 'did you mean "math"'),
        ("zzz", "known: exact, math, number"),
        ("no_such_package:Grader", "cannot be imported"),
        ("tests.misbehaving_graders:Missing", "cannot be imported"),
        ("tests.misbehaving_graders:NotAGrader", "needs name, version and grade"),
        ("tests.misbehaving_graders:os", "is not a class or function"),
    ],
)
def test_unknown_graders_are_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        GradingPool(name, workers=1, time_limit=1.0)


def test_check_gold_lists_what_the_grader_refuses() -> None:
    problems = [Problem(id="a", question="?", answer="12"), Problem(id="b", question="?", answer="a dozen")]
    with GradingPool("number", workers=1, time_limit=1.0) as pool:
        assert check_gold(problems, pool) == [("b", "bad_reference")]
