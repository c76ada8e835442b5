"""95% intervals that hold near 0 and 1, with few problems and with few successes.

Problems are the independent draws; samples of one problem are not (Miller 2024, arXiv 2411.00640). So means take one value per problem.
docs/intervals.md lists where each interval is used, and how often each held the truth in simulation.
"""

from isocost.metrics.intervals.independent import independent_difference
from isocost.metrics.intervals.means import amount_interval, count_interval, count_intervals, mean_interval, mean_intervals
from isocost.metrics.intervals.paired import detectable_difference, paired_count_difference, paired_difference, paired_differences
from isocost.metrics.intervals.proportions import proportion, proportions, weighted_proportion
from isocost.metrics.intervals.seeds import seeded_difference, seeded_mean, unpaired_seeds_difference

__all__ = [
    "amount_interval",
    "count_interval",
    "count_intervals",
    "detectable_difference",
    "independent_difference",
    "mean_interval",
    "mean_intervals",
    "paired_count_difference",
    "paired_difference",
    "paired_differences",
    "proportion",
    "proportions",
    "seeded_difference",
    "seeded_mean",
    "unpaired_seeds_difference",
    "weighted_proportion",
]
