"""The command `backtest`, which replays policies on a table of samples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from isocost.cli import completing
from isocost.cli.arguments import AsJson, Distinct, GivenCost, numbers
from isocost.cli.leaving import stoppable
from isocost.cli.printing import print_data, say
from isocost.errors import InputError, StorageError
from isocost.terminal import CountLine

_FEWEST = 2  # an interval needs a spread
_MOST = 1_000_000


def backtest(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A table of samples (.parquet, .jsonl).", show_default=False)],
    policies: Annotated[
        str,
        typer.Option(
            "--policies",
            metavar="NAMES",
            autocompletion=completing.policies,
            help="Policies to replay, by name or as package.module:attribute.",
        ),
    ] = "uniform,first-hit,adaptive",
    targets: Annotated[str, typer.Option("--targets", metavar="NUMBERS", help="Targets of the objective, per problem.")] = "0.3,0.5,0.7",
    objective: Annotated[
        str, typer.Option("--objective", metavar="NAME", help="What is to be reached: coverage, kept:4 or mixed:8; see docs/backtest.md.")
    ] = "coverage",
    cost: GivenCost = None,
    distinct: Distinct = "string",
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="FIELD", help="A column with a number that goes with a problem's difficulty, for adaptive."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="COST", help="The amount that each policy is given; default: enough for all draws of the table."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=_FEWEST, max=_MOST, help="Orders of the recorded draws.")] = 200,
    resamples: Annotated[
        int, typer.Option("--resamples", min=_FEWEST, max=_MOST, help="Resamples of the problems, for the intervals.")
    ] = 100,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE.svg", help="Write the ratios as a figure.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay policies on the recorded draws of several models, and compare the costs at which they first reach targets.

    Draws are given a random order for each seed, and a policy sees only what it has bought. Costs come from the column cost, else from
    num_generated_tokens, unless --cost gives them. Beside the policies are two bounds: a buyer who knows the law of the pass rates, and
    one who knows every pass rate. uniform is always replayed, with each model alone; the best of them is what others are compared with.

    isocost backtest pool.parquet --policies first-hit,adaptive --cost weak=1 --cost strong=3
    """
    from isocost import backtesting
    from isocost.costs.given import given_costs
    from isocost.predicting import level_of, objective_of
    from isocost.summaries import backtests

    wanted, aim, level = numbers(targets, "--targets", "0.3,0.4"), objective_of(objective), level_of(distinct)
    if budget is not None and not 0 < budget < float("inf"):
        raise InputError(f"--budget: must be a number above 0, found {budget}")
    if figure is not None and (figure.suffix.lower() != ".svg" or not figure.parent.is_dir()):
        # Any other file, such as the table, would be overwritten.
        raise InputError(f"--figure {figure}: is no name of an SVG file in a folder that exists\n  name one that ends in .svg")
    progress = CountLine(sys.stderr, wanted=True)
    with stoppable():
        recorded = backtesting.load(table, aim, given=given_costs(cost or []), label=label, distinct=level)
        found = backtesting.backtest(
            recorded.pool,
            backtesting.buyers_of([name.strip() for name in policies.split(",")], recorded.pool),
            aim,
            wanted,
            seeds=seeds,
            resamples=resamples,
            budget=budget,
            tick=lambda done: progress.show("backtest", done, "replays"),
        )
    progress.clear()
    if figure is not None:
        _write_figure(figure, backtests.backtest_figure(found))
    print_data(backtests.backtest_json(found, recorded.notes) if as_json else backtests.backtest_markdown(found, recorded.notes))


def _write_figure(path: Path, figure: str | None) -> None:
    if figure is None:
        say(f"note: {path} is not written: no policy has a ratio")
        return
    try:
        path.write_text(figure, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
