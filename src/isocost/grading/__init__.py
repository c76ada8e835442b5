"""The grading stage: solutions in, verdicts out, while the caller continues to sample.

stage       check_gold: are the reference answers accepted?
pool        GradingPool: extracts and settles answers in the calling process, caches verdicts, gives the rest to the supervisor
supervisor  one thread per worker process: assigns pairs, and decides which pair a worker died of
process     the driver's side of a worker process
worker      the code that runs in it
judging     one verdict, whatever a grader raises
"""

from isocost.grading.pool import Grading, GradingPool
from isocost.grading.stage import check_gold

__all__ = ["Grading", "GradingPool", "check_gold"]
