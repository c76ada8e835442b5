"""Graders that go wrong in the ways that real ones do."""

import os
import time

from isocost.records import Outcome, Verdict


class Misbehaving:
    name = "misbehaving"
    version = "1"

    def grade(self, reference: str, generation: str) -> Verdict:
        if generation == "hang":
            time.sleep(60)
        if generation == "die":
            os._exit(3)
        if generation == "raise":
            raise ValueError("cannot read this")
        if generation == "slow":
            time.sleep(0.2)
        outcome = Outcome.CORRECT if reference == generation else Outcome.INCORRECT
        return Verdict(outcome=outcome, predicted_answer=generation, reason="compared")


class Careless(Misbehaving):
    cheap = True

    def grade(self, reference: str, generation: str) -> Verdict:
        return None if generation == "none" else super().grade(reference, generation)  # type: ignore[return-value]


class NotAGrader:
    name = "no version"
