"""From a checked study file to what the stages need: problems, models with their costs, prompts. Nothing is spent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from isocost.config import JUDGE, Study
from isocost.engines import ENGINES, OPTIONS
from isocost.errors import InputError, IsocostError, StudyError
from isocost.executors.work import EngineFacts, EngineSpec
from isocost.graders import GRADERS, grader_options, load_grader
from isocost.lab import PREFIX, weights
from isocost.planning import model_card
from isocost.policies import POLICIES
from isocost.problems import SOURCES, load_problems, source_options
from isocost.prompts import TEMPLATES, load_template
from isocost.prompts.base import Template
from isocost.records import ModelCard, Problem
from isocost.studyfile import Known

JUDGE_OPTIONS = ("model", "max_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A problem whose own reference answer the grader does not accept."""

    split: str
    id: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study that is ready to run.

    Attributes:
        study: The study file.
        problems: Problem sets by split.
        cards: What each model costs.
        specs: How each model's engine is opened.
        identities: What makes each model the same; "" for a model whose engine was not opened.
        templates: What each model is prompted with.
        refused: Problems that were left out of the sets, once the grader has been asked.
    """

    study: Study
    problems: Mapping[str, list[Problem]]
    cards: Mapping[str, ModelCard]
    specs: Mapping[str, EngineSpec]
    identities: Mapping[str, str]
    templates: Mapping[str, Template]
    refused: tuple[Refused, ...] = ()


def known() -> Known:
    """The names that the families offer."""
    return Known(
        sources={name: source_options(name) for name in SOURCES},
        engines={name: OPTIONS[name] for name in ENGINES},
        policies=POLICIES,
        graders={name: grader_options(name) for name in GRADERS} | {JUDGE: JUDGE_OPTIONS},
        templates=TEMPLATES,
        grader_mistake=_grader_mistake,
    )


def _grader_mistake(name: str, option: str, value: object) -> str | None:
    if name == JUDGE:  # which models there are, only the study file knows: see studyfile
        wrong = option == "max_tokens" and (isinstance(value, bool) or not isinstance(value, int) or value < 1)
        return f"must be a whole number above 0, not {value!r}" if wrong else None
    try:
        load_grader(name, {option: value})
    except InputError as error:
        return str(error).removeprefix(f'grader "{name}": ')
    return None


def generators(study: Study) -> list[str]:
    """The models that arms draw from, in the study's order."""
    used = {model for arm in study.arms.values() for model in arm.models}
    matched = {budget.match.model for budget in study.budgets.values() if budget.match}
    return [name for name in study.models if name in used | matched]


def judge_of(study: Study) -> str | None:
    """The model that judges the training solutions, or None where a reference answer does."""
    return str(study.grader.options["model"]) if study.is_judged else None


def own_parts(study: Study) -> list[str]:
    """The `package.module:attribute` parts that a study names: code that will be imported."""
    sources = [
        source.source for source in (getattr(study.problems, split) for split in ("train", "validation", "test", "transfer")) if source
    ]
    templates = [study.prompt.template, *(m.prompt.template for m in study.models.values() if m.prompt)]
    graders = [study.grader.name, study.reference_grader.name]
    named = [*sources, *(m.engine for m in study.models.values()), *(a.policy for a in study.arms.values()), *graders, *templates]
    return sorted({name for name in named if ":" in name})


def prepare(study: Study, base: Path, describe: Callable[[EngineSpec], EngineFacts], *, to_spend: bool) -> Prepared:
    """Load problems, open models, work out what tokens cost.

    Args:
        study: The study file.
        base: Its folder.
        describe: Opens an engine and says what it knows.
        to_spend: Every engine is opened, so that a model that cannot be used is found before anything is paid for. For a plan alone,
            a model whose `params` are given is taken at its word.

    Raises:
        StudyError: all that was found wrong with problems and models, one line each.
    """
    mistakes: list[str] = []
    problems: dict[str, list[Problem]] = {}
    for split in ("train", "validation", "test", "transfer"):
        source = getattr(study.problems, split)
        if source is not None and (split == "train" or to_spend):
            try:
                problems[split] = load_problems(source.source, source.options, base=base)
            except IsocostError as error:
                mistakes.append(f"problems.{split}: {error}")
    cards: dict[str, ModelCard] = {}
    specs: dict[str, EngineSpec] = {}
    identities: dict[str, str] = {}
    in_flops = any(budget.unit == "flops" for budget in study.budgets.values())
    for name, spec in study.models.items():
        try:
            specs[name] = EngineSpec(name=spec.engine, options=tuple(sorted(_with_weights(spec.options).items())), base=base)
            unsized = spec.params is None and (spec.price is None or in_flops)
            facts = describe(specs[name]) if to_spend or unsized else None
        except StudyError as error:
            mistakes += [f"models.{name}.{mistake}" for mistake in error.mistakes]
            continue
        except IsocostError as error:
            mistakes.append(f"models.{name}: {error}")
            continue
        cards[name] = model_card(name, study, facts.size if facts else None)
        identities[name] = facts.identity if facts else ""
    if to_spend:
        mistakes += _unusable(study, problems) + _judge_unusable(study, cards)
    if mistakes:
        raise StudyError(mistakes)
    templates = {name: load_template((spec.prompt or study.prompt).template) for name, spec in study.models.items()}
    return Prepared(study=study, problems=problems, cards=cards, specs=specs, identities=identities, templates=templates)


def _judge_unusable(study: Study, cards: Mapping[str, ModelCard]) -> list[str]:
    """A judge whose calls have no cost in the limit's unit; found late, it would stop a run that has already paid for solutions."""
    card = cards.get(judge_of(study) or "")
    if card is None or study.limit is None:
        return []
    known = card.flops_per_token if study.limit.unit == "flops" else card.usd_per_million
    key = "params" if study.limit.unit == "flops" else "price"
    return [] if known else [f"grader.model: what {card.name} costs in {study.limit.unit} is not known\n  give models.{card.name}.{key}"]


def _with_weights(options: dict[str, object]) -> dict[str, object]:
    """`model: lab:weak` means the folder of an embedded model."""
    model = options.get("model")
    if isinstance(model, str) and model.startswith("~"):
        return {**options, "model": str(Path(model).expanduser())}
    return (
        {**options, "model": str(weights(model.removeprefix(PREFIX)))} if isinstance(model, str) and model.startswith(PREFIX) else options
    )


def _unusable(study: Study, problems: Mapping[str, list[Problem]]) -> list[str]:
    """What can be told wrong only of a study that is going to be run."""
    readers = {*generators(study), judge_of(study)}
    mistakes = [
        f"models.{name}.price.input is missing: prompts are paid too\n  give it; 0 if they are free"
        for name, spec in study.models.items()
        if name in readers and (price := spec.price) is not None and price.input is None
    ]
    questions = {p.question: p.id for p in problems.get("train", [])}
    for split in ("validation", "test", "transfer"):
        shared = [(questions[p.question], p.id) for p in problems.get(split, []) if p.question in questions]
        if shared:
            mistakes.append(
                f"problems.{split}: {len(shared)} questions stand in problems.train too, first {shared[0][1]} = {shared[0][0]}\n"
                "  training on them would flatter every student; use skip and limit to part the sets"
            )
    students = study.finetune.students if study.finetune else ()
    for name in students:
        if study.models[name].engine != "transformers":
            mistakes.append(
                f"finetune.students: model {name} has engine {study.models[name].engine}; a student needs trainable weights (transformers)"
            )
        elif fixed := [key for key in ("revision", "gguf_file") if key in study.models[name].options]:
            mistakes.append(
                f"finetune.students: model {name} is given with {fixed[0]}, which cannot be trained\n"
                "  save it to a folder with save_pretrained and name that folder"
            )
    return mistakes
