"""The thread that steps, with a stand-in for vLLM."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from isocost.engines.vllm.stepping import ClosedError, Stepper, VllmRequest
from isocost.records import SamplingParams


def asked(limit: int) -> VllmRequest:
    return VllmRequest(prompt=[1], salt="0", limit=limit, seed=0, params=SamplingParams(), ends=())


class Llm:
    """Answers a request with its id after as many steps as its limit says; a request with the limit 0 breaks it."""

    def __init__(self) -> None:
        self.vllm_config = SimpleNamespace(model_config=SimpleNamespace(max_model_len=77))
        self.engine_core = self
        self.running: dict[str, int] = {}
        self.most = self.steps = 0
        self.threads = {threading.get_ident()}
        self.go = threading.Event()
        self.go.set()
        self.added = threading.Event()
        self.shut_down = threading.Event()
        self.shut_down.set()

    def add(self, _llm: Any, name: str, asked: VllmRequest) -> None:
        self.added.set()
        self.running[name] = asked.limit

    def step(self) -> list[Any]:
        self.go.wait()
        self.threads.add(threading.get_ident())
        self.most, self.steps = max(self.most, len(self.running)), self.steps + 1
        if 0 in self.running.values():
            raise RuntimeError("broken")
        self.running = {name: left - 1 for name, left in self.running.items()}
        done = [name for name, left in self.running.items() if not left]
        for name in done:
            del self.running[name]
        return [SimpleNamespace(request_id=name, finished=True, outputs=[name]) for name in reversed(done)]

    def shutdown(self) -> None:
        self.threads.add(threading.get_ident())
        self.shut_down.wait()


def started() -> tuple[Stepper, Llm]:
    made: list[Llm] = []

    def open_llm() -> Llm:
        made.append(Llm())
        return made[0]

    stepper = Stepper(open_llm, lambda llm, name, asked: llm.add(llm, name, asked))
    return stepper, made[0]


def test_outputs_come_in_the_order_asked_and_from_one_thread() -> None:
    stepper, llm = started()
    assert stepper.context == 77
    assert [o.request_id for o in stepper.answer([asked(3), asked(1), asked(2)])] == ["0", "1", "2"]
    assert stepper.answer([]) == []
    stepper.close()
    assert llm.threads == {stepper._thread.ident}


def test_a_second_batch_joins_the_first() -> None:
    stepper, llm = started()
    llm.go.clear()
    with ThreadPoolExecutor(2) as threads:
        batches = [threads.submit(stepper.answer, [asked(200)] * 5) for _ in range(2)]
        llm.go.set()
        names = [{o.request_id for o in batch.result()} for batch in batches]
    stepper.close()
    assert llm.most == 10
    assert len(names[0] | names[1]) == 10


def test_a_large_batch_is_taken_in_between_steps() -> None:
    stepper, llm = started()
    assert len(stepper.answer([asked(2)] * 500)) == 500
    stepper.close()
    assert llm.most < 500


def test_a_failure_reaches_every_batch_and_all_later_ones() -> None:
    stepper, llm = started()
    llm.go.clear()
    with ThreadPoolExecutor(2) as threads:
        good, bad = threads.submit(stepper.answer, [asked(10**6)]), threads.submit(stepper.answer, [asked(0)])
        llm.go.set()
        for batch in (good, bad):
            with pytest.raises(RuntimeError, match="broken"):
                batch.result()
    assert stepper.failed
    with pytest.raises(RuntimeError, match="broken"):
        stepper.answer([asked(1)])
    stepper.close()


def test_batches_under_way_fail_when_it_is_closed() -> None:
    stepper, llm = started()
    llm.go.clear()
    with ThreadPoolExecutor(1) as threads:
        batch = threads.submit(stepper.answer, [asked(10**6)])
        llm.added.wait()
        closing = threading.Thread(target=stepper.close)
        closing.start()
        llm.go.set()
        with pytest.raises(ClosedError):
            batch.result()
        closing.join()
    with pytest.raises(ClosedError):
        stepper.answer([asked(1)])


def test_a_start_that_fails_is_told() -> None:
    def broken() -> Any:
        raise ValueError("no such device")

    with pytest.raises(ValueError, match="no such device"):
        Stepper(broken, lambda *_: None)


def test_nobody_hears_of_a_failure_before_vllm_is_shut_down() -> None:
    stepper, llm = started()
    llm.shut_down.clear()
    with ThreadPoolExecutor(2) as threads:
        failing = threads.submit(stepper.answer, [asked(0)])
        assert llm.added.wait(30)
        late = threads.submit(stepper.answer, [asked(1)])
        with pytest.raises(TimeoutError):
            failing.result(timeout=0.2)
        assert not stepper.failed
        llm.shut_down.set()
        for each in (failing, late):
            with pytest.raises(RuntimeError, match="broken"):
                each.result(30)
    assert stepper.failed
