from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.errors import LimitReachedError, RunError
from isocost.ledger import Ledger
from isocost.records import Cost, Unit
from isocost.store import Log


class Memory(Log):
    """A log that forgets on exit: what is tested is the ledger's arithmetic."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.lines: list[dict[str, object]] = []

    def append(self, *entries: object) -> None:
        self.lines += entries  # type: ignore[arg-type]


def flops(amount: float) -> Cost:
    return Cost(flops=amount)


def test_an_answer_replaces_its_reservation() -> None:
    ledger = Ledger(Memory(), limit=100, spent=10)
    ledger.reserve("a", flops(50), account="data", model="weak")
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 50)
    ledger.release("a", flops(20))
    assert (ledger.spending.spent, ledger.spending.reserved) == (30, 0)


def test_what_is_reserved_counts_against_the_limit() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve("a", flops(60))
    with pytest.raises(LimitReachedError):
        ledger.reserve("b", flops(60))
    ledger.release("a", flops(10))
    ledger.reserve("b", flops(60))


def test_a_refused_request_leaves_no_trace() -> None:
    log = Memory()
    ledger = Ledger(log, limit=1)
    with pytest.raises(LimitReachedError):
        ledger.reserve("a", flops(2))
    assert log.lines == []
    assert ledger.spending.reserved == 0


def test_the_message_says_what_was_spent_and_what_to_do() -> None:
    ledger = Ledger(Memory(), unit="usd", limit=5, spent=4.5)
    with pytest.raises(LimitReachedError) as caught:
        ledger.reserve("a", Cost(usd=0.75))
    happened, advice = str(caught.value).split("\n")
    assert happened == "stopped at the limit: 4.5 of 5 usd spent; the next request could cost up to 0.75"
    assert advice == "  raise limit.amount and run the same command again"


@pytest.mark.parametrize(("unit", "key"), [("usd", "models.weak.price"), ("flops", "models.weak.params")])
def test_an_unknown_cost_is_never_zero_under_a_limit(unit: Unit, key: str) -> None:
    ledger = Ledger(Memory(), unit=unit, limit=5)
    with pytest.raises(LimitReachedError, match=key):
        ledger.reserve("a", Cost(), model="weak")


def test_without_a_limit_costs_need_not_be_known() -> None:
    ledger = Ledger(Memory(), unit="usd")
    ledger.reserve("a", flops(1e30))
    ledger.release("a", flops(1e30))
    assert ledger.spending.spent == 0


amounts = st.floats(min_value=0, max_value=1e12, allow_nan=False)
requests = st.lists(st.tuples(amounts, st.floats(0, 1), st.integers(0, 5)), max_size=40)


@given(st.floats(min_value=1, max_value=1e13), requests)
def test_spent_and_reserved_never_exceed_the_limit(limit: float, asked: list[tuple[float, float, int]]) -> None:
    ledger = Ledger(Memory(), limit=limit)
    flying: list[tuple[str, float]] = []
    for number, (worst, share, answered) in enumerate(asked):
        try:
            ledger.reserve(str(number), flops(worst))
            flying.append((str(number), worst * share))
        except LimitReachedError:
            room = limit - ledger.spending.spent - ledger.spending.reserved
            assert worst > room * (1 - 1e-9)  # refused only for want of room
        for request, actual in flying[:answered]:
            ledger.release(request, flops(actual))
        flying = flying[answered:]
        assert ledger.spending.spent + ledger.spending.reserved <= limit * (1 + 1e-9)
    for request, actual in flying:
        ledger.release(request, flops(actual))
    assert ledger.spending.reserved == pytest.approx(0, abs=limit * 1e-9)


def test_who_waits_for_room_gets_what_others_did_not_need() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve("a", flops(60))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, "b", flops(60), patient=True)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.05)
        ledger.release("a", flops(10))
        waiting.result(timeout=5)
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 60)


def test_waiting_for_room_ends_when_nothing_is_in_flight_any_more() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve("a", flops(60))
    with ThreadPoolExecutor(2) as threads:
        much = threads.submit(ledger.reserve, "b", flops(101), patient=True)
        ledger.abandon(["a"])
        with pytest.raises(LimitReachedError):
            much.result(timeout=5)
    assert ledger.spending.reserved == 0


def test_a_closed_ledger_lets_nothing_more_through() -> None:
    ledger = Ledger(Memory(), limit=100)
    ledger.reserve("a", flops(60))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(ledger.reserve, "b", flops(60), patient=True)
        ledger.close()
        with pytest.raises(RunError, match="being stopped"):
            waiting.result(timeout=5)
    with pytest.raises(RunError, match="being stopped"):
        ledger.reserve("c", flops(1))
    ledger.release("a", flops(10))
    assert (ledger.spending.spent, ledger.spending.reserved) == (10, 0)


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"), limit=1e9)

    def work(name: str) -> None:
        for i in range(20):
            ledger.reserve(f"{name}{i}", flops(2), model="weak")
            ledger.release(f"{name}{i}", flops(1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, "abcd"))
    assert len(list(ledger.log.entries())) == 2 * 4 * 20
    assert (ledger.spending.spent, ledger.spending.reserved) == (80, 0)


def test_settling_after_a_kill(tmp_path: Path) -> None:
    before = Ledger(Log(tmp_path / "ledger.jsonl"))
    for request in ("answered", "stored", "lost"):
        before.reserve(request, flops(1), model="weak")
    before.release("answered", flops(1))
    after = Ledger(Log(tmp_path / "ledger.jsonl"))
    assert set(after.unanswered()) == {"stored", "lost"}
    assert after.unanswered()["lost"]["model"] == "weak"
    assert after.settle({"answered", "stored"}) == 1
    assert after.unanswered() == {}
    assert [(e["event"], e["request"]) for e in after.log.entries()][-2:] == [("done", "stored"), ("redone", "lost")]
    assert after.settle(set()) == 0


def test_a_request_that_is_done_again_is_reserved_again(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"))
    ledger.reserve("a", flops(1))
    ledger.settle(set())
    ledger.reserve("a", flops(1))
    assert set(ledger.unanswered()) == {"a"}


def test_other_accounts_get_lines_of_their_own(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"))
    ledger.note("audit", usd=0.5)
    assert list(ledger.log.entries()) == [{"event": "audit", "usd": 0.5}]
    assert ledger.unanswered() == {}
