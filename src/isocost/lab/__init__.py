"""The embedded default: small language models trained from nothing by the project, their problems, and the packaged study.

Everything here is real and small: models of 0.1 to 1.4 million parameters that solve arithmetic word problems, so that a whole study
runs in minutes on two cores. A study file names them `lab:weak`, `lab:strong`, `lab:student` and `lab:tiny`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from isocost.errors import InputError, ModelError

MODELS = ("tiny", "weak", "student", "strong")
PREFIX = "lab:"
_HERE = Path(__file__).parent


def study_file(name: str) -> Path:
    """The packaged study file of that name."""
    return _HERE / "studies" / f"{name}.yaml"


def weights(name: str) -> Path:
    """The folder of an embedded model, as `AutoModelForCausalLM.from_pretrained` takes it.

    Raises:
        ModelError: there is no embedded model of that name.
    """
    folder = _HERE / "weights" / name
    if name not in MODELS or not folder.is_dir():
        raise ModelError(f'no embedded model "{name}"; known: {", ".join(MODELS)}')
    return folder


def train_model(name: str, out: Path, *, steps: int | None, compiled: bool, progress: Callable[[str], None]) -> Path:
    """Train an embedded model again from nothing, by its recipe.

    Args:
        name: Which.
        out: Folder to save to; must not exist yet.
        steps: Fewer steps than the recipe has.
        compiled: Use torch.compile.
        progress: Called with a line now and then.

    Raises:
        InputError: there is no such model, or the folder exists.
    """
    from dataclasses import replace

    from isocost.lab.recipe import RECIPES
    from isocost.lab.training import train

    if name not in RECIPES:
        raise InputError(f'no embedded model "{name}"; known: {", ".join(MODELS)}')
    if out.exists():
        raise InputError(f"{out}: exists already\n  name another folder with -o")
    recipe = RECIPES[name]
    return train(replace(recipe, steps=steps or recipe.steps), out, compiled=compiled, progress=progress)
