"""Mistakes in a study of several rounds (`finetune.rounds`), and the names of the models that it trains for the next round."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from isocost.config import Study
from isocost.config.sections import LONGEST_NAME
from isocost.studynames import Mistake


def trained_name(model: str, arm: str, number: int) -> str:
    """Return the name, in the study of the next round, of a model that a round has trained on an arm: `weak-self-r1`."""
    return f"{model}-{arm}-r{number}"


def own_students(study: Study, arm: str) -> list[str]:
    """Return the models of an arm that are students, in the arm's order: each later round samples what became of them."""
    students = study.finetune.students if study.finetune else ()
    return [model for model in study.arms[arm].models if model in students]


def round_mistakes(study: Study, trainable: Collection[str]) -> list[Mistake]:
    """Return why a study cannot be run in rounds; nothing for a study of one round.

    Args:
        study: The study, without other mistakes.
        trainable: Engines whose models can be students.
    """
    if study.finetune is None or study.rounds == 1:
        return []
    found: list[Mistake] = [*_budget_mistakes(study), *_student_mistakes(study, trainable), *_name_mistakes(study)]
    for arm in study.arms:
        found += _arm_mistakes(study, arm)
    return found


def _budget_mistakes(study: Study) -> Iterator[Mistake]:
    # Each budget of an arm trains a model of its own, and an arm of the next round samples one.
    if len(study.budgets) > 1:
        yield ("finetune", "rounds"), f"needs one budget, and the study has {', '.join(study.budgets)}; keep one, and run the others apart"


def _student_mistakes(study: Study, trainable: Collection[str]) -> Iterator[Mistake]:
    for index, name in enumerate(study.finetune.students if study.finetune else ()):
        if (engine := study.models[name].engine) not in trainable:
            why = f"with rounds, the trained model samples; {name} has engine {engine}, whose weights cannot be trained here"
            yield ("finetune", "students", index), f"{why} ({', '.join(trainable)} can)"


def _name_mistakes(study: Study) -> Iterator[Mistake]:
    """Yield the arms whose trained model would have the name of another arm's: both hold hyphens, so that a-b on c is a on b-c."""
    owners: dict[str, tuple[str, str]] = {}
    for arm in study.arms:
        for model in own_students(study, arm):
            name = trained_name(model, arm, 1)
            other, of_arm = owners.setdefault(name, (model, arm))
            if (other, of_arm) != (model, arm):
                both = f"{other} trained on {of_arm}, and {model} trained on {arm}"
                yield ("arms", arm), f"with rounds, two models have the name {name}: {both}; rename an arm or a model"


def _arm_mistakes(study: Study, arm: str) -> Iterator[Mistake]:
    finetune, spec = study.finetune, study.arms[arm]
    if finetune is None:
        return
    if arm not in finetune.arms:
        yield ("arms", arm), "with rounds, every arm trains the model that samples next; add it to finetune.arms, or leave it out"
    students = own_students(study, arm)
    if not students:
        yield (
            ("arms", arm, "models"),
            f"with rounds, an arm samples from a student ({', '.join(finetune.students)}); this one would not change from round to round",
        )
    if spec.samples_per_problem is not None and spec.samples_per_problem % study.rounds:
        yield ("arms", arm, "samples_per_problem"), f"{spec.samples_per_problem} is not divisible by {study.rounds} rounds"
    for model in students:
        name = trained_name(model, arm, study.rounds - 1)
        if len(name) > LONGEST_NAME:
            yield (
                ("arms", arm),
                f"with rounds, its models have names such as {name}, of more than {LONGEST_NAME} characters; shorten its name",
            )
        for number in range(1, study.rounds):
            if (taken := trained_name(model, arm, number)) in study.models:
                yield ("models", taken), f"is the name of {model} after round {number}; choose another"
