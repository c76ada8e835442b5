"""Rates from few human labels and many labels of a judge: power-tuned prediction-powered inference (PPI++) for small samples."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats
from isocost.metrics.intervals.means import unseen
from isocost.metrics.intervals.score import Z, score_ends, t_quantile
from isocost.records import Estimate

_UNSEEN = 3.0  # as for strata: unseen successes among the items of most weight
_FEWEST = 4  # human labels below which a slope is too uncertain to fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate from human labels, improved by a judge's labels.

    Attributes:
        estimate: The rate; n counts human labels.
        tuning: lambda in [0, 1], the weight of the judge; 0 ignores it.
        human_only: The rate from the human labels alone.
        error_ratio: Estimated standard error over that of human_only, at most 1.
    """

    estimate: Estimate
    tuning: float
    human_only: Estimate
    error_ratio: float


def power_tuned_rate(
    human: ArrayLike,
    judged_same: ArrayLike,
    judged_rest: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    rest_weights: ArrayLike | None = None,
) -> Rate:
    """Return the rate among N items that a judge labelled, of which people labelled a random subset of n.

        rate = mean(Y) + lambda [mean(f_rest) - mean(f_same)]          Y human, f judge; n items the same, N - n the rest
        lambda = cov(Y, f) / (var f [1 + n / (N - n)])                 clipped to [0, 1]

    Angelopoulos, Duchi and Zrnic (2023, "PPI++: Efficient prediction-powered inference", arXiv 2311.01453). Their unlabelled items are the
    N - n judged items without a human label here, and lambda minimises the variance. Using all N judged items instead gives the same
    family, because mean(f_all) - mean(f_same) is (N - n) / N of the bracket. With the best lambda the estimates are equal: the regression
    estimator of double sampling (Cochran 1977, "Sampling techniques", chapter 12). The standard error over human-only is
    sqrt(1 - rho^2 (N - n) / N), with rho the correlation of Y and f. For any judge, mean(f_rest) - mean(f_same) has mean 0, so the judge's
    bias cancels. lambda is 0 for a judge that gives one label to all items, or is worse than chance.

    It departs from the paper for small samples, where the normal interval fails (a rate of 5% among 50). var f is as in `_Judge.of`. The
    interval is a score interval (`score.score_ends`) at the effective number of labels n / r^2, with r^2 as in `_Judge.left`. Its quantile
    moves to Student's with n - 2 degrees of freedom as r^2 falls. With weights, every sum of squares is of weighted deviations, n is
    Kish's K = (sum w)^2 / sum w^2, and the effective number of labels is also divided by `_People.design`.

    Args:
        human: 0 or 1, float[n].
        judged_same: The judge's labels of the same items in the same order, 0 or 1 or scores between, float[n]; empty without a judge.
        judged_rest: Its labels of items without a human label, float[N - n].
        weights: Weights of the human-labelled items, float[n]: the population items that each represents (1 / chance of being drawn);
            None if equal.
        rest_weights: The same for `judged_rest`.

    Returns:
        The rate. Without labels of the judge on both sides it is `human_only`. Unweighted, that is `proportion`.

    Raises:
        ValueError: Lengths differ; a human label is not 0 or 1; a judge's is not within [0, 1]; a weight is not positive and finite.
    """
    y, same, rest = _labels(human, judged_same, judged_rest)
    w, v = _weights(weights, y.size, "weights"), _weights(rest_weights, rest.size, "rest_weights")
    if y.size == 0:
        nothing = Estimate(value=None, low=None, high=None, n=0)
        return Rate(estimate=nothing, tuning=0.0, human_only=nothing, error_ratio=1.0)
    people = _People.of(y, w)
    alone = people.interval(people.mean, 1.0, Z)
    usable = people.worth >= _FEWEST and same.size > 0 and rest.size > 0
    judge = _Judge.of(y - people.mean, same, rest, w, v, people.worth) if usable else None
    if judge is None or judge.tuning == 0.0:
        return Rate(estimate=alone, tuning=0.0, human_only=alone, error_ratio=1.0)
    share = judge.left(people.squares)
    quantile = sqrt(Z**2 * share + float(t_quantile(people.worth - 2)) ** 2 * (1 - share))
    rate = min(1.0, max(0.0, people.mean + judge.tuning * judge.shift))
    estimate = people.interval(rate, share, quantile)
    return Rate(estimate=estimate, tuning=judge.tuning, human_only=alone, error_ratio=sqrt(share))


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """The statistics of the human labels alone.

    Attributes:
        n: Number of labels.
        mean: Their weighted mean.
        worth: Kish's K, the effective number of labels.
        squares: Sum of squared deviations, in effective labels.
        design: [T + a' K max w / sum w] / [V + a'], T `squares`, V = K rate (1 - rate), a' = 3 / (1 + (V / 4)^4), as in
            `weighted_proportion`. The gain of stratifying is not used. 1 without weights.
    """

    n: int
    mean: float
    worth: float
    squares: float
    design: float

    @classmethod
    def of(cls, y: Floats, w: Floats) -> _People:
        """Return the statistics of labels y with weights w, which sum to their number."""
        mean = float(w @ y) / y.size
        worth = y.size**2 / float(w @ w)
        squares = _squares(y - mean, y - mean, w, worth)
        seen = worth * mean * (1 - mean)
        added = _UNSEEN * float(unseen(np.array(seen)))
        design = (squares + added * worth * float(w.max()) / y.size) / (seen + added)
        return cls(n=y.size, mean=mean, worth=worth, squares=squares, design=design)

    def interval(self, value: float, share: float, quantile: float) -> Estimate:
        """Return the score interval of a rate whose squared standard error is `share` times that of the human labels alone."""
        low, high = score_ends(value, self.worth / (self.design * share), quantile)
        return Estimate(value=value, low=float(low), high=float(high), n=self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """The fit of the human labels to the judge's. Sums of squares are in effective labels."""

    tuning: float
    shift: float
    cross: float
    own: float
    worth: float
    per_rest: float

    @classmethod
    def of(cls, residual: Floats, same: Floats, rest: Floats, w: Floats, v: Floats, worth: float) -> _Judge:
        """Fit lambda.

        var f is the larger of its value among the n and among all N. The latter alone biases the rate, because the slope rises with
        mean(f_same). With the former alone, a few equal labels decide the slope. The remaining bias is 0.1 human standard errors at n = 50.
        """
        mean, other = float(w @ same) / w.size, float(v @ rest) / v.size
        everything, all_weights = np.concatenate([same, rest]), np.concatenate([w, v])
        centre = float(all_weights @ everything) / everything.size
        spread = float(all_weights @ np.square(everything - centre)) / everything.size
        per_rest = worth / (v.size**2 / float(v @ v))
        cross, own = _squares(residual, same - mean, w, worth), _squares(same - mean, same - mean, w, worth)
        # A judge that gives every labelled item the same label has no slope.
        tuning = 0.0 if own <= 1e-12 else cross / (max(own, worth * spread) * (1 + per_rest))
        # Below 0 the judge is worse than chance; above 1 its labels would be extrapolated.
        tuning = min(1.0, max(0.0, tuning))
        return cls(tuning=tuning, shift=other - mean, cross=cross, own=own, worth=worth, per_rest=per_rest)

    def left(self, squares: float) -> float:
        """Return r^2, the squared standard error over that of the human labels.

            r^2 = [E + a + lambda^2 n var f n / (N - n)] / [T + a],   at most 1

        T (`squares`) is the sum of squared deviations of Y, E that of Y - lambda f times (n - 1) / (n - 2). As in `mean_intervals`, a
        allows for errors of the judge that were not seen yet: 1 while E is near 0, half at 4. A judge that was right on all n may still be
        wrong among all N.
        """
        rest = squares - 2 * self.tuning * self.cross + self.tuning**2 * self.own
        rest = max(0.0, rest) * (self.worth - 1) / (self.worth - 2)
        added = float(unseen(np.array(rest)))
        return min(1.0, (rest + added + self.tuning**2 * self.own * self.per_rest) / (squares + added))


def _squares(a: Floats, b: Floats, w: Floats, worth: float) -> float:
    """Return the sum of weighted products of deviations, scaled so that over worth^2 it is the (co)variance of the means."""
    return float((w * a) @ (w * b)) * (worth / w.size) ** 2


def _labels(human: ArrayLike, judged_same: ArrayLike, judged_rest: ArrayLike) -> tuple[Floats, Floats, Floats]:
    y, same, rest = (np.asarray(labels, dtype=np.float64) for labels in (human, judged_same, judged_rest))
    if y.ndim != 1 or rest.ndim != 1 or (same.size and same.shape != y.shape):
        raise ValueError(f"judged_same must hold one label for each of {y.shape} human ones, got {same.shape}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("human labels must be 0 or 1: leave out items of which people are unsure")
    for name, labels in (("judged_same", same), ("judged_rest", rest)):
        if not np.all((labels >= 0) & (labels <= 1)):
            raise ValueError(f"{name} must lie within [0, 1]: leave out items that the judge did not judge")
    return y, same, rest


def _weights(given: ArrayLike | None, size: int, name: str) -> Floats:
    """Return weights that sum to their number."""
    if given is None:
        return np.ones(size)
    w = np.asarray(given, dtype=np.float64)
    if w.shape != (size,) or not np.all((w > 0) & np.isfinite(w)):
        raise ValueError(f"{name} must be {size} positive finite numbers, got shape {w.shape}")
    return w * (size / w.sum()) if size else w
