"""Graders that go wrong in the ways that real ones do."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from isocost.graders.base import AnswerGrader, correct, incorrect, no_answer
from isocost.records import Outcome, Verdict

GIBIBYTE = 1 << 30


def misbehave(text: str) -> None:
    """Go wrong as the text says."""
    if text in WAYS:
        WAYS[text]()
    elif text.startswith("hang"):
        time.sleep(60)


def _raise(error: Exception) -> None:
    raise error


WAYS: dict[str, Callable[[], object]] = {
    "hang deep": lambda: 9**9**9 % 7,  # no thread of the process runs meanwhile
    "die": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), 9),
    "raise": lambda: _raise(ValueError("cannot read this")),
    "speechless": lambda: _raise(KeyError(10**5000)),  # has no message: the number is too long to be written
    "exit": lambda: sys.exit("enough"),
    "recurse": lambda: misbehave("recurse"),
    "devour": lambda: bytearray(3 * GIBIBYTE),
    "slow": lambda: time.sleep(0.2),
}


class Misbehaving:
    name = "misbehaving"
    version = "1"
    memory_limit = GIBIBYTE

    def grade(self, reference: str, generation: str) -> Verdict:
        misbehave(generation)
        outcome = Outcome.CORRECT if reference == generation else Outcome.INCORRECT
        return Verdict(outcome=outcome, predicted_answer=generation, reason="compared")


class Careless(Misbehaving):
    cheap = True

    def grade(self, reference: str, generation: str) -> Verdict:
        if generation == "number":
            return Verdict(outcome=Outcome.CORRECT, predicted_answer=12, reason="equal")  # type: ignore[arg-type]
        return None if generation == "none" else super().grade(reference, generation)  # type: ignore[return-value]


class Counting(Misbehaving):
    """Writes down what it is asked, in the file that is its option."""

    def __init__(self, *, log: str) -> None:
        self.log = Path(log)

    def grade(self, reference: str, generation: str) -> Verdict:
        with self.log.open("a") as file:
            file.write(f"{generation}\n")
        return super().grade(reference, generation)


class Steps(AnswerGrader):
    """The answer is what stands after the last colon; it is compared where the reference is `open`."""

    name = "steps"
    version = "1"

    def extract(self, generation: str) -> str | None:
        found = generation.rpartition(":")[2]
        if found == "raise early":
            raise ValueError("too early")
        return found or None

    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        if answer is None:
            return no_answer("no_answer")
        if reference.startswith("open"):
            return None
        return correct(answer, "settled") if answer == reference else incorrect(answer, "settled")

    def compare(self, reference: str, answer: str) -> Verdict:
        misbehave(answer)
        return incorrect(answer, f"compared in {os.getpid()}")


class StopsLater(Misbehaving):
    """Is stopped by what it left running, after its verdict."""

    def grade(self, reference: str, generation: str) -> Verdict:
        if generation == "stop later":
            number = os.getpid()
            if os.fork() == 0:
                time.sleep(0.3)
                os.kill(number, signal.SIGSTOP)
                os._exit(0)
        return super().grade(reference, generation)


class SlowToStart(Misbehaving):
    def prepare(self) -> None:
        time.sleep(20)


class Once(Misbehaving):
    """Fails in the way that is its option, as long as the file that is its other one is not there."""

    def __init__(self, *, way: str, file: str) -> None:
        self.way, self.file = way, Path(file)

    def grade(self, reference: str, generation: str) -> Verdict:
        return super().grade(reference, generation if self.file.exists() else self.way)


class Silent(Steps):
    """Offers no solution that says a reference."""

    def gold(self, reference: str) -> str | None:
        if reference == "raise":
            raise ValueError("unheard of")
        return None

    def settle(self, reference: str, answer: str | None) -> Verdict | None:
        if reference == "bad":
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="bad_reference")
        return super().settle(reference, answer)


class KeepsLimit(Misbehaving):
    """Stops by itself at the time limit."""

    time_limit = 1000.0

    def grade(self, reference: str, generation: str) -> Verdict:
        if generation == "long":
            time.sleep(self.time_limit)
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason=f"stopped after {self.time_limit}")
        return super().grade(reference, generation)


class OwnTime(KeepsLimit):
    """Needs more than the limit by itself, and says so."""

    overtime = 20.0

    def grade(self, reference: str, generation: str) -> Verdict:
        time.sleep(self.time_limit + 2.5)
        return Misbehaving().grade(reference, generation)


class Threaded(Misbehaving):
    """Cannot be forked."""

    def prepare(self) -> None:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()


class Unprepared(Misbehaving):
    def prepare(self) -> None:
        raise ImportError("no module named sums")


class Deadborn(Misbehaving):
    def prepare(self) -> None:
        sys.stderr.write("libsums.so: cannot be opened\n")
        sys.stderr.flush()
        os._exit(9)


class NotAGrader:
    name = "no version"
