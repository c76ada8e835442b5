"""The command `forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.arguments import AsJson, Distinct, GivenCost, whole_numbers
from isocost.cli.leaving import stoppable
from isocost.cli.printing import print_data


def forecast(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A table of samples (.parquet, .jsonl), or a run directory.", show_default=False)
    ],
    pilot: Annotated[
        int | None,
        typer.Option(
            "--pilot", metavar="N", min=1, help="Predict from the first N graded draws per problem, by sample_index.", show_default="all"
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="K,K", help="Draws per problem to predict.", show_default="4, 16 and 25 times the pilot"),
    ] = None,
    budget: Annotated[
        list[float] | None,
        typer.Option(
            "--budget",
            metavar="AMOUNT",
            help="Money per problem at which choices are compared, in the unit of costs; repeatable.",
            show_default="4 pilots of the most expensive model",
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option("--objective", metavar="NAME", help="What choices make the most of: coverage, kept:4 or mixed:8.")
    ] = "coverage",
    cost: GivenCost = None,
    distinct: Distinct = "string",
    false_positives: Annotated[
        list[str] | None,
        typer.Option(
            "--false-positives",
            metavar="MODEL=RATE",
            help="Share of a model's correct solutions that is unsound: the forecast then counts sound ones; repeatable.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from a pilot what more draws bring: coverage, distinct solutions, mixed groups, and which model to buy from.

    The pilot is the first graded draws of each problem. Where the table holds more draws, the forecast is scored on them. Choices at a
    budget are each model alone, equal money for two, and the policy adaptive, simulated; differences are paired. Costs are those of
    isocost measure. See docs/forecasting.md.
    """
    from isocost.costs.given import given_costs
    from isocost.predicting import forecast_json, forecast_markdown, level_of, objective_of, predict, rates_of

    ks = whole_numbers(at, "--at") if at else []
    wanted, given, level, rates = objective_of(objective), given_costs(cost or []), level_of(distinct), rates_of(false_positives or [])
    with stoppable():
        found = predict(
            table,
            pilot=pilot,
            objective=wanted,
            ks=ks,
            budgets=budget or [],
            given=given,
            distinct=level,
            false_positive_rates=rates,
        )
    print_data(forecast_json(found) if as_json else forecast_markdown(found))
