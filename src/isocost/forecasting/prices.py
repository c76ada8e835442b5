"""The cost of a model's draws, where those of a request share the price of its prompt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from isocost.records import prompt_readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The cost of a model's draws per problem.

    With p for one reading of the prompt, d for the generated part of a draw and r draws in a request, k draws of a problem that are
    asked for together cost `ceil(k / r) p + k d`, as `costs.expected.DrawCost` has it. A pilot's draws are requests of their own.
    Without a bound r all draws of a problem share one reading: `p + k d`.

    Attributes:
        alone: Cost of a draw alone, p + d, above 0.
        prompt: p; 0 if every draw pays its own prompt.
        per_request: r; None if there is no bound.
        pilot: Draws per problem in the pilot.
        share: Share of the problems that are piloted.
    """

    alone: float
    prompt: float = 0.0
    per_request: int | None = None
    pilot: int = 0
    share: float = 1.0

    def cost(self, draws: float) -> float:
        """Return the mean cost of `draws` draws per problem; a fraction is the share of the problems that get one draw more."""
        if not self.prompt:
            return draws * self.alone
        whole = math.floor(draws)
        return self._of(whole) + (draws - whole) * (self._of(whole + 1) - self._of(whole))

    def draws(self, budget: float) -> float:
        """Return the mean number of draws per problem that an amount of money per problem pays for: the inverse of `cost`."""
        if not self.prompt:
            return budget / self.alone
        # No number of draws costs less than its generated parts.
        low, high = 0, math.floor(budget / (self.alone - self.prompt)) + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._of(middle) <= budget else (low, middle)
        below, above = self._of(low), self._of(low + 1)
        # At 1e16 draws one more costs nothing: floats are further apart.
        return low + min((budget - below) / (above - below), 1.0) if above > below else float(low)

    def readings(self, draws: float) -> float:
        """Return the mean readings of the prompt per problem that `draws` draws per problem take, a fraction as in `cost`."""
        whole = math.floor(draws)
        return self._readings(whole) + (draws - whole) * (self._readings(whole + 1) - self._readings(whole))

    def _of(self, draws: int) -> float:
        return self._readings(draws) * self.prompt + draws * (self.alone - self.prompt)

    def _readings(self, draws: int) -> float:
        if self.per_request is None:  # the pilot's reading serves the later draws too
            return prompt_readings(draws, None)
        first = min(draws, self.pilot)
        apart = prompt_readings(first, self.per_request) + prompt_readings(draws - first, self.per_request)
        return self.share * apart + (1.0 - self.share) * prompt_readings(draws, self.per_request)
