"""Retries of calls, on a simulated clock."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace

import pytest

from isocost.dispatch import calls as module
from isocost.dispatch.calls import Call, CallQueue, EndpointHealth, Retrying, make_queues
from isocost.errors import EngineError, RefusedPromptError, TryAgainError
from tests.dispatch.scripted import call, calls


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(module.random, "uniform", lambda low, high: 1.0)
    return clock


def queue(keys: str = "abcdefghijkl", **changes: float) -> CallQueue:
    return CallQueue(iter(calls(keys, queue="far")), Retrying(**changes))  # type: ignore[arg-type]


def sent(queue: CallQueue, clock: Clock) -> Call:
    found = queue.next(clock.now)
    assert found is not None
    return found


def refused(wait: float | None = None) -> TryAgainError:
    return TryAgainError("busy", wait=wait)


def broken() -> TryAgainError:
    return TryAgainError("broken", charged=True)


def test_the_wait_doubles_up_to_the_longest(clock: Clock) -> None:
    retrying = Retrying(first=1.0, longest=60.0)
    assert [retrying.wait(n, None) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert retrying.wait(10**6, None) == 60


def test_the_wait_is_spread() -> None:
    waits = [Retrying().wait(3, None) for _ in range(200)]
    assert 2.0 <= min(waits) < 3.0 < 5.0 < max(waits) <= 6.0


def test_never_before_the_time_that_the_endpoint_names(clock: Clock) -> None:
    retrying = Retrying()
    assert retrying.wait(1, 30.0) == 30.0
    assert retrying.wait(1, 0.1) == 1.0
    assert retrying.wait(20, 90.0) == 90.0


def test_a_refusal_holds_the_whole_queue_back(clock: Clock) -> None:
    far = queue()
    first = sent(far, clock)
    assert far.record_failure(first, refused(wait=7.0))
    clock.now += 6.9
    assert far.next(clock.now) is None
    assert not far.is_done()
    clock.now += 0.2
    assert sent(far, clock) is first
    assert sent(far, clock).key == "b"


def test_a_broken_connection_holds_back_its_own_call_alone(clock: Clock) -> None:
    far = queue()
    first = sent(far, clock)
    assert far.record_failure(first, broken())
    assert sent(far, clock).key == "b"
    clock.now += 1.0
    assert sent(far, clock) is first


def test_calls_come_back_in_the_order_of_their_times(clock: Clock) -> None:
    far = queue()
    a, b = sent(far, clock), sent(far, clock)
    far.failures[a.key] = (2, 0)
    assert far.record_failure(a, broken())  # its third: 4 seconds
    assert far.record_failure(b, broken())  # 1 second
    clock.now += 10
    assert [sent(far, clock).key for _ in range(3)] == ["b", "a", "c"]


def test_an_outage_is_probed_one_call_at_a_time(clock: Clock) -> None:
    far = queue(outage=3)
    flying = [sent(far, clock) for _ in range(3)]
    for each in flying:
        assert far.room(5) == 5
        assert far.record_failure(each, broken())
    assert far.room(5) == 1
    assert far.next(clock.now) is None  # held back, though each of them may be charged
    clock.now += 2.0
    probe = sent(far, clock)
    far.in_flight = 1
    assert far.room(5) == 0
    far.record_success(probe)
    assert far.room(5) == 4


def test_an_outage_is_not_probed_with_what_may_have_made_it(clock: Clock) -> None:
    """Eight calls that no endpoint could answer come back together, while good ones wait behind them."""
    far = queue(outage=3, first=1.0, longest=60.0)
    poisoned = [sent(far, clock) for _ in range(3)]
    for each in poisoned:
        assert far.record_failure(each, broken())
    clock.now += 100
    probe = sent(far, clock)
    assert probe.key == "d"
    far.record_success(probe)
    assert [sent(far, clock) for _ in range(4)][:3] == poisoned


def test_probes_come_further_and_further_apart(clock: Clock) -> None:
    far = queue(outage=3, first=1.0, longest=8.0)
    for _ in range(3):
        far.record_failure(sent(far, clock), broken())
    waits = []
    for _ in range(5):
        clock.now = far.not_before
        far.record_failure(sent(far, clock), broken())
        waits.append(far.not_before - clock.now)
    assert waits == [2, 4, 8, 8, 8]


def test_an_outage_is_probed_with_what_went_wrong_where_nothing_else_is_left(clock: Clock) -> None:
    far = queue("ab", outage=2)
    both = [sent(far, clock) for _ in range(2)]
    for each in both:
        assert far.record_failure(each, broken())
    clock.now = far.not_before
    assert sent(far, clock) in both


def test_patience_ends_and_an_answer_renews_it(clock: Clock) -> None:
    far = queue(patience=100.0, first=1.0, longest=10.0)
    one = sent(far, clock)
    for _ in range(8):
        assert far.record_failure(one, refused())
        clock.now += 10.0
    far.record_success(one)
    for _ in range(8):
        assert far.record_failure(one, refused())
        clock.now += 10.0
    assert far.record_failure(one, refused())
    clock.now += 10.0
    assert far.record_failure(one, refused())
    clock.now += 10.0
    with pytest.raises(EngineError, match=r"busy\n  no answer for 100 seconds; answers so far are saved"):
        far.record_failure(one, refused())


def test_what_may_be_the_problems_fault_names_it(clock: Clock) -> None:
    far = queue("a", attempts=3, patience=100.0, first=1.0, longest=10.0)
    one = sent(far, clock)

    def fail_until_it_stops() -> str:
        try:
            while far.record_failure(one, broken()):
                clock.now += 10.0
        except EngineError as error:
            return str(error)
        return ""

    said = fail_until_it_stops()
    assert (
        "no answer for 100 seconds; answers so far are saved, run the same command to resume; or leave out problem a, which was sent"
        in said
    )
    far.consecutive_failures, far.failures, far.health = 0, {}, EndpointHealth()
    clock.now += 99.0
    far.record_failure(one, broken())
    clock.now += 99.0
    said = fail_until_it_stops()
    assert said.endswith("run the same command to resume")  # asked twice: it may be anything


def test_given_up_only_where_others_are_answered(clock: Clock) -> None:
    far = queue(attempts=3, patience=1e9)
    poison, fine = sent(far, clock), sent(far, clock)
    assert all(far.record_failure(poison, broken()) for _ in range(6))  # nobody was answered: it may be the endpoint
    far.record_success(fine)
    assert not far.record_failure(poison, broken())


def test_what_is_refused_and_not_charged_is_never_given_up(clock: Clock) -> None:
    far = queue(attempts=3, patience=1e9)
    full, fine = sent(far, clock), sent(far, clock)
    far.record_success(fine)
    for _ in range(9):
        assert far.record_failure(full, refused())
        far.record_success(fine)


def test_a_person_is_told_once_of_each_trouble(clock: Clock) -> None:
    far = queue()
    one = sent(far, clock)
    said = []
    for _ in range(6):
        far.record_failure(one, refused())
        said.append(far.failure_message(refused()))
    assert [bool(text) for text in said] == [False, False, True, False, False, False]
    far.record_success(one)
    for _ in range(3):
        far.record_failure(one, refused())
    assert far.failure_message(refused()) == "busy; retrying for up to 10 minutes without an answer"


def test_sources_are_put_together_by_queue_in_order() -> None:
    queues = make_queues([calls("ab"), calls("cd", queue="far"), [], calls("ef")])
    assert {name: [each.key for each in found.source] for name, found in queues.items()} == {"": list("abef"), "far": list("cd")}


def test_sources_are_not_read_ahead() -> None:
    read: list[str] = []

    def reading(keys: str) -> object:
        for key in keys:
            read.append(key)
            yield call(key)

    queues = make_queues([reading("abc"), reading("def")])  # type: ignore[list-item]
    assert read == ["a", "d"]
    assert sent(queues[""], Clock()).key == "a"
    assert read == ["a", "d"]


def test_a_single_call_is_given_up_if_the_endpoint_answered_before(clock: Clock) -> None:
    health = EndpointHealth(answered=True)
    for name in "ab":
        far = CallQueue(iter(calls(name, queue="far")), Retrying(attempts=3), health)
        one = sent(far, clock)
        assert [far.record_failure(one, broken()) for _ in range(3)] == [True, True, False]


def test_many_calls_that_fail_are_an_outage(clock: Clock) -> None:
    health = EndpointHealth(answered=True)
    for name in "abc":
        far = CallQueue(iter(calls(name, queue="far")), Retrying(attempts=1), health)
        assert not far.record_failure(sent(far, clock), broken())
    far = CallQueue(iter(calls("d", queue="far")), Retrying(attempts=1), health)
    one = sent(far, clock)
    assert far.record_failure(one, broken())
    health.record_success()
    assert not far.record_failure(one, broken())


def test_after_a_wait_without_any_answer_one_failure_is_enough(clock: Clock) -> None:
    health = EndpointHealth()
    far = CallQueue(iter(calls("a", queue="far")), Retrying(patience=1.0), health)
    with pytest.raises(EngineError, match="no answer for 1 seconds"):
        [far.record_failure(one, broken()) for one in [sent(far, clock)] * 9]
    far = CallQueue(iter(calls("b", queue="far")), Retrying(patience=1e9), health)
    with pytest.raises(EngineError, match="broken"):
        far.record_failure(sent(far, clock), broken())


def test_an_absurd_retry_after_is_capped_and_the_cap_is_in_the_message(clock: Clock) -> None:
    retrying = Retrying()
    assert retrying.wait(1, 3e9) == 120.0
    far = queue()
    one = sent(far, clock)
    assert far.record_failure(one, refused(wait=3e9))
    message = "busy; retrying for up to 10 minutes without an answer (it asks to wait for more than 1,000 days, the most is 120 seconds)"
    assert far.failure_message(refused(wait=3e9)) == message.replace("120 seconds", "2 minutes")
    clock.now += 120.0
    assert sent(far, clock) is one


@pytest.mark.parametrize(
    ("seconds", "text"), [(90.0, "90 seconds"), (1800.0, "30 minutes"), (36_000.0, "10 hours"), (864_000.0, "10 days")]
)
def test_a_run_that_stops_names_the_wait_that_was_asked_for(clock: Clock, seconds: float, text: str) -> None:
    far = queue(patience=1.0, most_asked=60.0)
    with pytest.raises(EngineError, match=f"no answer for 1 seconds, and it asks to wait for {text}; answers so far are saved"):
        far.record_failure(sent(far, clock), refused(wait=seconds))


UNKNOWN_WORDS = RefusedPromptError("it refuses that", reason="refused (400)", certain=False)
TOO_LONG = RefusedPromptError("it finds that too long", reason="too long (400)")
TOO_LONG.charged = False


def of_one_problem(count: int, problem: str = "p9") -> list[Call]:
    made = calls("abcdefghijkl"[:count], queue="far")
    for each in made:
        (request,) = each.job.requests
        object.__setattr__(each.job, "requests", (replace(request, problem_id=problem),))
    return made


def refuse_all(
    far: CallQueue, clock: Clock, *, together: int, answered: bool, error: RefusedPromptError = UNKNOWN_WORDS
) -> tuple[Counter[str], list[str]]:
    """Refuse every call, `together` in flight at once; return how often each was sent, and which were given up."""
    sent_times, given_up = Counter[str](), []
    deadline = clock.now + 7200.0
    while not far.is_done():
        flying: list[Call] = []
        while len(flying) < together and (found := far.next(clock.now)):
            flying.append(found)
            far.in_flight += 1
        if not flying:
            clock.now += 1.0
        for each in flying:
            far.in_flight -= 1
            sent_times[each.key] += 1
            if not far.record_refusal(each, error, answered=answered):
                given_up.append(each.key)
        assert clock.now < deadline, sent_times
    return sent_times, given_up


@pytest.mark.parametrize("together", [1, 2, 3, 20])
@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_calls_that_are_all_refused_fail_after_two_attempts_where_others_were_answered_before(
    clock: Clock, count: int, together: int
) -> None:
    far = CallQueue(iter(of_one_problem(count)), Retrying())
    sent_times, given_up = refuse_all(far, clock, together=together, answered=True)
    assert sorted(given_up) == sorted(sent_times) == sorted("abcdefghijkl"[:count])
    assert max(sent_times.values()) <= 2
    assert not far.suspects
    assert not far.failures


@pytest.mark.parametrize("together", [1, 3])
def test_calls_that_are_all_refused_stop_the_run_where_nothing_was_ever_answered(clock: Clock, together: int) -> None:
    far = CallQueue(iter(of_one_problem(3)), Retrying())
    with pytest.raises(RefusedPromptError, match="it refuses that"):
        refuse_all(far, clock, together=together, answered=False)


def test_an_earlier_answer_to_a_judge_counts_for_its_refused_calls(clock: Clock) -> None:
    far = CallQueue(iter(of_one_problem(3)), Retrying(), EndpointHealth(answered=True))
    assert len(refuse_all(far, clock, together=2, answered=False)[1]) == 3


def test_a_refused_call_waits_for_others_no_longer_than_patience(clock: Clock) -> None:
    """The others stay in flight and are never answered."""
    for answered in (True, False):
        far = CallQueue(iter(of_one_problem(2)), Retrying(patience=600.0))
        one, _ = sent(far, clock), sent(far, clock)
        far.in_flight = 1
        started = clock.now
        with pytest.raises(RefusedPromptError) if not answered else nullcontext():
            while far.record_refusal(one, UNKNOWN_WORDS, answered=answered):
                clock.now += 60.0
        assert 600.0 < clock.now - started < 700.0


def test_a_refused_call_that_others_outlive_is_sent_again_after_their_answers(clock: Clock) -> None:
    far = CallQueue(iter(of_one_problem(3)), Retrying())
    one, other = sent(far, clock), sent(far, clock)
    far.in_flight = 1
    assert far.record_refusal(one, UNKNOWN_WORDS, answered=False)
    far.in_flight = 0
    far.record_success(other)
    clock.now += 100.0
    assert sent(far, clock) is one
    assert not far.record_refusal(one, UNKNOWN_WORDS, answered=True)


def test_prompts_that_are_all_too_long_stop_the_run_where_nothing_was_ever_answered(clock: Clock) -> None:
    """A limit on generated tokens that does not fit into the context makes every prompt too long: none has failed for good by then."""
    far = queue()
    # Answers take seconds, and refusals do not: some prompts at the beginning may be too long, and other calls are under way.
    assert all(far.record_refusal(sent(far, clock), TOO_LONG, answered=False) for _ in range(9))
    clock.now += 30.0
    with pytest.raises(RefusedPromptError, match="it finds that too long"):
        far.record_refusal(sent(far, clock), TOO_LONG, answered=False)


@pytest.mark.parametrize(("keys", "stops"), [("a", False), ("abc", False), ("abcd", True)])
def test_few_prompts_that_are_too_long_fail_though_nothing_else_is_asked(clock: Clock, keys: str, stops: bool) -> None:
    far = queue(keys)
    with pytest.raises(RefusedPromptError) if stops else nullcontext():
        assert sorted(refuse_all(far, clock, together=2, answered=False, error=TOO_LONG)[1]) == list(keys)


def test_prompts_that_are_too_long_fail_at_once_where_the_model_has_answered(clock: Clock) -> None:
    far = queue()
    assert not any(far.record_refusal(sent(far, clock), TOO_LONG, answered=True) for _ in range(12))
    assert far.is_done()
