"""Progress of sampling: the line, the file and the notes."""

import json
from pathlib import Path

import pytest

from isocost.events import Note, StageProgress, StageWatch
from isocost.ledger import Answered, Ledger, Reservation
from isocost.ledger.identity import PROGRESS
from isocost.records import Allocation, Cell, Cost, Outcome, Verdict
from isocost.sampling import progress as module
from isocost.sampling.progress import Progress
from isocost.store import RunDirectory
from tests.sampling.pooling import order, pool_in, problems, wanted, work

A, B = Cell(arm="a", budget="low"), Cell(arm="b", budget="low")
RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
WRONG = Verdict(outcome=Outcome.INCORRECT, predicted_answer="2", reason="different")


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def heard() -> list[StageProgress | Note]:
    return []


@pytest.fixture
def progress(tmp_path: Path, clock: Clock, heard: list[StageProgress | Note]) -> Progress:
    pool = pool_in(tmp_path, problems(*"pq"))
    watch = StageWatch(stage="sample", total=10, unit="samples", listener=heard.append, started=clock.now)
    ledger = Ledger(RunDirectory(tmp_path).log("ledger.jsonl"), limit=1000)
    return Progress(watch=watch, ledger=ledger, pools={"weak": pool}, directory=RunDirectory(tmp_path), workers=2)


def ask(problem: str, first: int, count: int) -> Allocation:
    return Allocation(problem_id=problem, model="weak", first_index=first, count=count)


def buy(progress: Progress, asked: dict[tuple[str, str], int], seconds: float = 1.0) -> None:
    pool = progress.pools["weak"]
    for batch in list(pool.missing(asked)):
        _, draws = pool.add_answers(batch, work(pool, batch))
        progress.bought("weak", draws, seconds)


def written(progress: Progress) -> dict[str, object]:
    progress.write()
    return json.loads((progress.directory.path / PROGRESS).read_text())  # type: ignore[no-any-return]


def test_a_draw_counts_once_in_every_cell_that_asks_for_it(progress: Progress) -> None:
    pool = progress.pools["weak"]
    order(pool, ("p", 0, 3))
    progress.wants(A, [ask("p", 0, 1)])
    progress.wants(B, [ask("p", 0, 3)])
    buy(progress, wanted(p=3))
    progress.wants(A, [ask("p", 1, 2)])  # its second round: stored already
    order(pool, ("p", 3, 1))
    progress.wants(A, [ask("p", 3, 1)])
    buy(progress, wanted(p=4))
    assert {cell.name: (spent.draws, spent.flops) for cell, spent in progress.cells.items()} == {"a@low": (4, 40.0), "b@low": (3, 30.0)}
    assert progress.watch.done == 4
    assert written(progress)["cells"] == {
        "a@low": {"draws": 4, "flops": 40.0, "usd": pytest.approx(4 * 13e-6)},
        "b@low": {"draws": 3, "flops": 30.0, "usd": pytest.approx(3 * 13e-6)},
    }


def test_the_file_has_rates_of_this_start_and_the_time_left(progress: Progress, clock: Clock) -> None:
    progress.watch.done = progress.watch.done_before = 4
    clock.now += 3
    order(progress.pools["weak"], ("p", 0, 1))
    buy(progress, wanted(p=1))
    assert written(progress)["seconds_left"] is None
    order(progress.pools["weak"], ("p", 1, 1))
    clock.now += 1
    buy(progress, wanted(p=2))
    found = written(progress)
    assert (found["done"], found["total"], found["seconds"], found["samples_per_second"]) == (6, 10, 4.0, 0.5)
    assert (found["tokens_per_second"], found["seconds_left"]) == (2.5, 4.0)  # a second each: starting took three


def test_before_anything_is_bought_there_is_no_rate(progress: Progress) -> None:
    found = written(progress)
    assert (found["samples_per_second"], found["seconds_left"], found["engine_idle"], found["cells"]) == (None, None, None, {})


def test_idle_is_the_share_of_both_workers_time(progress: Progress, clock: Clock) -> None:
    order(progress.pools["weak"], ("p", 0, 1), ("q", 0, 1))
    clock.now += 1000  # starting workers and loading the model is nobody's idle time
    buy(progress, wanted(p=1, q=1), seconds=15.0)
    assert progress.idle() == pytest.approx(1 - 15 / 30)
    clock.now += 1000  # nor is grading the last of it
    assert progress.idle() == pytest.approx(0.5)


def test_the_line_says_money_correct_failures_and_retries(progress: Progress, clock: Clock, heard: list[StageProgress | Note]) -> None:
    ledger = progress.ledger
    for request in "ab":
        ledger.reserve([Reservation(request=request, worst=Cost(flops=400.0), facts={"account": "data", "model": "weak"})])
    ledger.retry("a", "busy")
    ledger.release([Answered(request="b", cost=Cost(flops=250.0), count=1)])
    progress.judged([RIGHT, RIGHT, WRONG])
    pool = progress.pools["weak"]
    order(pool, ("p", 0, 1))
    _, draws = pool.give_up(next(pool.missing(wanted(p=1))), "busy")
    progress.bought("weak", draws, 0.0)
    progress.tick()
    assert progress.watch.detail.startswith("250.0 FLOPs/1.0 KFLOPs  ")
    assert "  correct 67% [12, 98]  " in progress.watch.detail
    assert progress.watch.detail.endswith("  1 err  1 retry")
    ledger.reserve([Reservation(request="c", worst=Cost(flops=1.0), facts={"account": "data", "model": "weak"})])
    ledger.lose("c", "gone")
    progress.tick()
    assert progress.watch.detail.endswith("  1 err  1 lost  1 retry")


def test_the_line_says_which_share_of_the_budgets_is_spent(progress: Progress) -> None:
    progress.tick()
    assert "budgets" not in progress.watch.detail
    progress.budgets = {A: ("flops", 8.0), B: ("flops", 40.0)}
    progress.wants(A, [ask("p", 0, 1)])
    order(progress.pools["weak"], ("p", 0, 2))
    buy(progress, wanted(p=2))
    each = progress.cells[A].flops
    assert each
    progress.budgets = {A: ("flops", 2 * each), B: ("flops", 40.0)}
    progress.tick()
    assert "  budgets 25%  " in progress.watch.detail  # half of the one, nothing of the other
    progress.wants(B, [ask("p", 0, 2)])
    progress.budgets = {A: ("flops", 2 * each), B: ("flops", 4 * each)}
    progress.tick()
    assert "  budgets 50%  " in progress.watch.detail
    progress.cells[A].flops = None  # of a model whose size is not known
    progress.tick()
    assert "budgets" not in progress.watch.detail


def test_no_time_is_left_to_tell_while_a_model_answers_nothing(progress: Progress, clock: Clock, heard: list[StageProgress | Note]) -> None:
    """A model that has answered is refused (429) for as long as it takes: a rate of what came before would say 0:00 left."""
    ledger, pool = progress.ledger, progress.pools["weak"]
    for index in range(2):
        order(pool, ("p", index, 1))
        clock.now += 1
        buy(progress, wanted(p=index + 1))
    for request in "abc":
        ledger.reserve([Reservation(request=request, worst=Cost(flops=1.0), facts={"account": "data", "model": "weak"})])
    ledger.release([Answered(request="a", cost=Cost(flops=1.0), count=1)])
    progress.tick()
    assert written(progress)["seconds_left"] is not None
    ledger.retry("b", "429: rate limited")
    progress.tick()
    last = heard[-1]
    assert isinstance(last, StageProgress)
    assert (last.rate, last.detail.endswith("1 retry")) == (None, True)
    assert written(progress)["seconds_left"] is None
    ledger.release([Answered(request="c", cost=Cost(flops=1.0), count=1)])
    progress.tick()
    assert isinstance(heard[-1], StageProgress)
    assert heard[-1].rate is not None


def test_a_line_comes_without_an_answer_and_says_for_how_long_there_was_none(
    progress: Progress, clock: Clock, heard: list[StageProgress | Note]
) -> None:
    progress.ledger.reserve([Reservation(request="a", worst=Cost(flops=1.0), facts={"account": "data", "model": "weak"})])
    for _ in range(4):
        clock.now += 25
        before = len(heard)
        progress.tick()
        assert len(heard) == before + 1
    assert progress.watch.detail.endswith("no answer for 0:01:40")
    order(progress.pools["weak"], ("p", 0, 1))
    buy(progress, wanted(p=1))
    progress.tick()
    assert "no answer" not in progress.watch.detail


def lose(ledger: Ledger, request: str, account: str, model: str) -> None:
    ledger.reserve([Reservation(request=request, worst=Cost(flops=1.0), facts={"account": account, "model": model})])
    ledger.lose(request, "gone")


def test_the_line_of_sampling_is_silent_of_what_an_audit_lost(progress: Progress) -> None:
    lose(progress.ledger, "a", "judge", "auditor")
    later = Progress(watch=progress.watch, ledger=progress.ledger, pools=progress.pools, directory=progress.directory, workers=2)
    later.tick()
    assert later.watch.detail.endswith(" 0 err")
    lose(later.ledger, "b", "judge", "auditor")  # in this start, and so while it grades
    lose(later.ledger, "c", "data", "weak")
    later.tick()
    assert later.watch.detail.endswith(" 0 err  1 lost  judge auditor: 1 lost")


def test_the_file_is_written_now_and_then_only(progress: Progress, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[float] = []
    monkeypatch.setattr(Progress, "_to_json", lambda self: times.append(clock.now) or {})
    for _ in range(50):
        clock.now += 0.1
        progress.tick()
    assert len(times) == 3


def test_trouble_is_a_note(progress: Progress, heard: list[StageProgress | Note]) -> None:
    progress.trouble("it is down")
    assert heard[-1] == Note(text="it is down")
