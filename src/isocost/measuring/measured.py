"""A model with the values of its measures: defined ones, reasons for undefined ones, and warnings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocost.arrays import Ints
from isocost.measuring.columns import Columns, estimates
from isocost.measuring.costs import unit_costs
from isocost.measuring.models import Model, Votes, coverage, diversity, in_hand, majority, pass_at_first
from isocost.metrics.stopped import Stopped
from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of a model's part of a table.

    Attributes:
        problems: Problems with a row.
        least: Smallest number of graded draws of a problem.
        most: Largest number of graded draws of a problem.
        n_ungraded: Draws that could not be graded.
        unit_costs: `cost_per_draw` and `cost_per_correct`, if costs are known.
    """

    problems: int
    least: int
    most: int
    n_ungraded: int
    unit_costs: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A model with the values of its measures.

    Attributes:
        model: The model.
        columns: Values, a row per problem.
        votes: maj@k, if answers were counted.
        held_back: True if measures that need a fixed number of draws are None: the draws look stopped by their outcomes and the user did
            not say otherwise, or the user said that they were stopped, or the policy is adaptive.
        adaptive: True if the policy may draw by outcomes.
        unbiased: pass@1, if the user said how draws were stopped.
    """

    model: Model
    columns: Sequence[Columns]
    votes: Votes | None
    held_back: bool
    unbiased: Columns | None = None
    adaptive: bool = False

    @classmethod
    def of(
        cls,
        model: Model,
        ks: Sequence[int],
        *,
        as_fixed: bool = False,
        is_fixed: bool | None = None,
        with_votes: bool = True,
        unbiased: Columns | None = None,
    ) -> Measured:
        """Measure a model.

        Args:
            model: The model.
            ks: Numbers of draws to measure at.
            as_fixed: Take its draws as fixed, whatever the test says.
            is_fixed: True if the number of its draws is known to be independent of outcomes; None if only the draws can tell.
            with_votes: Add maj@k and pass@1[avg-of-k].
            unbiased: pass@1 of draws that were stopped.
        """
        # A known policy is better evidence than a test of the draws.
        model = replace(model, stopped=None) if is_fixed else model
        adaptive = is_fixed is False and not as_fixed
        columns = [coverage(model, ks), *(diversity(model, kind, ks) for kind in model.solutions), in_hand(model)]
        # Only the survey reports votes: the report of a run leaves them out.
        votes = majority(model, ks) if with_votes else None
        if with_votes:
            columns.append(pass_at_first(model, ks))
        if votes is not None:
            columns.append(votes.columns)
        held_back = unbiased is not None or adaptive or (model.stopped is not None and not as_fixed)
        return cls(model=model, columns=columns, votes=votes, held_back=held_back, unbiased=unbiased, adaptive=adaptive)

    def estimates(self, problems: Ints | None = None) -> dict[str, Estimate]:
        """Return every measure by name, over all its problems or over the given problems of the table."""
        mask = None if problems is None else np.isin(self.model.problem, problems)
        ungraded = self.model.rows - self.model.drawn
        n_ungraded = int((ungraded if mask is None else ungraded[mask]).sum())
        if not self.held_back:
            return estimates(self.columns, n_ungraded, mask)
        # Covered holds for any allocation; pass@1 only if the stopping rule is known.
        known = {"covered": estimates([in_hand(self.model)], n_ungraded, mask)["covered"]}
        known |= estimates([self.unbiased], n_ungraded, mask) if self.unbiased else {}
        names = [name for columns in self.columns for name in columns.names]
        none = Estimate(value=None, low=None, high=None, n=0, n_ungraded=n_ungraded)
        return {name: known.get(name, none) for name in names}

    def reasons(self) -> dict[str, str]:
        """Return the reason for each measure that is None, by name."""
        return {name: self._reason(name) for name, estimate in self.estimates().items() if estimate.value is None}

    def _reason(self, name: str) -> str:
        most = int(self.model.drawn.max(initial=0))
        if most == 0:
            return "nothing graded"
        if self.held_back:
            return "draws were stopped" if self.unbiased else "draws may depend on outcomes" if self.adaptive else "draws look stopped"
        return f"k {_k_of(name)} > {most:,} draws"

    def shape(self) -> Shape:
        """Return the size of the model's part."""
        drawn = self.model.drawn
        return Shape(
            problems=drawn.size,
            least=int(drawn.min(initial=int(drawn.max(initial=0)))),
            most=int(drawn.max(initial=0)),
            n_ungraded=self.model.n_ungraded,
            unit_costs={} if self.held_back else unit_costs(self.model),
        )

    def warnings(self) -> list[str]:
        """Return the warnings, one sentence each, with the model's name before a colon."""
        name, stopped, lines = self.model.name, self.model.stopped, []
        if self.unbiased:
            lines.append(f"{name}: pass@1 allows for draws that were stopped; what needs a fixed number of draws is left out.")
        elif self.adaptive:
            lines.append(
                f"{name}: how often it drew may depend on outcomes, by its policy. What needs a fixed number of draws is left out; "
                "--as-fixed takes them as they are."
            )
        elif stopped is not None:
            held = (
                "What needs a fixed number of draws is left out; --stopped-at N says how they stopped, --as-fixed that they did not."
                if self.held_back
                else "Taken as fixed, as asked."
            )
            lines.append(f"{name}: draws look stopped by their outcomes: {_trace(stopped)} (chance under {stopped.chance:.0e}). {held}")
        if not self.held_back:
            lines += _partial(self.model, [name for columns in self.columns for name in columns.names])
            errors = {} if self.votes is None else self.votes.errors
            lines += [f"{name}: {vote} was resampled; that adds a standard error of {error:.1g}." for vote, error in errors.items()]
        if self.model.cost is None and self.model.rows.size:
            lines.append(f"{name}: what its draws cost is not known for all of them; no curve against cost.")
        return lines


def _trace(stopped: Stopped) -> str:
    of = f"of the {stopped.problems:,} problems with fewer draws than the most"
    if stopped.rule == "last":
        return f"{of}, {stopped.seen:,.0f} end on a correct draw, where {stopped.expected:,.1f} are expected"
    return f"{of}, correct draws stand at place {stopped.seen:,.2f} on average, where {stopped.expected:,.2f} is expected"


def _partial(model: Model, names: Sequence[str]) -> list[str]:
    """Return the warnings for each k that leaves problems out, three at most."""
    graded = int((model.drawn > 0).sum())
    ks = sorted({k for name in names if (k := _k_of(name)) is not None})
    short = {k: int((model.drawn >= k).sum()) for k in ks}
    lines = [
        f"{model.name}: @{k} rests on the {n:,} of {graded:,} problems with {k:,} graded draws." for k, n in short.items() if 0 < n < graded
    ]
    return lines[:3] + ([f"{model.name}: so do {len(lines) - 3} larger k."] if len(lines) > 3 else [])


def _k_of(name: str) -> int | None:
    match = re.search(r"@(?:1\[avg-of-)?(\d+)\]?$", name)
    return None if match is None or name == "pass@1" else int(match[1])
