"""Derive the studies of the rounds of an iterated study (`finetune.rounds`).

Each round spends an equal part of the budget and trains students as an ordinary study does. From the second round on, an arm samples from
its students as they were trained on that arm's data in the round before. Training starts from the untrained student in every round, on the
data of the newest model alone, as in ReST-EM (Singh et al. 2023, arXiv 2312.06585, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocost.config import Arm, Budget, ModelSpec, Study
from isocost.config.sections import LONGEST_NAME
from isocost.costs.pricefile import PriceList
from isocost.engines import CARRIED
from isocost.ids import seed_of
from isocost.prompts import make_template
from isocost.studyrounds import own_students, trained_name

Trained = Mapping[tuple[str, str], Path]  # the folder of each trained model, by arm and student


def first_round(study: Study) -> Study:
    """Return the study that the first round runs: an equal part of each budget. A study of one round is returned unchanged."""
    if study.rounds == 1:
        return study
    budgets = {name: _part_of_budget(budget, study.rounds) for name, budget in study.budgets.items()}
    arms = {name: _part_of_arm(arm, study.rounds) for name, arm in study.arms.items()}
    return study.model_copy(update={"budgets": budgets, "arms": arms})


def later_round(study: Study, number: int, trained: Trained, prices: PriceList | None = None) -> Study:
    """Return the study of a round after the first, which is no iterated study itself.

    The seed differs from round to round: a model that is no student then gives new draws.

    Args:
        study: The iterated study.
        number: The round, from 2.
        trained: The models that the round before has trained, for each student of each arm.
        prices: The study's price file, which knows the students by their own names alone.
    """
    part = first_round(study)
    models, arms = dict(part.models), {}
    for arm, spec in part.arms.items():
        names = {model: trained_name(model, arm, number - 1) for model in own_students(study, arm)}
        models |= {own: _trained_model(study, model, trained[arm, model], prices) for model, own in names.items()}
        arms[arm] = _renamed(spec, names)
    finetune = study.finetune.model_copy(update={"rounds": 1}) if study.finetune else None
    suffix = f"-round-{number}"
    changes = {
        "name": study.name[: LONGEST_NAME - len(suffix)] + suffix,
        "seed": seed_of("round", study.seed, number),
        "models": models,
        "arms": arms,
        "finetune": finetune,
    }
    return part.model_copy(update=changes)


def _part_of_budget(budget: Budget, rounds: int) -> Budget:
    if budget.match is not None:
        match = budget.match.model_copy(update={"samples_per_problem": budget.match.samples_per_problem / rounds})
        return budget.model_copy(update={"match": match})
    return budget.model_copy(update={"amount": None if budget.amount is None else budget.amount / rounds})


def _part_of_arm(arm: Arm, rounds: int) -> Arm:
    # The count is divisible: `studyrounds` refuses others.
    return arm if arm.samples_per_problem is None else arm.model_copy(update={"samples_per_problem": arm.samples_per_problem // rounds})


def _renamed(arm: Arm, names: Mapping[str, str]) -> Arm:
    """Return an arm with other names for some models, also where it says something of each model."""
    changes: dict[str, Any] = {"models": tuple(names.get(model, model) for model in arm.models)}
    for key in ("shares", "false_positive_rates"):
        if given := getattr(arm, key):
            changes[key] = {names.get(model, model): value for model, value in given.items()}
    return arm.model_copy(update=changes)


def _trained_model(study: Study, model: str, folder: Path, prices: PriceList | None) -> ModelSpec:
    """Return the section of a trained model: that of the student, with the trained weights, asked in the form in which it was trained."""
    spec = study.models[model]
    given = {key: value for key, value in spec.model_dump(mode="json", exclude_unset=True).items() if key in ModelSpec.model_fields}
    given |= {key: value for key, value in spec.options.items() if key in CARRIED}
    if spec.price is None and prices is not None and (price := prices.of(str(spec.options.get("model", model)), model)) is not None:
        given["price"] = price.model_dump(mode="json", exclude_unset=True)
    prompt = _trained_prompt(study, model)
    if prompt is not None:
        given["prompt"] = prompt
    return ModelSpec.model_validate({**given, "engine": spec.engine, "model": str(folder.resolve()), "trained_from": model})


def _trained_prompt(study: Study, model: str) -> dict[str, Any] | None:
    """Return the prompt of a trained model: the question alone, in its chat or as text. None where the model's prompt is that already."""
    template, chat = make_template(study.prompt_of(model)), study.trains_chat(model)
    if not template.examples and template.chat == chat:
        return None
    prompt: dict[str, Any] = {"form": template.form, "stop": list(template.chat_stop if chat else template.stop), "chat": chat}
    return {**prompt, "system": template.system} if chat and template.system is not None else prompt
