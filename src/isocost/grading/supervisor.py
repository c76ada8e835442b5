"""One thread per worker process: it assigns pairs, and decides which pair a process died of."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from isocost.errors import RunError
from isocost.graders.base import ungraded
from isocost.grading.judging import OUT_OF_MEMORY
from isocost.grading.process import Process, Setup, StartError
from isocost.records import Verdict

MOST_PAIRS = 32  # sent to a process at a time: enough to hide the round trip, few enough to share out evenly
MOST_CHARACTERS = 1_000_000  # of them together
FEWEST_PAIRS = 4  # pending pairs that justify another process, which takes up to seconds to start
MOST_STARTS = 3  # failed starts in a row before any process has ever started
MOST_RESTARTS = 12  # failed starts in a row after one has, with no other left; with the pauses about a minute
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds between failed starts: a machine short of memory kills new processes at once


@dataclass(slots=True)
class Task:
    """A pair to judge. `text` is an answer, or a whole solution if the grader does not work in two steps."""

    digest: bytes
    reference: str
    text: str
    deaths: int = 0

    @property
    def size(self) -> int:
        """Its length in characters."""
        return len(self.reference) + len(self.text)


class Supervisor:
    """A supervisor of worker processes, which it starts as they are needed.

    Args:
        setup: The workers' configuration.
        workers: The maximum number of processes.
        deliver: Called from a thread with each verdict, and with True if it is the grader's own.
        give_up: Called once with the error if no process can be started, or if this code fails; nothing is delivered after it.
    """

    def __init__(
        self, setup: Setup, workers: int, deliver: Callable[[Task, Verdict, bool], None], give_up: Callable[[Exception], None]
    ) -> None:
        self._setup, self._workers, self._deliver, self._give_up = setup, workers, deliver, give_up
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._processes: list[Process] = []
        self._idle = 0
        self._ever_started = self._closed = False

    @property
    def size(self) -> int:
        """The number of processes requested so far."""
        return len(self._threads)

    def put(self, tasks: Iterable[Task]) -> None:
        """Queue pairs for judging, and start further processes if they are worth it."""
        with self._changed:
            if self._closed:
                return
            self._tasks.extend(tasks)
            useful = -(-len(self._tasks) // FEWEST_PAIRS) - self._idle
            for _ in range(min(useful, self._workers - len(self._threads))):
                thread = threading.Thread(target=self._work, name="isocost-grading", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Stop at once, even in the middle of a pair."""
        with self._changed:
            self._closed = True
            self._tasks.clear()
            self._changed.notify_all()
            processes = list(self._processes)
        for process in processes:
            process.interrupt()
        for thread in self._threads:
            # `give_up` runs in such a thread, and its receiver may close.
            if thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        process = Process(self._setup)
        with self._changed:
            self._processes.append(process)
        try:
            while self._start(process) and (tasks := self._take()):
                done = 0
                for verdict in process.judge([(task.reference, task.text) for task in tasks]):
                    self._deliver(tasks[done], verdict, verdict != OUT_OF_MEMORY)
                    done += 1
                self._return(tasks[done:], process.fate)
        except Exception as error:  # noqa: BLE001 - an internal error must not leave the caller waiting: it is raised there
            self._fail(error)
        finally:
            process.stop()

    def _start(self, process: Process) -> bool:
        """Return True once the process is ready. While others are ready, try without limit: they do its work meanwhile."""
        failures, pause = 0, FIRST_PAUSE
        while not self._closed:
            try:
                process.start()
            except (StartError, OSError) as error:
                failures += 1
                with self._changed:
                    final = not self._ever_started and getattr(error, "final", False)
                    most = MOST_RESTARTS if self._ever_started else MOST_STARTS
                    hopeless = final or (failures >= most and not any(other.ready for other in self._processes))
                if hopeless:
                    self._fail(RunError(f'workers for the grader "{self._setup.name}" cannot be started: {error}'))
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._ever_started = True
                return not self._closed
        return False

    def _fail(self, error: Exception) -> None:
        with self._changed:
            first, self._closed = not self._closed, True
            self._tasks.clear()
            self._changed.notify_all()
        if first:
            self._give_up(error)

    def _take(self) -> list[Task]:
        """Return the next pairs; none once closed. Fewer when few are left, so that all processes finish together."""
        with self._changed:
            self._idle += 1
            while not self._tasks and not self._closed:
                self._changed.wait()
            self._idle -= 1
            share = min(MOST_PAIRS, max(1, len(self._tasks) // (2 * len(self._threads))))
            taken: list[Task] = []
            size = 0
            while self._tasks and len(taken) < share and (not taken or size + self._tasks[0].size <= MOST_CHARACTERS):
                taken.append(self._tasks.popleft())
                size += taken[-1].size
            return taken

    def _return(self, tasks: list[Task], fate: str | None) -> None:
        """Queue the pairs again that a dead process left.

        The first one is the likely cause. It is ungraded after its second death, or after one timeout.
        """
        if tasks and fate and not self._closed:
            first = tasks[0]
            first.deaths += 1
            if fate == "timeout" or first.deaths > 1:
                self._deliver(tasks.pop(0), ungraded(fate), False)
        with self._changed:
            if not self._closed:
                self._tasks.extendleft(reversed(tasks))  # at the front: the caller waits for the oldest pairs
                self._changed.notify_all()
