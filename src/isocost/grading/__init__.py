"""The grading stage: solutions in, verdicts out, while the caller goes on sampling.

stage     grade, check_gold: what callers mostly need
pool      GradingPool: finds and settles answers where it is called, remembers verdicts, hands the rest to the crew
crew      a thread for every worker process: deals out pairs, blames the one that a worker died of
process   the driver's side of a worker process
worker    what runs in it
judging   one verdict, whatever a grader does
"""

from isocost.grading.pool import Grading, GradingPool, Pair
from isocost.grading.stage import check_gold, grade

__all__ = ["Grading", "GradingPool", "Pair", "check_gold", "grade"]
