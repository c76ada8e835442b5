"""The command `lab train`, which trains the embedded models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isocost.cli.leaving import stoppable
from isocost.cli.printing import say


def train(
    model: Annotated[str, typer.Option("--model", help="tiny, weak, student or strong.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder to save to; default lab/MODEL.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Fewer steps than the recipe, to try it out.")] = None,
    eager: Annotated[bool, typer.Option("--eager", help="Without torch.compile (slower; needs no C++ compiler).")] = False,
) -> None:
    """Train an embedded model from scratch, by its recipe."""
    from isocost.lab import train_model

    with stoppable():
        folder = train_model(model, out or Path("lab") / model, steps=steps, compiled=not eager, progress=say)
    say(f"saved to {folder}")
