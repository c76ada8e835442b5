"""Equal numbers of draws for every problem, where the draws of a request share the cost of its prompt."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

from isocost.policies.base import Terms


class Levels:
    """Draws of one model that an amount pays for: as equal over problems as a pilot's draws, and those that there are, allow.

    With p for one reading of a prompt, d for the generated part of a draw and r draws in a request, k draws of a problem that are asked for
    together cost ceil(k / r) p + k d. A pilot's draws are requests of their own. At level L every problem has L draws, if its pilot has no
    more and it offers as many. The level is the largest that the amount pays for.

    Args:
        terms: The terms of a cell, which bound the model's requests.
        model: The model.
        prompt: p.
        each: d, above 0.
        amount: The money, in the unit of the terms.

    Attributes:
        level: L.
        left: What the amount leaves at this level; negative if it does not pay for the pilot.
    """

    def __init__(self, terms: Terms, model: str, prompt: Fraction, each: Fraction, amount: Fraction) -> None:
        self._terms, self._model, self._prompt, self._each = terms, model, prompt, each
        self._taken = {p: terms.piloted.get((p, model), 0) for p in terms.problem_ids}
        above = max(0, math.floor(amount / each)) + 1  # no problem can get as many
        self._most = {p: terms.available.get((p, model), above + self._taken[p]) for p in terms.problem_ids}
        # Problems by pilot and offer: far fewer pairs than problems.
        self._groups = Counter((self._taken[p], self._most[p]) for p in terms.problem_ids)
        self.level = 0
        while above - self.level > 1:
            middle = (self.level + above) // 2
            self.level, above = (middle, above) if self._cost(middle) <= amount else (self.level, middle)
        self.left = amount - self._cost(self.level)

    def counts(self, seed: int) -> dict[str, int]:
        """Return the draws of each problem: the level, and one more for as many problems as the rest pays for, in a seeded order."""
        counts = {p: max(taken, min(self.level, self._most[p])) for p, taken in self._taken.items()}
        order = [p for p in self._taken if self._taken[p] <= self.level < self._most[p]]
        random.Random(f"uniform/{seed}").shuffle(order)
        left = self.left
        for problem in order:
            left -= self._each + (self._prompt if self._begins(self._taken[problem]) else 0)
            if left < 0:
                break
            counts[problem] += 1
        return counts

    def mean_total(self) -> tuple[int, int]:
        """Return draws and readings, a pilot's included: the level, and what the rest pays for at the mean price of one draw more.

        No draws if the amount does not pay for the pilot.
        """
        draws, readings = self._sums(self.level)
        if self.left < 0:
            return 0, readings
        rising = [(taken, n) for (taken, most), n in self._groups.items() if taken <= self.level < most]
        problems = sum(n for _, n in rising)
        if problems == 0:
            return draws, readings
        begun = sum(n for taken, n in rising if self._begins(taken))
        step = self._each + Fraction(begun, problems) * self._prompt
        more = min(math.floor(self.left / step), problems)
        return draws + more, readings + math.ceil(Fraction(begun, problems) * more)

    def _begins(self, taken: int) -> bool:
        """Return True if the draw after the level begins a request, for a problem with that many draws in the pilot."""
        return (self.level - taken) % self._terms.per_request[self._model] == 0

    def _cost(self, level: int) -> Fraction:
        draws, readings = self._sums(level)
        return readings * self._prompt + draws * self._each

    def _sums(self, level: int) -> tuple[int, int]:
        """Return draws and readings of all problems at a level."""
        draws, readings, of = 0, 0, self._terms.readings
        for (taken, most), n in self._groups.items():
            count = max(taken, min(level, most))
            draws += count * n
            readings += (of(self._model, taken) + of(self._model, count - taken)) * n
        return draws, readings
