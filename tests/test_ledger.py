import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.errors import LimitReachedError, RunError, StorageError
from isocost.ledger import Account, Answered, Ledger, Reservation, book
from isocost.records import Cost, Unit
from isocost.store import Log
from isocost.store.kinds import LEDGER


class Memory(Log):
    """A log that forgets on exit: what is tested is the ledger's arithmetic."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.written: list[dict[str, Any]] = []

    def append(self, *entries: Any, sync: bool = True) -> None:
        self.written += entries

    def entries(self) -> Iterator[dict[str, Any]]:
        return iter(list(self.written))


def flops(amount: float) -> Cost:
    return Cost(flops=amount)


def one(request: str, amount: float | Cost, **facts: object) -> list[Reservation]:
    return [Reservation(request=request, worst=amount if isinstance(amount, Cost) else flops(amount), facts=facts)]


def paid(request: str, amount: float, **more: Any) -> list[Answered]:
    return [Answered(request=request, cost=flops(amount), **more)]


def spent_before(amount: float, log: Log | None = None, unit: Unit = "flops") -> Log:
    """A log of which so much was spent."""
    log = log or Memory()
    cost = Cost(flops=amount) if unit == "flops" else Cost(usd=amount)
    ledger = Ledger(log, unit=unit)
    ledger.reserve(one("former", cost))
    ledger.release([Answered(request="former", cost=cost)])
    return log


def test_an_answer_replaces_its_reservation() -> None:
    ledger = Ledger(spent_before(10, Memory()), limit=100)
    ledger.reserve(one("a", 50))
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 50)
    ledger.release(paid("a", 20))
    assert (ledger.spending.spent, ledger.spending.reserved) == (30, 0)


def test_what_is_reserved_counts_against_the_limit() -> None:
    ledger = Ledger(Memory(), limit=100)
    assert ledger.reserve(one("a", 60)) == 1
    with pytest.raises(LimitReachedError):
        ledger.reserve(one("b", 60))
    ledger.release(paid("a", 10))
    ledger.reserve(one("b", 60))


def test_of_several_as_many_are_reserved_as_fit_in_order() -> None:
    log = Memory()
    ledger = Ledger(log, limit=100)
    wanted = [*one("a", 40), *one("b", 50), *one("c", 20), *one("d", 1)]
    assert ledger.reserve(wanted) == 2  # d would fit, but it stands behind c
    assert [line["request"] for line in log.written] == ["a", "b"]
    assert ledger.spending.reserved == 90
    assert ledger.reserve([]) == 0


def test_a_refused_request_leaves_no_trace() -> None:
    log = Memory()
    ledger = Ledger(log, limit=1)
    with pytest.raises(LimitReachedError):
        ledger.reserve(one("a", 2))
    assert log.written == []
    assert ledger.spending.reserved == 0


def test_the_message_says_what_was_spent_and_what_to_do() -> None:
    ledger = Ledger(spent_before(4.5, Memory(), "usd"), unit="usd", limit=5)
    with pytest.raises(LimitReachedError) as caught:
        ledger.reserve(one("a", Cost(usd=0.75)))
    happened, advice = str(caught.value).split("\n")
    assert happened == "stopped at the limit: $4.50 of $5.00 spent; the next request could cost up to $0.75"
    assert advice == "  raise limit.amount and run the same command again"


@pytest.mark.parametrize(("unit", "key"), [("usd", "models.weak.price"), ("flops", "models.weak.params")])
def test_an_unknown_cost_is_never_zero_under_a_limit(unit: Unit, key: str) -> None:
    ledger = Ledger(Memory(), unit=unit, limit=5)
    with pytest.raises(LimitReachedError, match=key):
        ledger.reserve(one("a", Cost(), model="weak"))


def test_without_a_limit_costs_need_not_be_known() -> None:
    ledger = Ledger(Memory(), unit="usd")
    ledger.reserve(one("a", 1e30))
    ledger.release(paid("a", 1e30))
    assert ledger.spending.spent == 0
    assert ledger.known


def test_what_was_paid_at_an_unknown_cost_is_said() -> None:
    log = Memory()
    before = Ledger(log)
    before.reserve(one("a", Cost(), account="data", model="weak"))
    before.release([Answered(request="a", cost=Cost())])
    assert not Ledger(log).known


amounts = st.floats(min_value=0, max_value=1e12, allow_nan=False)
requests = st.lists(st.tuples(amounts, st.floats(0, 1), st.integers(0, 5)), max_size=40)


@given(st.floats(min_value=1, max_value=1e13), requests)
def test_spent_and_reserved_never_exceed_the_limit(limit: float, asked: list[tuple[float, float, int]]) -> None:
    ledger = Ledger(Memory(), limit=limit)
    flying: list[tuple[str, float]] = []
    for number, (worst, share, answered) in enumerate(asked):
        try:
            ledger.reserve(one(str(number), worst))
            flying.append((str(number), worst * share))
        except LimitReachedError:
            room = limit - ledger.spending.spent - ledger.spending.reserved
            assert worst > room * (1 - 1e-9)  # refused only for want of room
        for request, actual in flying[:answered]:
            ledger.release(paid(request, actual))
        flying = flying[answered:]
        assert ledger.spending.spent + ledger.spending.reserved <= limit * (1 + 1e-9)
    for request, actual in flying:
        ledger.release(paid(request, actual))
    assert ledger.spending.reserved == pytest.approx(0, abs=limit * 1e-9)


def test_who_waits_for_room_gets_what_others_did_not_need() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve(one("a", 60))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, one("b", 60), patient=True)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.05)
        ledger.release(paid("a", 10))
        assert waiting.result(timeout=5) == 1
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 60)


@pytest.mark.parametrize("how", ["lose", "retry"])
def test_who_waits_for_room_hears_of_requests_without_an_answer(how: str) -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve([*one("a", 30), *one("b", 30)])
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, one("c", 60), patient=True)
        getattr(ledger, how)("a", "busy")
        if how == "lose":
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.05)
            ledger.retry("b", "busy")
        assert waiting.result(timeout=5) == 1
    assert ledger.spending.spent == (30 if how == "lose" else 0)


def test_waiting_for_room_ends_when_nothing_is_in_flight_any_more() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve(one("a", 60))
    with ThreadPoolExecutor(2) as threads:
        much = threads.submit(ledger.reserve, one("b", 101), patient=True)
        ledger.abandon(["a"])
        with pytest.raises(LimitReachedError):
            much.result(timeout=5)
    # It may be stored or charged, as the next start finds out: its room is nobody else's.
    assert ledger.spending.reserved == 60
    with pytest.raises(LimitReachedError):
        ledger.reserve(one("c", 41))


def test_two_that_wait_for_each_other_both_stop() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve(one("a", 60))
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(ledger.reserve, one(name, 101), patient=True) for name in "bc"]
        ledger.release(paid("a", 60))
        for each in both:
            with pytest.raises(LimitReachedError):
                each.result(timeout=5)


def test_a_closed_ledger_lets_nothing_more_through() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve(one("a", 60))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, one("b", 60), patient=True)
        ledger.close()
        with pytest.raises(RunError, match="being stopped"):
            waiting.result(timeout=5)
    with pytest.raises(RunError, match="being stopped"):
        ledger.reserve(one("c", 1))
    ledger.release(paid("a", 10))
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 0)


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"), limit=1e9)

    def work(name: str) -> None:
        for i in range(20):
            ledger.reserve(one(f"{name}{i}", 2, model="weak"))
            ledger.release(paid(f"{name}{i}", 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, "abcd"))
    assert len(list(ledger.log.entries())) == 2 * 4 * 20
    assert (ledger.spending.spent, ledger.spending.reserved) == (80, 0)


def test_settling_after_a_kill(tmp_path: Path) -> None:
    before = Ledger(Log(tmp_path / "ledger.jsonl"))
    for request in ("answered", "stored", "here", "there"):
        before.reserve(one(request, 3, account="data", model="weak", **({"remote": True} if request == "there" else {})))
    before.release(paid("answered", 1, count=1, tokens=5))
    after = Ledger(Log(tmp_path / "ledger.jsonl"), limit=10)
    assert set(after.unanswered()) == {"stored", "here", "there"}
    assert after.unanswered()["here"]["model"] == "weak"
    after.settle({r: each for r in ("answered", "stored") for each in paid(r, 2, count=4, tokens=7)})
    assert after.unanswered() == {}
    assert [(e["event"], e["request"]) for e in after.log.entries()][-3:] == [("done", "stored"), ("redone", "here"), ("lost", "there")]
    account = after.accounts["data", "weak"]
    assert (account.requests, account.count, account.tokens, account.cost.flops) == (2, 5, 12, 3)
    assert (account.lost, account.lost_cost.flops, account.redone, account.amount("flops")) == (1, 3, 1, 6)
    assert after.spending.spent == 6
    size = len(list(after.log.entries()))
    after.settle({})
    assert len(list(after.log.entries())) == size


def test_a_request_that_is_done_again_is_reserved_again(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"))
    ledger.reserve(one("a", 1))
    ledger.settle({})
    ledger.reserve(one("a", 1))
    assert set(ledger.unanswered()) == {"a"}


def test_what_is_answered_without_a_reservation_says_whose_it_is() -> None:
    ledger = Ledger(Memory())
    ledger.reserve(one("a", 5, account="data", model="weak"))
    ledger.lose("a", "no answer")
    ledger.release(paid("a", 0, count=2, facts={"account": "data", "model": "weak"}))
    (account,) = ledger.accounts.values()
    assert (account.count, account.lost, account.amount("flops")) == (2, 1, 5)


def test_a_ledger_that_cannot_be_written_reserves_nothing() -> None:
    class Full(Memory):
        def append(self, *entries: object, sync: bool = True) -> None:
            raise StorageError("the disk is full")

    ledger = Ledger(Full(), limit=100)
    with pytest.raises(StorageError):
        ledger.reserve(one("a", 60))
    assert (ledger.spending.reserved, ledger.unanswered()) == (0, {})


WHAT = ("reserve", "release", "lose", "retry", "abandon", "crash")
steps = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 7), st.floats(0, 40), st.floats(0, 1), st.floats(0, 1)), max_size=40)


def recomputed(lines: Iterable[dict[str, Any]]) -> tuple[float, dict[str, tuple[int, int, float, int, float]]]:
    """What was paid, and by model: requests, answers, cost, lost, their cost; from nothing but the lines."""
    models: dict[str, str] = {}
    found: dict[str, list[float]] = {}
    for line in lines:
        if line["event"] == "reserve":
            models[line["request"]] = line["model"]
        elif line["event"] in ("done", "lost"):
            own = found.setdefault(models[line["request"]], [0, 0, 0.0, 0, 0.0])
            if line["event"] == "done":
                own[0], own[1], own[2] = own[0] + 1, own[1] + line["count"], own[2] + line["flops"]
            else:
                own[3], own[4] = own[3] + 1, own[4] + line["flops"]
    return sum(own[2] + own[4] for own in found.values()), {m: (int(a), int(b), c, int(d), e) for m, (a, b, c, d, e) in found.items()}


@given(steps)
def test_any_interleaving_and_a_crash_at_any_byte_keep_the_accounts_right(script: list[tuple[str, int, float, float, float]]) -> None:  # noqa: C901 - one machine, told in one piece
    """Answers are stored before they are released, as workers do; a crash tears the file anywhere, and the next start settles."""
    limit = 100.0
    with TemporaryDirectory() as folder:
        log = Log(Path(folder) / "ledger.jsonl")
        ledger = Ledger(log, limit=limit)
        flying: dict[str, float] = {}
        stored: dict[str, Answered] = {}
        for what, number, worst, share, at in script:
            request, remote = f"r{number}", number % 2 == 1
            if what == "reserve" and request not in ledger.unanswered() and request not in stored:
                facts = {"account": "data", "model": f"m{number % 3}", "count": 2, **({"remote": True} if remote else {})}
                try:
                    ledger.reserve(one(request, worst, **facts))
                    flying[request] = worst
                except LimitReachedError:
                    assert worst + ledger.spending.spent + ledger.spending.reserved > limit
            elif what == "crash":
                if flying and number % 2:  # a worker had committed an answer that nobody heard of
                    name = min(flying)
                    stored[name] = Answered(request=name, cost=flops(flying[name] * share), count=2, tokens=3)
                whole = log.path.read_bytes() if log.path.exists() else b""
                if whole:  # only what was not waited for can be torn: lines behind the last reservation
                    safe = whole.rfind(b"\n", 0, whole.rfind(b'{"event": "reserve"')) + 1
                    safe = whole.index(b"\n", safe) + 1
                    torn = safe + int(at * (len(whole) - safe))
                    log.path.write_bytes(whole[:torn])
                ledger = Ledger(log, limit=limit)
                ledger.settle(stored)
                assert ledger.unanswered() == {}
                assert ledger.spending.reserved == 0
                flying = {}
            elif request in flying and what != "reserve":
                cost = flying.pop(request)
                if what == "release":
                    stored[request] = Answered(request=request, cost=flops(cost * share), count=2, tokens=3)
                    ledger.release([stored[request]])
                elif what == "abandon":
                    ledger.abandon([request])
                    if at < 0.5:
                        stored[request] = Answered(request=request, cost=flops(cost * share), count=2, tokens=3)
                else:
                    getattr(ledger, what)(request, "no answer")
            # A crash may take back that something was refused, never that something was paid: no answer is counted twice.
            assert ledger.spending.spent + ledger.spending.reserved <= limit * (1 + 1e-9)
            lines = list(log.entries())
            total, by_model = recomputed(lines)
            assert ledger.spending.spent == pytest.approx(total)
            accounts: dict[tuple[str, str], Account] = {}
            waiting: dict[str, dict[str, Any]] = {}
            for line in lines:
                book(accounts, waiting, line)
            assert accounts == ledger.accounts
            for model, expected in by_model.items():
                paid_ = ledger.accounts["data", model]
                found = (paid_.requests, paid_.count, paid_.cost.flops, paid_.lost, paid_.lost_cost.flops)
                assert found == pytest.approx(expected)
            done = [line["request"] for line in lines if line["event"] == "done"]
            assert len(done) == len(set(done))
            assert set(done) <= stored.keys()


def test_every_line_is_json_with_its_request(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"))
    ledger.reserve(one("a", 1, model='we"ak\n'))
    ledger.retry("a", 'busy\n"again"')
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [(line["event"], line["request"]) for line in lines] == [("reserve", "a"), ("retry", "a")]
    assert (lines[0]["model"], lines[1]["reason"]) == ('we"ak\n', 'busy\n"again"')


CHANGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes().splitlines(keepends=True)[0]),
    "written to": lambda path: path.write_bytes(path.read_bytes() * 2),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("read", [True, False])
def test_a_ledger_that_was_changed_while_a_run_works_reserves_no_more(tmp_path: Path, how: str, read: bool) -> None:
    """What followed would be in a file that lacks what went before, and that the next start cannot read."""
    path = tmp_path / "ledger.jsonl"
    if read:
        spent_before(10, Log(path, LEDGER))
    ledger = Ledger(Log(path, LEDGER), limit=100)
    if not read:
        ledger.reserve(one("a", 10))
        ledger.release(paid("a", 10))
    CHANGES[how](path)
    left = path.read_bytes() if path.exists() else None
    with pytest.raises(StorageError, match=r"ledger\.jsonl: was (removed|changed) while the run was working(?s:.*)restore the file"):
        ledger.reserve(one("b", 10))
    assert (path.read_bytes() if path.exists() else None) == left
