"""The one thread that vLLM lives in: it takes requests from all batches, steps, and hands each batch its answers."""

from __future__ import annotations

import contextlib
import gc
import itertools
import queue
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from isocost.records import SamplingParams

_AT_ONCE = 64  # requests handed to vLLM between two steps: taking in a whole batch would let the device wait


class ClosedError(Exception):
    """vLLM was shut down before it answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One solution to be generated.

    Attributes:
        prompt: Tokens.
        salt: Prompts are read from the cache only if they were asked with the same one.
        limit: Tokens to generate at most.
        seed: Its own.
        params: How to draw; max_tokens is not looked at.
        ends: Tokens that end a text.
    """

    prompt: list[int]
    salt: str
    limit: int
    seed: int
    params: SamplingParams
    ends: tuple[int, ...]


@dataclass(slots=True)
class _Batch:
    asked: Sequence[Asked]
    outputs: list[Any]
    left: int
    future: Future[list[Any]] = field(default_factory=Future)


class Stepper:
    """vLLM in a thread of its own, where it is started, stepped and shut down: a CUDA device is current for one thread, not for all.

    Args:
        open_llm: Makes the LLMEngine.
        add: Gives it a request under an id: `add(llm, id, asked)`.

    Raises:
        Exception: whatever `open_llm` raised.
    """

    def __init__(self, open_llm: Callable[[], Any], add: Callable[[Any, str, Asked], None]) -> None:
        self._open_llm, self._add = open_llm, add
        self._inbox: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._owed: deque[tuple[_Batch, int]] = deque()
        self._live: dict[str, tuple[_Batch, int]] = {}
        self._names = itertools.count()
        self._ending = threading.Lock()
        self._end: BaseException | None = None
        self._context: Future[int] = Future()
        # A daemon, so that a process that never closes its engine can end.
        self._thread = threading.Thread(target=self._run, daemon=True, name="vllm")
        self._thread.start()
        self.context = self._context.result()

    @property
    def failed(self) -> bool:
        """Whether it answers no more."""
        return self._end is not None

    def answer(self, asked: Sequence[Asked]) -> list[Any]:
        """vLLM's RequestOutput for each, in order; waits for them.

        Raises:
            ClosedError: it was shut down.
            Exception: whatever vLLM raised.
        """
        batch = _Batch(asked, outputs=[None] * len(asked), left=len(asked))
        if not asked:
            return []
        with self._ending:
            if self._end:
                raise self._end
            self._inbox.put(batch)
        return batch.future.result()

    def close(self) -> None:
        """Shut vLLM down. Batches under way fail."""
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            llm = self._open_llm()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for the start
            traceback.clear_frames(error.__traceback__)  # they hold what was loaded
            self._context.set_exception(error)
            return
        self._context.set_result(llm.vllm_config.model_config.max_model_len)
        end: BaseException = ClosedError("vLLM was shut down")
        try:
            while self._take_in():
                self._hand_in(llm)
                if self._live:
                    self._hand_out(llm.step())
        except BaseException as error:  # noqa: BLE001 - raised again in the threads that wait for answers
            end = error
        # Before anybody hears of the end: shutting down undoes what the process shares, which a vLLM started meanwhile would miss.
        with contextlib.suppress(Exception):  # after a failure not all of it may be there; what matters is that the memory is let go
            llm.engine_core.shutdown()
        traceback.clear_frames(end.__traceback__)
        del llm
        gc.collect()
        self._finish(end)

    def _take_in(self) -> bool:
        """Move new batches to what is owed, waiting for one if there is nothing to do; False at the end."""
        while True:
            try:
                batch = self._inbox.get(block=not self._live and not self._owed)
            except queue.Empty:
                return True
            if batch is None:
                return False
            self._owed.extend((batch, place) for place in range(len(batch.asked)))

    def _hand_in(self, llm: Any) -> None:
        for _ in range(min(_AT_ONCE, len(self._owed))):
            batch, place = self._owed.popleft()
            name = str(next(self._names))
            self._live[name] = batch, place
            self._add(llm, name, batch.asked[place])

    def _hand_out(self, outputs: Sequence[Any]) -> None:
        for output in outputs:
            if not output.finished:
                continue
            batch, place = self._live.pop(output.request_id)
            batch.outputs[place] = output
            batch.left -= 1
            if not batch.left:
                batch.future.set_result(batch.outputs)

    def _finish(self, end: BaseException) -> None:
        with self._ending:
            self._end = end
        waiting = {id(batch): batch for batch, _ in (*self._live.values(), *self._owed)}
        while not self._inbox.empty():
            if batch := self._inbox.get():
                waiting[id(batch)] = batch
        for batch in waiting.values():
            batch.future.set_exception(end)
