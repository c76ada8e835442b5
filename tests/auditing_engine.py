"""A model made of rules, for tests of studies whose solutions a model audits: some of its right answers are guessed, and it sees which.

Everything that it is asked as a judge is noted in a file, as `tests.judging_engine` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.errors import EngineError
from isocost.records import SamplingParams
from tests.judging_engine import SUM, Rules, _said

AUDITING = "You are checking the reasoning of a solution"


class Guesser(Rules):
    """`guesses`: of so many solutions one is guessed (0: none), its answer as right as any; `mute`: of so many one has no verdict."""

    def __init__(self, base: Path, *, guesses: int = 0, mute: int = 0, **options: Any) -> None:
        super().__init__(base, **options)
        self.identity = f"guesser-{guesses}-{mute}-{self.identity}"
        self._guesses, self._mute = guesses, mute

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        audits = [AUDITING in request.prompt for request in batch]
        if any(audits) and self._fails.exists():
            raise EngineError("the judge is not there")
        self._note([request.prompt for request, is_audit in zip(batch, audits, strict=True) if is_audit])
        return [
            [self._audited(request.prompt)] if is_audit else [self._solved(request, request.first_index + i) for i in range(request.count)]
            for request, is_audit in zip(batch, audits, strict=True)
        ]

    def _solved(self, request: Request, index: int) -> Generation:
        a, b = (int(number) for number in SUM.findall(request.prompt)[-1])
        wrong = bool(self._errs and (a + index) % self._errs == 0)
        guessed = bool(self._guesses and (3 * a + index) % self._guesses == 0)
        way = f"I guess, way {index}." if guessed else f"Way {index}: {a} + {b} = {a + b + wrong}"
        return _said(f" {way}\n#### {a + b + wrong}", request.prompt)

    def _audited(self, prompt: str) -> Generation:
        ((a, _),) = SUM.findall(prompt)
        if self._mute and int(a) % self._mute == 0:
            return _said("Hard to say.", prompt)
        return _said(f"I see.\nverdict: {'unsound' if 'I guess' in prompt else 'sound'}", prompt)


def open_engine(options: Mapping[str, Any], base: Path) -> Guesser:
    return Guesser(base, **options)
