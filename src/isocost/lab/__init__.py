"""The embedded models: small language models that the project trained from scratch, their problems, and the packaged study.

Everything here is real and small. Models of 0.1 to 1.4 million parameters solve arithmetic word problems, so that a whole study runs in
minutes on two cores. A study file names them `lab:weak`, `lab:strong`, `lab:student` and `lab:tiny`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from isocost.errors import InputError, ModelError

MODELS = ("tiny", "weak", "student", "strong")
PREFIX = "lab:"
_HERE = Path(__file__).parent


def study_file(name: str) -> Path:
    """Return the path of the packaged study file of that name."""
    return _HERE / "studies" / f"{name}.yaml"


def weights(name: str) -> Path:
    """Return the folder of an embedded model, for `AutoModelForCausalLM.from_pretrained`.

    Raises:
        ModelError: there is no embedded model of that name.
    """
    folder = _HERE / "weights" / name
    if name not in MODELS or not folder.is_dir():
        raise ModelError(f'no embedded model "{name}"; known: {", ".join(MODELS)}')
    return folder


def train_model(name: str, out: Path, *, steps: int | None, compiled: bool, progress: Callable[[str], None]) -> Path:
    """Train an embedded model from scratch, by its recipe.

    Args:
        name: Name of the model.
        out: Folder to save to. It must not exist yet.
        steps: Number of steps, instead of the recipe's, without a restart.
        compiled: Use torch.compile.
        progress: Called with a line of text from time to time.

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
    recipe = replace(recipe, steps=steps, restart_steps=0) if steps else recipe
    return train(recipe, out, compiled=compiled, progress=progress)
