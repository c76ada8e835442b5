import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from isocost.errors import InputError, RunError
from isocost.grading import GradingPool, check_gold
from isocost.grading.process import Process, Setup, StartError
from isocost.records import Outcome, Pair, Problem, Verdict
from tests.matrices import first_fast

MISBEHAVING = "tests.misbehaving_graders:Misbehaving"
CARELESS = "tests.misbehaving_graders:Careless"


def pairs(*generations: str) -> list[Pair]:
    return [Pair(key=str(i), reference="right", generation=text) for i, text in enumerate(generations)]


def reasons(*generations: str, grader: str = MISBEHAVING, reference: str = "right", time_limit: float = 2.0) -> list[str]:
    submitted = [Pair(key=str(i), reference=reference, generation=text) for i, text in enumerate(generations)]
    with GradingPool(grader, workers=2, time_limit=time_limit) as pool:
        return [verdict.reason for verdict in pool.submit(submitted).result()]


@pytest.mark.parametrize(
    ("grader", "reference", "text", "verdict"),
    [
        ("number", "5", "4. Add them.\n5. Multiply", "truncated"),  # the number of a line
        ("number", "5", "so 2 + 3 = 5", "truncated"),
        ("number", "1", "The answer is 1", "truncated"),  # perhaps of 12
        ("number", "5", "The answer is 5.\nLet me", "equal"),
        ("number", "5", "#### 5", "truncated"),
        ("number", "5", "#### 5\n", "equal"),
        ("number", "5", "so \\boxed{5}", "equal"),
        ("number", "5", "\\boxed{5} and with 6", "equal"),
        ("number", "6", "\\boxed{5} and with 6", "different"),
        ("number", "x", "so 5", "bad_reference"),
        ("math", "x+1", "we find $x+1$ and", "truncated"),
        ("math", "x", "The answer is $x", "truncated"),
        ("math", "x+1", "so \\boxed{x+1}. To", "identical"),
        ("choice", "B", "Options A and B", "truncated"),
        ("choice", "B", "The answer is B", "truncated"),  # perhaps "Both"
        ("choice", "B", "The answer is (B), since", "equal"),
        ("exact", "Paris", "the capital.\nParis", "truncated"),
        ("exact", "Paris", "Answer: Paris\n\n", "equal"),
        (MISBEHAVING, "right", "right", "compared"),
    ],
)
def test_a_text_that_was_cut_off_must_state_its_answer(grader: str, reference: str, text: str, verdict: str) -> None:
    whole = Pair(key="", reference=reference, generation=text)
    with GradingPool(grader, workers=1, time_limit=5.0) as pool:
        cut, same = pool.submit([replace(whole, truncated=True), whole]).result()
    assert cut.reason == verdict
    assert cut.correct == (None if verdict == "bad_reference" else verdict in {"equal", "identical", "compared"})
    assert cut == same or verdict == "truncated"
    assert same.reason != "truncated"


def test_a_bad_solution_costs_only_itself() -> None:
    generations = ["right", "hang", "wrong", "die", "raise", *(f"wrong {i}" for i in range(40)), "right"]
    with GradingPool(MISBEHAVING, workers=2, time_limit=2.0) as pool:
        verdicts = dict(zip(map(str, range(len(generations))), pool.submit(pairs(*generations)).result(), strict=True))
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


def test_every_way_to_fail_has_its_reason() -> None:
    ways = {
        "hang deep": "timeout",
        "killed": "memory",
        "devour": "memory",
        "exit": "error: SystemExit: enough",
        "recurse": "error: RecursionError: maximum recursion depth exceeded",
        "speechless": "error: KeyError",
    }
    found = reasons(*ways, *(f"wrong {i}" for i in range(50)))
    assert [reason.startswith(expected) for reason, expected in zip(found, ways.values(), strict=False)] == [True] * len(ways), found
    assert found[len(ways) :] == ["compared"] * 50


def test_the_neighbours_of_a_bad_solution_are_graded_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    generations = [f"wrong {i}" for i in range(40)]
    generations[10:10] = ["hang 1"]
    generations[30:30] = ["die"]
    with GradingPool("tests.misbehaving_graders:Counting", workers=1, time_limit=1.0, options={"log": str(log)}) as pool:
        found = [verdict.reason for verdict in pool.submit(pairs(*generations)).result()]
    assert (found[10], found[30]) == ("timeout", "crash")
    assert sorted(log.read_text().splitlines()) == sorted([*generations, "die"])  # one that dies is tried twice


@pytest.mark.slow
def test_hanging_solutions_take_their_time_limit_and_no_more() -> None:
    generations = [f"hang {i}" if i % 50 == 0 else f"wrong {i}" for i in range(1000)]
    start = time.monotonic()
    found = reasons(*generations, time_limit=0.5)
    assert found.count("timeout") == 20
    assert found.count("compared") == 980
    assert time.monotonic() - start < 60  # they would hang for ever, and the machine may be busy


def test_two_steps_send_each_open_answer_to_a_worker_once() -> None:
    submitted = [Pair(key="", reference="open", generation=f"{i}: way:{i % 3}") for i in range(30)]
    submitted += [Pair(key="", reference="12", generation=f"{i}:12") for i in range(3)]
    with GradingPool("tests.misbehaving_graders:Steps", workers=1, time_limit=5.0) as pool:
        first = pool.submit(submitted[30:])
        assert pool.processes == 0
        assert {verdict.reason for verdict in first.result()} == {"settled"}
        verdicts = pool.submit(submitted[:30]).result()
        assert len(pool._remembered) == 3
        assert pool.submit(submitted[:30]).done()
    assert [verdict.predicted_answer for verdict in verdicts] == [str(i % 3) for i in range(30)]
    assert len({verdict.reason for verdict in verdicts}) == 1


def test_what_the_first_step_raises_is_recorded() -> None:
    assert reasons("a:raise early", "a:", "a:right", grader="tests.misbehaving_graders:Steps") == [
        "error: ValueError: too early",
        "no_answer",
        "settled",
    ]


def test_a_grader_that_keeps_the_time_limit_is_told_it() -> None:
    found = reasons("long", "right", "hang", grader="tests.misbehaving_graders:KeepsLimit", time_limit=0.5)
    assert found == ["stopped after 0.5", "compared", "timeout"]


def test_a_grader_with_threads_is_not_forked() -> None:
    found = reasons("right", "hang", "die", "devour", "wrong", grader="tests.misbehaving_graders:Threaded", time_limit=1.0)
    assert found == ["compared", "timeout", "crash", "memory", "compared"]


@pytest.mark.parametrize(
    ("grader", "message"), first_fast([("Unprepared", "ImportError: no module named sums"), ("Deadborn", "libsums.so: cannot be opened")])
)
def test_workers_that_cannot_be_started_are_one_error(grader: str, message: str) -> None:
    with GradingPool(f"tests.misbehaving_graders:{grader}", workers=4, time_limit=1.0) as pool:
        first = pool.submit(pairs(*"abcdefghij"))
        with pytest.raises(RunError, match=message):
            first.result(timeout=30)
        with pytest.raises(RunError, match=message):
            pool.submit(pairs("z")).result(timeout=30)


def test_a_waiting_job_keeps_its_verdicts_however_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.grading.pool.MOST_REMEMBERED", 2)
    with GradingPool(MISBEHAVING, workers=2, time_limit=5.0) as pool:
        futures = [pool.submit(pairs(*(f"{i} {k}" for i in range(20)), "x" * 2000)) for k in (0, 1, 0)]
        assert [[verdict.reason for verdict in future.result()] for future in futures] == [["compared"] * 21] * 3
        assert len(pool._remembered) <= 2


SCRIPT = """
from isocost.grading import GradingPool
from isocost.records import Pair
with GradingPool("tests.misbehaving_graders:Misbehaving", workers=2, time_limit=5.0) as pool:
    print([verdict.reason for verdict in pool.submit([Pair(key="", reference="a", generation="a")]).result()])
"""


def in_a_child() -> None:
    exec(SCRIPT, {"__name__": "child"})  # noqa: S102 - the script above


@pytest.mark.parametrize("start", first_fast(["script", "stdin", "notebook", "daemon"]))
def test_graders_run_wherever_the_caller_does(tmp_path: Path, start: str) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(SCRIPT)
    notebook = f"import sys, types; sys.modules['__main__'] = types.ModuleType('__main__'); exec({SCRIPT!r})"
    daemon = (
        "import multiprocessing; from tests.test_grading import in_a_child\n"
        "if __name__ == '__main__':\n"
        "    p = multiprocessing.get_context('spawn').Process(target=in_a_child, daemon=True); p.start(); p.join()"
    )
    arguments = {"script": [str(script)], "stdin": ["-"], "notebook": ["-c", notebook], "daemon": ["-c", daemon]}[start]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, *arguments],
        input=SCRIPT if start == "stdin" else "",
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.stdout.strip() == "['compared']", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process deep in C code outlives its driver")
def test_workers_end_with_a_driver_that_is_killed() -> None:
    script = SCRIPT.replace('generation="a")', 'generation=g) for g in ("hang", "hang deep", *"abcdefgh")').replace("5.0", "500")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as driver:
        waited = time.monotonic() + 30
        while len(found := psutil.Process(driver.pid).children(recursive=True)) < 4 and time.monotonic() < waited:
            time.sleep(0.1)
        driver.kill()
    assert len(found) == 4
    _, alive = psutil.wait_procs(found, timeout=10)
    assert alive == []


def test_many_slow_solutions_are_not_a_hang() -> None:
    submitted = [Pair(key=str(i), reference=str(i), generation="slow") for i in range(8)]
    with GradingPool(MISBEHAVING, workers=1, time_limit=1.0) as pool:
        assert {verdict.reason for verdict in pool.submit(submitted).result()} == {"compared"}


def test_grading_from_other_threads_and_equal_solutions_once() -> None:
    found: list[str] = []
    with GradingPool("tests.misbehaving_graders:Steps", workers=1, time_limit=20.0) as pool:
        submitted = [Pair(key=str(i), reference="open", generation=f"{i}:12") for i in range(3)]

        def work() -> None:
            found.extend(verdict.reason for verdict in pool.submit(submitted).result())

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 9
        assert len(set(found)) == 1
        assert len(pool._remembered) == 1


def test_submitting_returns_at_once_and_leaving_waits() -> None:
    with GradingPool(MISBEHAVING, workers=1, time_limit=10.0) as pool:
        future = pool.submit(pairs("slow"))
        assert not future.done()
    assert future.result()[0].reason == "compared"


def test_once_no_worker_can_start_everything_that_needs_one_fails() -> None:
    with GradingPool("tests.misbehaving_graders:Unprepared", workers=1, time_limit=1.0) as pool:
        for text in "ab":
            with pytest.raises(RunError):
                pool.submit(pairs(text)).result(timeout=30)


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


def test_a_process_that_no_longer_reads_is_not_waited_for() -> None:
    with GradingPool("tests.misbehaving_graders:StopsLater", workers=1, time_limit=2.0) as pool:
        assert pool.submit(pairs("stop later")).result(timeout=30)[0].reason == "compared"
        time.sleep(0.6)
        verdict = pool.submit(pairs("x" * 300_000)).result(timeout=30)[0]  # longer than a pipe holds
    assert verdict.reason == "compared"


@pytest.mark.parametrize("served", [True, False])
def test_what_a_process_never_reads_is_blamed_only_if_it_came_first(request: pytest.FixtureRequest, served: bool) -> None:
    process = Process(Setup(name=MISBEHAVING, options={}, time_limit=0.5, patience=0.5))
    request.addfinalizer(process.stop)
    process.start()
    if served:
        assert [verdict.reason for verdict in process.judge([("a", "b")])] == ["compared"]
    assert process._process is not None
    worker = psutil.Process(process._process.pid)
    (grading,) = worker.children()
    grading.suspend()
    while grading.status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    started = time.monotonic()
    assert list(process.judge([("a", "x" * 300_000)])) == []
    assert process.fate == (None if served else "timeout")
    assert time.monotonic() - started < 30.0  # it would not be over at all
    psutil.wait_procs([grading], timeout=5)
    assert not grading.is_running()
    process.start()
    assert [verdict.reason for verdict in process.judge([("a", "x" * 300_000)])] == ["compared"]
    process.stop()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_closing_does_not_wait_for_a_start(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    starting, popen = threading.Event(), subprocess.Popen

    def slowly(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
        """Whoever closes the pool comes while the process is being made."""
        starting.set()
        if moment == "before":
            time.sleep(0.5)
        made: subprocess.Popen[bytes] = popen(*given, **named)
        if moment == "after":
            time.sleep(0.5)
        return made

    monkeypatch.setattr("isocost.grading.process.subprocess.Popen", slowly)

    def interrupted() -> None:
        with GradingPool("tests.misbehaving_graders:SlowToStart", workers=1, time_limit=1.0) as pool:
            pool.submit(pairs("a"))
            assert starting.wait(10)
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - started < 10.0


class Starting(Process):
    """Fails to start as often as it is told, each time in a way that the next may not."""

    failing: ClassVar[dict[int, int]] = {}
    final = False
    order: ClassVar[list[Process]] = []

    def start(self) -> None:
        if self not in self.order:
            self.order.append(self)
        number = self.order.index(self)
        if not self.ready and self.failing.get(number, 0) > 0:
            self.failing[number] -= 1
            raise StartError("exit code -9", final=self.final)
        super().start()


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> type[Starting]:
    monkeypatch.setattr("isocost.grading.supervisor.Process", Starting)
    monkeypatch.setattr("isocost.grading.supervisor.FIRST_PAUSE", 0.01)
    Starting.failing, Starting.final, Starting.order = {}, False, []
    return Starting


def test_starts_that_are_killed_are_counted_by_process(starting: type[Starting]) -> None:
    starting.failing = dict.fromkeys(range(4), 2)
    with GradingPool(MISBEHAVING, workers=4, time_limit=5.0) as pool:
        found = pool.submit(pairs(*(f"wrong {i}" for i in range(40)))).result(timeout=60)
    assert {verdict.reason for verdict in found} == {"compared"}


@pytest.mark.parametrize("final", [True, False])
def test_a_process_that_cannot_be_started_again_leaves_its_work_to_others(starting: type[Starting], final: bool) -> None:
    with GradingPool(MISBEHAVING, workers=2, time_limit=5.0) as pool:
        assert pool.submit(pairs("right")).result(timeout=60)[0].correct
        starting.final, starting.failing = final, {1: 1000}
        found = pool.submit(pairs(*(f"wrong {i}" for i in range(40)))).result(timeout=60)
        until = time.monotonic() + 30  # the first process may have judged all of them before the second tries to start
        while len(starting.order) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        found += pool.submit(pairs(*(f"wrong again {i}" for i in range(40)))).result(timeout=60)
    assert {verdict.reason for verdict in found} == {"compared"}
    assert len(starting.order) == 2


def test_a_fault_of_a_supervising_thread_is_raised_as_it_is(starting: type[Starting], monkeypatch: pytest.MonkeyPatch) -> None:
    fault = KeyError("a fault of isocost")

    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(starting, "judge", broken)
    with GradingPool(MISBEHAVING, workers=1, time_limit=5.0) as pool, pytest.raises(KeyError) as raised:
        pool.submit(pairs("right")).result(timeout=60)
    assert raised.value is fault


def test_starts_that_never_succeed_are_given_up(starting: type[Starting]) -> None:
    starting.failing = {0: 1000}
    with GradingPool(MISBEHAVING, workers=1, time_limit=5.0) as pool, pytest.raises(RunError, match="exit code -9"):
        pool.submit(pairs("right")).result(timeout=60)
    assert starting.failing == {0: 997}


def test_only_the_worker_signals_what_grades(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver signals its own child alone: any other number may be another process's by then."""
    signalled: list[int] = []

    def noting(call: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def signal(number: int, sign: int) -> None:
            signalled.append(number)
            call(number, sign)

        return signal

    for name in ("kill", "killpg"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    process = Process(Setup(name=MISBEHAVING, options={}, time_limit=5.0, patience=5.0))
    request.addfinalizer(process.stop)
    process.start()
    assert process._process is not None
    number = process._process.pid
    (grading,) = psutil.Process(number).children()
    grading.kill()  # while it has nothing to do
    time.sleep(0.5)
    signalled.clear()
    process.interrupt()
    process.stop()
    assert grading.pid not in signalled
    assert set(signalled) <= {number}
    assert not psutil.pid_exists(number)


@pytest.mark.parametrize("way", ["hang", "killed", "devour", "die"])
def test_what_a_machine_may_be_to_blame_for_is_not_remembered(tmp_path: Path, way: str) -> None:
    cured = tmp_path / "cured"
    options = {"way": way, "file": str(cured)}
    with GradingPool("tests.misbehaving_graders:Once", workers=1, time_limit=1.0, options=options) as pool:
        first = pool.submit(pairs("right")).result(timeout=30)
        cured.touch()
        second = pool.submit(pairs("right")).result(timeout=30)
        assert pool.submit(pairs("right")).done()
    assert first[0].outcome is Outcome.UNGRADED
    assert second[0].correct


def test_a_grader_may_say_how_much_longer_it_needs() -> None:
    assert reasons("right", grader="tests.misbehaving_graders:OwnTime", time_limit=0.5) == ["compared"]


def test_cheap_graders_start_no_process() -> None:
    with GradingPool(CARELESS, workers=4, time_limit=1.0) as pool:
        verdicts = pool.submit(pairs("right", "raise", "none", "number", "exit")).result()
        assert pool.processes == 0
    assert [verdict.reason for verdict in verdicts] == [
        "compared",
        "error: ValueError: cannot read this",
        "error: TypeError: the grader returned NoneType, not a Verdict",
        "error: TypeError: the grader returned a Verdict with predicted_answer of type int, not str",
        "error: SystemExit: enough",
    ]


def test_nothing_to_grade_gives_no_verdict() -> None:
    with GradingPool("math", workers=1, time_limit=1.0) as pool:
        assert pool.submit([]).result() == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("maths", 'did you mean "math"'),
        ("zzz", "known: .*exact, math, number"),
        ("no_such_package:Grader", "cannot be imported"),
        ("tests.broken_part:Grader", "cannot be imported: SystemExit: 3"),
        ("tests.misbehaving_graders:Missing", "cannot be imported"),
        ("tests.misbehaving_graders:NotAGrader", "needs name, version and grade"),
        ("tests.misbehaving_graders:os", "is not a class or function"),
    ],
)
def test_unknown_graders_are_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        GradingPool(name, workers=1, time_limit=1.0)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match='unknown option "ordr"'):
        GradingPool("number", workers=1, time_limit=1.0, options={"ordr": "any"})
    with pytest.raises(InputError, match="plain data"):
        GradingPool("tests.misbehaving_graders:Counting", workers=1, time_limit=1.0, options={"log": Path("x")})


def test_check_gold_lists_what_the_grader_refuses() -> None:
    problems = [Problem(id="a", question="?", answer="12"), Problem(id="b", question="?", answer="a dozen")]
    with GradingPool("number", workers=1, time_limit=1.0) as pool:
        assert check_gold(problems, pool) == [("b", "bad_reference")]


def test_check_gold_asks_the_grader_for_the_solution() -> None:
    answers = ["open", "right", "bad", "raise"]
    problems = [Problem(id=answer, question="?", answer=answer) for answer in answers]
    with GradingPool("tests.misbehaving_graders:Silent", workers=1, time_limit=1.0) as pool:
        assert check_gold(problems, pool) == [("bad", "bad_reference"), ("raise", "error: ValueError: unheard of")]
