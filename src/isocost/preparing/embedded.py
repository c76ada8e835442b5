"""The models that a study names `lab:NAME`: their folders, and their sizes without opening them."""

from __future__ import annotations

from pathlib import Path

from isocost.config import ModelSpec, Study
from isocost.engines.base import ModelSize
from isocost.lab import PREFIX, weights
from isocost.lab.recipe import RECIPES
from isocost.paths import from_home


def resolve_model(options: dict[str, object], base: Path) -> dict[str, object]:
    """Replace `model: lab:NAME` by the folder of the embedded model, and `~` by the home folder.

    It is done here, so that no engine needs to know of the lab.
    """
    model = options.get("model")
    if not isinstance(model, str):
        return options
    if model.startswith("~"):
        return {**options, "model": str(from_home(base, model))}
    if model.startswith(PREFIX):
        return {**options, "model": str(weights(model.removeprefix(PREFIX)))}
    return options


def embedded_size(study: Study, spec: ModelSpec) -> ModelSize | None:
    """Return the size of an embedded model by its recipe, for a plan: opening it would import torch, which takes seconds.

    None for other models, and for models with a price, of which an engine must say if draws share it.
    """
    model = spec.options.get("model")
    if not isinstance(model, str) or not model.startswith(PREFIX) or spec.price is not None or study.costs.prices is not None:
        return None
    recipe = RECIPES.get(model.removeprefix(PREFIX))
    if recipe is None:
        return None
    return ModelSize(parameters=recipe.parameters, description="total, tied embeddings", attention=recipe.attention)
