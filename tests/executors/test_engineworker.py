"""The worker of a worker: what is answered is committed before it is handed back, and every failure comes back as one."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from isocost.errors import EngineError, NotSentError, StorageError, TryAgainError
from isocost.executors.concurrency import JobResult
from isocost.executors.engineworker import EngineWorker
from isocost.executors.jobs import Job, Outcome
from isocost.store import BatchLog
from tests.executors.engines import UnpicklableError, generation, job, noted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def all_of(worker: EngineWorker, jobs: list[Job]) -> dict[str, Outcome]:
    found = {outcome.key: outcome for outcome in worker.exchange(jobs, 30.0)}
    while len(found) < len(jobs):
        found |= {outcome.key: outcome for outcome in worker.exchange([], 30.0)}
    return found


def test_answers_are_handed_back_in_the_shape_of_the_requests(tmp_path: Path) -> None:
    outcome = all_of(EngineWorker("w0"), [job(tmp_path, "a", requests=2)])["a"]
    assert outcome.answers is not None
    texts = [[g.text for g in each] for each in outcome.answers.generations]
    assert texts == [["ask a-0 4", "ask a-0 5"], ["ask a-1 4", "ask a-1 5"]]
    assert outcome.answers.stored == ()


def test_draws_are_committed_before_they_are_handed_back(tmp_path: Path) -> None:
    worker = EngineWorker("w3")
    found = all_of(worker, [job(tmp_path, key, stored=True) for key in "abc"])
    rows = list(BatchLog(tmp_path / "pool").rows())
    assert {row["batch"] for row in rows} == {"a", "b", "c"}
    assert (tmp_path / "pool.w3.jsonl").exists()
    for key, outcome in found.items():
        assert outcome.answers is not None
        assert outcome.answers.generations == ()
        ((first, second),) = outcome.answers.stored
        own = [row for row in rows if row["batch"] == key]
        assert [row["id"] for row in own] == [first.id, second.id]
        assert [row["sample_index"] for row in own] == [4, 5]
        assert (first.flops, first.usd) == (10.0, None)
        assert outcome.answers.seconds == pytest.approx(sum(row["cost_seconds"] for row in own))


def test_an_endpoint_may_return_fewer(tmp_path: Path) -> None:
    outcome = all_of(EngineWorker("w0"), [job(tmp_path, "a", stored=True, does="fewer")])["a"]
    assert outcome.answers is not None
    assert [len(draws) for draws in outcome.answers.stored] == [1]


def test_a_batch_that_brought_nothing_is_not_committed(tmp_path: Path) -> None:
    """It is bought again under the same key, and a batch that stands twice is read once."""
    worker = EngineWorker("w0")
    assert all_of(worker, [job(tmp_path, "a", stored=True, does="nothing")])["a"].answers is not None
    assert BatchLog(tmp_path / "pool").batches() == set()
    all_of(worker, [job(tmp_path, "a", stored=True)])
    assert [row["sample_index"] for row in BatchLog(tmp_path / "pool").rows()] == [4, 5]


@pytest.mark.parametrize("does", ["more", "shorter"])
@pytest.mark.parametrize("stored", [True, False])
def test_an_engine_that_miscounts_fails_its_own_job_alone(tmp_path: Path, does: str, *, stored: bool) -> None:
    found = all_of(EngineWorker("w0"), [job(tmp_path, "bad", stored=stored, does=does), job(tmp_path, "good", stored=stored)])
    assert isinstance(found["bad"].error, EngineError)
    assert "was asked for [2] solutions" in str(found["bad"].error)
    assert found["good"].answers is not None
    assert {row["batch"] for row in BatchLog(tmp_path / "pool").rows()} == ({"good"} if stored else set())


def test_errors_of_ours_come_back_as_they_are(tmp_path: Path) -> None:
    found = all_of(EngineWorker("w0"), [job(tmp_path, "a", does="engine error"), job(tmp_path, "b", does="try again")])
    assert str(found["a"].error) == "no answer\n  try another"
    assert isinstance(found["b"].error, TryAgainError)
    assert (found["b"].error.wait, found["b"].error.charged) == (3.0, True)


def test_what_nobody_expected_keeps_its_traceback(tmp_path: Path) -> None:
    error = all_of(EngineWorker("w0"), [job(tmp_path, "a", does="value error")])["a"].error
    assert isinstance(error, ValueError)
    assert 'raise ValueError("surprise")' in error.__notes__[0]


def test_an_error_that_would_not_survive_the_way_is_told_in_words(tmp_path: Path) -> None:
    error = all_of(EngineWorker("w0"), [job(tmp_path, "a", does="unpicklable")])["a"].error
    assert not isinstance(error, UnpicklableError)
    assert str(error) == "UnpicklableError: the server said 500"
    assert "raise UnpicklableError" in error.__notes__[0]  # type: ignore[union-attr]


def test_an_engine_that_exits_does_not_end_the_worker(tmp_path: Path) -> None:
    worker = EngineWorker("w0")
    assert isinstance(all_of(worker, [job(tmp_path, "a", does="exit")])["a"].error, SystemExit)
    assert all_of(worker, [job(tmp_path, "b")])["b"].answers is not None


def test_an_engine_that_does_not_open_is_tried_again_for_the_next_job(tmp_path: Path) -> None:
    worker = EngineWorker("w0")
    found = all_of(worker, [job(tmp_path, key, does="refuse") for key in "ab"])
    assert [str(found[key].error) for key in "ab"] == ["it does not open"] * 2


def test_a_full_disk_is_said_and_nothing_is_half_committed(small_disk: Path, tmp_path: Path) -> None:
    worker = EngineWorker("w0")
    large = all_of(worker, [job(small_disk, "large", stored=True, count=2000)])["large"]
    assert isinstance(large.error, StorageError)
    assert "the disk is full" in str(large.error)
    assert all_of(worker, [job(small_disk, "small", stored=True)])["small"].answers is not None
    assert {row["batch"] for row in BatchLog(small_disk / "pool").rows()} == {"small"}


def test_of_paid_answers_a_nearly_full_disk_keeps_those_that_fit(small_disk: Path) -> None:
    """They come in one group, whose single write does not fit."""
    worker = EngineWorker("w0")
    jobs = [job(small_disk, f"{n}", stored=True, count=60) for n in range(12)]
    answers = [generation("x")] * 60
    found = worker.commit([JobResult(job=each, generations=[answers for _ in each.requests]) for each in jobs])
    stored = {row["batch"] for row in BatchLog(small_disk / "pool").rows()}
    assert 2 <= len(stored) < len(jobs)
    assert stored == {outcome.key for outcome in found if outcome.error is None}
    assert {type(outcome.error) for outcome in found} == {StorageError, type(None)}


def test_models_of_one_device_are_asked_one_after_the_other(tmp_path: Path) -> None:
    all_of(EngineWorker("w0"), [job(tmp_path, key, name=name) for key, name in (("a", "one"), ("b", "two"), ("c", "one"))])
    lines = [line.split()[:2] for line in noted(tmp_path) if line.startswith(("begin", "end"))]
    assert lines == [["begin", "one"], ["end", "one"], ["begin", "two"], ["end", "two"], ["begin", "one"], ["end", "one"]]


def test_an_engine_that_answers_several_at_once_does(tmp_path: Path) -> None:
    worker = EngineWorker("w0")
    outcomes = worker.exchange([job(tmp_path, key, concurrency=3, waits="go") for key in "abc"], 0.0)
    assert outcomes == []
    while len(noted(tmp_path)) < 4:  # opened, and three begun
        pass
    (tmp_path / "go").touch()
    found: list[Outcome] = []
    while len(found) < 3:
        found += worker.exchange([], 30.0)
    assert {outcome.key for outcome in found} == {"a", "b", "c"}


KINDS = pytest.mark.parametrize("starts", [False, True])


def wait_for(worker: EngineWorker, tmp_path: Path, begun: int) -> None:
    while sum(line.startswith("begin") for line in noted(tmp_path)) < begun:
        assert worker.exchange([], 0.001) == []


@KINDS
def test_no_more_than_it_answers_at_once_are_under_way(tmp_path: Path, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    assert worker.exchange([job(tmp_path, key, concurrency=2, waits="go", starts=starts) for key in "abcde"], 0.0) == []
    wait_for(worker, tmp_path, 2)
    assert worker.exchange([], 0.05) == []
    assert sum(line.startswith("begin") for line in noted(tmp_path)) == 2
    (tmp_path / "go").touch()
    found: set[str] = set()
    while len(found) < 5:
        found |= {outcome.key for outcome in worker.exchange([], 30.0) if outcome.answers}
    assert found == set("abcde")


@pytest.mark.parametrize(("does", "kind", "says"), [
    ("start error", EngineError, "does not start"),
    ("engine error", EngineError, "no answer"),
    ("value error", ValueError, "surprise"),
    ("more", EngineError, "was asked for"),
    ("refuse", EngineError, "does not open"),
])  # fmt: skip
def test_an_engine_that_starts_batches_may_fail_anywhere(tmp_path: Path, does: str, kind: type[Exception], says: str) -> None:
    worker = EngineWorker("w0")
    found = all_of(worker, [job(tmp_path, key, concurrency=1, starts=True, does=does) for key in "abc"])
    for outcome in found.values():
        assert isinstance(outcome.error, kind)
        assert says in str(outcome.error)
    assert all_of(worker, [job(tmp_path, "d", concurrency=1, starts=True)])["d"].answers is not None


def test_an_engine_may_have_answered_before_start_returns(tmp_path: Path) -> None:
    keys = [str(i) for i in range(3000)]  # not a call inside a call each
    found = all_of(EngineWorker("w0"), [job(tmp_path, key, concurrency=2, starts=True, does="at once") for key in keys])
    assert all(found[key].answers for key in keys)


@KINDS
@pytest.mark.parametrize("by", ["a signal", "its queue"])
def test_what_an_endpoint_was_not_asked_yet_is_not_asked(tmp_path: Path, by: str, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    (tmp_path / "go").touch()
    all_of(worker, [job(tmp_path, "first", concurrency=2, waits="go", remote=True, starts=starts)])
    (tmp_path / "go").unlink()
    jobs = [job(tmp_path, key, concurrency=2, waits="go", remote=True, starts=starts) for key in "abcde"]
    worker.exchange(jobs, 0.0)
    wait_for(worker, tmp_path, 3)
    if by == "a signal":
        worker.stop_requests()
    found = {outcome.key: outcome for outcome in worker.exchange([], 1.0, {jobs[0].queue} if by == "its queue" else ())}
    assert set(found) == set("cde")
    assert all(isinstance(outcome.error, NotSentError) for outcome in found.values())
    (tmp_path / "go").touch()
    found = all_of(worker, [job(tmp_path, "f", concurrency=2, waits="go", remote=True, starts=starts)])
    while len(found) < 3:
        found |= {outcome.key: outcome for outcome in worker.exchange([], 30.0)}
    assert all(found[key].answers for key in "ab")
    assert bool(found["f"].answers) == (by == "its queue")
    assert {line.split()[2] for line in noted(tmp_path) if line.startswith("begin")} == (
        {"first-0", "a-0", "b-0"} if by == "a signal" else {"first-0", "a-0", "b-0", "f-0"}
    )


@KINDS
def test_an_endpoints_first_job_goes_alone_until_it_is_answered(tmp_path: Path, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    worker.exchange([job(tmp_path, key, concurrency=3, waits="go", remote=True, starts=starts) for key in "abcdef"], 0.0)
    wait_for(worker, tmp_path, 1)
    assert worker.exchange([], 0.05) == []
    assert begun(tmp_path) == {"a-0"}
    (tmp_path / "go").touch()
    found: dict[str, Outcome] = {}
    while len(found) < 6:
        found |= {outcome.key: outcome for outcome in worker.exchange([], 30.0)}
    assert all(outcome.answers for outcome in found.values())


@KINDS
def test_a_first_job_that_may_be_asked_again_keeps_the_others_waiting(tmp_path: Path, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    worker.exchange([job(tmp_path, key, concurrency=3, remote=True, starts=starts, waits="go", does="try again") for key in "abc"], 0.0)
    wait_for(worker, tmp_path, 1)
    assert begun(tmp_path) == {"a-0"}
    (tmp_path / "go").touch()
    found: dict[str, Outcome] = {}
    while len(found) < 3:
        found |= {outcome.key: outcome for outcome in worker.exchange([], 30.0)}
    order = [line.split()[2] for line in noted(tmp_path) if line.startswith("begin")]
    assert order == ["a-0", "b-0", "c-0"]


@KINDS
def test_an_endpoint_that_failed_for_good_is_asked_nothing_more(tmp_path: Path, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    all_of(worker, [job(tmp_path, "a", remote=True, starts=starts, does="engine error")])
    found = all_of(worker, [job(tmp_path, key, remote=True, starts=starts, does="engine error") for key in "bc"])
    assert all(isinstance(outcome.error, NotSentError) for outcome in found.values())
    assert begun(tmp_path) == {"a-0"}


def begun(tmp_path: Path) -> set[str]:
    return {line.split()[2] for line in noted(tmp_path) if line.startswith("begin")}


@KINDS
def test_an_endpoint_that_refuses_is_not_asked_the_rest(tmp_path: Path, *, starts: bool) -> None:
    found = all_of(EngineWorker("w0"), [job(tmp_path, key, remote=True, starts=starts, does="engine error") for key in "abc"])
    assert sorted(type(outcome.error).__name__ for outcome in found.values()) == ["EngineError", "NotSentError", "NotSentError"]
    assert sum(line.startswith("begin") for line in noted(tmp_path)) == 1


def test_other_endpoints_and_devices_are_asked_all_the_same(tmp_path: Path) -> None:
    worker = EngineWorker("w0")
    jobs = [job(tmp_path, f"{name}{i}", name=name, remote=name != "near", waits="go") for name in ("far", "near", "farther") for i in "12"]
    worker.exchange(jobs, 0.0)
    wait_for(worker, tmp_path, 3)
    withdrawn = worker.exchange([], 1.0, {jobs[0].queue})
    assert [outcome.key for outcome in withdrawn] == ["far2"]
    (tmp_path / "go").touch()
    found: set[str] = set()
    while len(found) < 5:
        found |= {outcome.key for outcome in worker.exchange([], 30.0) if outcome.answers}
    assert found == {"far1", "near1", "near2", "farther1", "farther2"}


@KINDS
def test_jobs_that_come_with_a_withdrawal_are_not_meant_by_it(tmp_path: Path, *, starts: bool) -> None:
    worker = EngineWorker("w0")
    first, second, later = (job(tmp_path, key, waits="go", remote=True, starts=starts) for key in "abc")
    worker.exchange([first, second], 0.0)
    wait_for(worker, tmp_path, 1)
    withdrawn = worker.exchange([later], 1.0, {first.queue})
    assert [(outcome.key, type(outcome.error)) for outcome in withdrawn] == [("b", NotSentError)]
    (tmp_path / "go").touch()
    found: set[str] = set()
    while len(found) < 2:
        found |= {outcome.key for outcome in worker.exchange([], 30.0) if outcome.answers}
    assert found == {"a", "c"}
