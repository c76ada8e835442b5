"""The command line: parse arguments, call the package, print results.

No other package prints. Data goes to standard output, everything else to standard error. `studies` has the commands that run a study or
train the embedded models, `imports`, `tables`, `forecasts` and `backtests` those that need no study, `drafts` the one that writes a first
study file, `exports` the one that writes data sets of a run, `reports` the one that writes and compares reports, and `audits` the search
for false positives. Modules that take long to import are imported inside commands, so that `isocost --help` is fast.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from isocost.cli import audits, backtests, drafts, exports, forecasts, imports, reports, studies, tables
from isocost.cli.arguments import refuse_empty, refuse_expanded
from isocost.cli.leaving import report_errors, stop_at_once
from isocost.streams import prepare_streams

app = typer.Typer(
    name="isocost",
    help="Compute-optimal sampling: which model to buy synthetic reasoning data from, at a fixed budget.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
lab_app = typer.Typer(help="The embedded models: train them from scratch.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(lab_app, name="lab")

_GRADE = (
    "Grade every stored sample that has no verdict of the study's grader; what sampling still lacks is bought first. Grades by the grader "
    "of DIR/study.yaml; edit it there."
)
_COMMANDS: dict[str, Callable[..., None]] = {  # in the order of isocost --help
    "demo": studies.demo,
    "init": drafts.init,
    "run": studies.run,
    "plan": studies.plan,
    "sample": studies.sample,
    "grade": studies.stage("grade", _GRADE),
    "audit": audits.audit,
    "import": imports.import_,
    "measure": tables.measure,
    "forecast": forecasts.forecast,
    "backtest": backtests.backtest,
    "verify": tables.verify,
    "curate": studies.stage("curate", "Build the training sets from the graded samples."),
    "finetune": studies.stage("finetune", "Train the students that are not trained yet."),
    "evaluate": studies.stage("evaluate", "Evaluate the students that are not evaluated yet."),
    "report": reports.report,
    "export": exports.export,
    "status": studies.status,
    "view": audits.view,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
lab_app.command("train")(studies.train_lab)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"isocost {version('isocost')}\n")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; allowed anywhere.")] = False,
) -> None:
    """Compute-optimal sampling: which model to buy synthetic reasoning data from, at a fixed budget."""


def main() -> None:
    """Run the command line: errors print one to three lines, and Ctrl-C prints how to resume."""
    # Until a command installs handlers of its own; see `stoppable`.
    signal.signal(signal.SIGINT, stop_at_once)
    prepare_streams()
    # --debug may follow the command, where typer would refuse an option of the whole program.
    with report_errors(debug="--debug" in sys.argv):
        refuse_empty(sys.argv[1:])
        refuse_expanded(sys.argv[1:])
        app([argument for argument in sys.argv[1:] if argument != "--debug"], standalone_mode=True)
