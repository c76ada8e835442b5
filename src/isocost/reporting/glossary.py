"""The terms of the report, each explained once. Captions refer to them."""

from __future__ import annotations

from typing import NamedTuple

from isocost.records import FUNNEL


class Term(NamedTuple):
    """A term and its explanation; `key` is the end of its link."""

    key: str
    name: str
    text: str


_HEADERS = {  # the beginning of a column's title, and the key of the term that explains it
    "Cell": "cell",
    "Covered": "covered",
    "coverage@": "coverage",
    "Kept per": "kept",
    "diversity@": "diversity",
    "pass@1": "pass1",
    "maj@": "maj",
    "Set-up": "setup",
    "Detectable": "detectable",
    "False positives": "fpr",
    "False equations": "fpr",
    "Planned": "basis",
    "Realised": "basis",
    "Uniform from": "uniform",
    "Not ahead": "crossover",
    "drawn": "funnel",
}


def key_of(title: str) -> str:
    """Return the key of the term that explains a column with this title; "" without one."""
    return next((key for start, key in _HEADERS.items() if title.startswith(start)), "")


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


GLOSSARY = (
    Term(
        "interval",
        "[95% interval]",
        "Over problems, never over samples: samples of one problem are not independent of each other. Where all or none of a few problems "
        "succeed, the interval keeps its width. A difference is claimed only where its interval, as printed, leaves 0 out. Each interval "
        "holds for its own row: of twenty rows without a difference, one is expected to show one.",
    ),
    Term(
        "cell",
        "Cell, arm, budget",
        "An arm is one way to spend, a budget an amount to spend, and a cell one arm under one budget: arm@budget. Cells share draws: each "
        "is charged for every draw that it used, also for those it shares. A number-matched cell has given counts, and its cost is not "
        "equal to that of others.",
    ),
    Term(
        "basis",
        "Planned, realised",
        "A planned budget buys counts that assume a number of tokens per sample, and realised cost is what the samples really had. A "
        "budget with the basis realised is hard, and so is a limit. Where outcomes decide what is drawn, the plan is the amount.",
    ),
    Term("covered", "Covered", "Share of problems with a correct sample in the cell's own data. A problem without one is not covered."),
    Term(
        "coverage",
        "Coverage@k",
        "Share of problems with a correct one among k draws, by the unbiased formula over all draws. It needs k draws of every problem "
        "whose number did not depend on outcomes.",
    ),
    Term(
        "kept",
        "Kept per problem",
        "Mean number of distinct correct solutions in the training set, up to the cap. Per solved problem: the same over covered problems "
        "alone, as the paper counts diversity.",
    ),
    Term(
        "diversity",
        "Distinct correct solutions (diversity@k)",
        "Expected number of different correct solutions among k draws of a problem. By text: every character counts. By words: case and "
        "space do not. By equations: solutions with the same equations are one.",
    ),
    Term(
        "setup",
        "Set-up",
        "Whose data a student was trained on. Distillation: another model's. Self-improvement: its own. Weak-to-strong improvement: that "
        "of models which are all cheaper. Mixed: that of several models, not all cheaper.",
    ),
    Term("pass1", "pass@1", "Share of problems solved by one greedy answer; of data, the mean share of correct samples."),
    Term("maj", "maj@k", "The answer that most of k sampled solutions give is correct."),
    Term(
        "untrained",
        "Untrained",
        "The student before training, with the plain format that trained ones see and with the few-shot prompt, so that format alone does "
        "not look like learning. Students are compared after the same number of steps.",
    ),
    Term(
        "detectable",
        "Detectable difference",
        "The smallest true difference that this many problems find four times in five.",
    ),
    Term(
        "curve",
        "Curves and bands",
        "A curve goes as far as the graded draws of 95% of the problems; all its points rest on the problems that have as many. A draw "
        "costs the mean over these problems. Bands are pointwise: two that overlap may still differ, as the models met the same problems; "
        "the paired differences decide. Thin, pale lines: less than one draw per problem, for a part of the problems.",
    ),
    Term(
        "crossover",
        "Crossover",
        "The cost from which the model that is ahead where the shorter curve ends stays ahead. Its interval: percentiles of 1,000 "
        "resamples of the problems, costs resampled too. An end beyond what was drawn is open. Not ahead: the share of these resamples "
        "in which that model is not ahead at the end.",
    ),
    Term(
        "fpr",
        "False positives",
        "Solutions whose answer is right and whose reasoning is wrong, as a share of the problems that a model solved; one solution per "
        "problem. Steps: a false equation is written out, so closer to a lower bound. Judge: a model read the solution; it errs both ways. "
        "People: labels on a random subset. Combined: these labels, with verdicts of the judge or the steps as predictions (power-tuned "
        "prediction-powered inference), which cannot bias it; from 30 labels of the model on, or once all that were chosen of it have one. "
        "Students are compared on the problems that both solved with equations.",
    ),
    Term(
        "funnel", "From drawn to kept", " ".join(f"{step.replace('_', ' ').capitalize()}: {_lower(text)}" for step, text in FUNNEL.items())
    ),
    Term(
        "uniform",
        "Uniform draws for the same",
        "Equal draws of every problem from one model until they reach what a policy reached. First draws: the first k draws of arms whose "
        "draws do not depend on outcomes, paired by problem. Posterior: of the model's pass rates given all of its draws, with a 90% "
        "interval. Outcomes decided a policy's draws. So correct draws over all draws (c / M, the usual pass rate) and coverage@k are "
        "biased for them.",
    ),
    Term(
        "bill",
        "Bill and data cost",
        "The data cost of a cell is the cost of its draws, a draw counted in every cell that uses it. The bill is what the run paid: a "
        "shared draw is billed once, over every start of the run; a judge, training and evaluation have their own accounts. Spent = kept + "
        "rejected + failed + lost; lost are requests whose answer never came, at their worst case.",
    ),
    Term(
        "graded",
        "Not graded, excluded",
        "A solution that could not be graded is left out and counted beside n, never counted as wrong. Excluded problems are left out of "
        "every denominator.",
    ),
)
