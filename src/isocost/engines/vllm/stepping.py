"""The one thread that runs vLLM: it takes requests from all batches, steps the engine, and returns each batch its outputs."""

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

_AT_ONCE = 64  # requests added between two steps; adding a whole batch would leave the device idle


class ClosedError(Exception):
    """Raised where vLLM was shut down before it answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmRequest:
    """One solution to generate.

    Attributes:
        prompt: Tokens.
        salt: The prompt is read from the cache only where another was sent with the same salt.
        limit: The maximum number of tokens to generate.
        seed: Its own.
        params: The sampling parameters; their max_tokens is ignored.
        ends: End tokens.
        keeps_special_tokens: True if special tokens may be in the text.
    """

    prompt: list[int]
    salt: str
    limit: int
    seed: int
    params: SamplingParams
    ends: tuple[int, ...]
    keeps_special_tokens: bool = False


@dataclass(slots=True)
class _Batch:
    asked: Sequence[VllmRequest]
    outputs: list[Any]
    left: int
    future: Future[list[Any]] = field(default_factory=Future)


class Stepper:
    """vLLM in a thread of its own, where it is started, stepped and shut down, because a CUDA device is current per thread.

    Args:
        open_llm: Makes the LLMEngine.
        add: Gives it a request under an id: `add(llm, id, asked)`.

    Raises:
        Exception: any exception of `open_llm`.
    """

    def __init__(self, open_llm: Callable[[], Any], add: Callable[[Any, str, VllmRequest], None]) -> None:
        self._open_llm, self._add = open_llm, add
        self._inbox: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._pending: deque[tuple[_Batch, int]] = deque()
        self._running: dict[str, tuple[_Batch, int]] = {}
        self._names = itertools.count()
        self._end_lock = threading.Lock()
        self._end: BaseException | None = None
        self._context: Future[int] = Future()
        # A daemon, so that a process that never closes its engine can end.
        self._thread = threading.Thread(target=self._run, daemon=True, name="vllm")
        self._thread.start()
        self.context = self._context.result()

    @property
    def failed(self) -> bool:
        """True if it answers no more."""
        return self._end is not None

    def answer(self, asked: Sequence[VllmRequest]) -> list[Any]:
        """Return vLLM's RequestOutput for each, in order, after waiting for them.

        Raises:
            ClosedError: it was shut down.
            Exception: any exception of vLLM.
        """
        batch = _Batch(asked, outputs=[None] * len(asked), left=len(asked))
        if not asked:
            return []
        with self._end_lock:
            if self._end:
                raise self._end
            # Under the lock: after `_finish` has emptied the inbox, a batch would wait in it for ever.
            self._inbox.put(batch)
        return batch.future.result()

    def close(self) -> None:
        """Shut vLLM down. Batches in flight fail."""
        self._inbox.put(None)
        self._thread.join()  # the memory must be free when `close` returns

    def _run(self) -> None:
        try:
            llm = self._open_llm()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for the start
            traceback.clear_frames(error.__traceback__)  # the frames hold the loaded weights
            self._context.set_exception(error)
            return
        self._context.set_result(llm.vllm_config.model_config.max_model_len)
        end: BaseException = ClosedError("vLLM was shut down")
        try:
            while self._receive_batches():
                self._add_requests(llm)
                if self._running:
                    self._return_outputs(llm.step())
        except BaseException as error:  # noqa: BLE001 - raised again in the threads that wait for answers
            end = error
        # Before `_finish` wakes the callers: shutting down resets state of the whole process, which a vLLM started meanwhile would need.
        with contextlib.suppress(Exception):  # after a failure, parts of the engine may be missing; the memory is released anyway
            llm.engine_core.shutdown()
        traceback.clear_frames(end.__traceback__)
        del llm
        gc.collect()
        self._finish(end)

    def _receive_batches(self) -> bool:
        """Move new batches to the pending ones, and wait for one if there is nothing to do. Return False at the end."""
        while True:
            try:
                batch = self._inbox.get(block=not self._running and not self._pending)
            except queue.Empty:
                return True
            if batch is None:
                return False
            self._pending.extend((batch, place) for place in range(len(batch.asked)))

    def _add_requests(self, llm: Any) -> None:
        for _ in range(min(_AT_ONCE, len(self._pending))):
            batch, place = self._pending.popleft()
            name = str(next(self._names))
            self._running[name] = batch, place
            self._add(llm, name, batch.asked[place])

    def _return_outputs(self, outputs: Sequence[Any]) -> None:
        for output in outputs:
            if not output.finished:
                continue
            batch, place = self._running.pop(output.request_id)
            batch.outputs[place] = output
            batch.left -= 1
            if not batch.left:
                batch.future.set_result(batch.outputs)

    def _finish(self, end: BaseException) -> None:
        with self._end_lock:
            self._end = end
        waiting = {id(batch): batch for batch, _ in (*self._running.values(), *self._pending)}
        while not self._inbox.empty():
            if batch := self._inbox.get():
                waiting[id(batch)] = batch
        for batch in waiting.values():
            batch.future.set_exception(end)
