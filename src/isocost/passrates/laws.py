"""Known laws of pass rates, to simulate from and to bound what a policy can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Floats
from isocost.passrates.grid import EDGES, beta_masses, edge_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A joint law of several models' pass rates: beta marginals, a Gaussian copula, impossible problems.

    Attributes:
        marginals: (alpha, beta) of each model.
        correlation: Correlation of the normal scores of any two models.
        impossible: Share of problems that no model can solve.
    """

    marginals: tuple[tuple[float, float], ...]
    correlation: float = 0.8
    impossible: float = 0.0

    def rates(self, problems: int, generator: np.random.Generator) -> Floats:
        """Draw pass rates, float[problems, models]."""
        factor = generator.standard_normal((problems, 1))
        own = generator.standard_normal((problems, len(self.marginals)))
        scores = np.sqrt(self.correlation) * factor + np.sqrt(1.0 - self.correlation) * own
        logits = [np.interp(scores[:, m], edge_scores(beta_masses(*ab)), EDGES) for m, ab in enumerate(self.marginals)]
        rates = 1.0 / (1.0 + np.exp(-np.stack(logits, axis=1)))
        rates[generator.random(problems) < self.impossible] = 0.0
        return np.asarray(rates, np.float64)


# Fitted to the paper's coverage curves (docs/method.md): weak and strong model.
PAPER = {
    "MATH": Law(marginals=((0.301, 0.826), (0.316, 0.653))),
    "GSM8K": Law(marginals=((0.87, 0.445), (1.0, 0.3))),
}
