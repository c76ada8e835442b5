"""Load what the stages need from a checked study file: problems, models with their costs, prompts. Nothing is spent here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from isocost.config import ModelSpec, Study
from isocost.costs.draws import missing_price
from isocost.costs.pricefile import PriceList, read_prices
from isocost.engines import ENGINES, check_ready
from isocost.engines.base import Request
from isocost.errors import IsocostError, StorageError, StudyError
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.ids import digest, digested
from isocost.paths import from_home
from isocost.planning import model_card
from isocost.policies import AUTO
from isocost.preparing.difficulty import difficulty_mistakes
from isocost.preparing.embedded import embedded_size, resolve_model
from isocost.preparing.heldout import held_out_questions
from isocost.preparing.pinning import pin
from isocost.preparing.problemchanges import SplitChanges
from isocost.preparing.rounds import first_round
from isocost.preparing.trainings import Attempt, launch_mistakes, missing_packages, training_mistakes, unusable_students
from isocost.preparing.unrecorded import replayed_within, unrecorded_mistakes
from isocost.problems import load_problems
from isocost.prompts import make_template
from isocost.prompts.base import Template
from isocost.records import ModelCard, Problem, SamplingParams

CHAT_FIELDS = ("chat", "system", "chat_stop")  # fields of a template that are part of a pool's identity only if it is a chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A problem that is left out, with the reason, and its file and line where it has one."""

    split: str
    id: str
    answer: str
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study that is ready to run.

    Attributes:
        study: The study file; of an iterated study, with the budgets of a round.
        problems: Problem sets by split.
        cards: Cost of each model's tokens.
        specs: Engine and options of each model.
        identities: Identity of each model, under which its samples are stored; "" if its engine was not opened.
        facts: Facts of the engines that were opened, by model.
        templates: Prompt template of each model.
        available: Number of recorded samples by model and problem id, of models that replay them for an arm whose policy asks for no more
            than there are.
        refused: Problems that were left out of the sets by the gold check.
        changes: Changes of the sets since the run's last start, by split.
        held_out: Questions that training problems are compared with for near-duplicates, by set and problem id.
    """

    study: Study
    problems: Mapping[str, list[Problem]]
    cards: Mapping[str, ModelCard]
    specs: Mapping[str, EngineSpec]
    identities: Mapping[str, str]
    facts: Mapping[str, EngineFacts]
    templates: Mapping[str, Template]
    available: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    changes: Mapping[str, SplitChanges] = field(default_factory=dict)
    held_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, int | None]:
        """The most solutions of a request, for which a model's engine reads the prompt once: 1 if it reads the prompt of each, None without
        a bound. Only for engines that were opened.
        """
        return {name: _most_sharing(facts) for name, facts in self.facts.items()}

    def trained_params(self, student: str) -> SamplingParams:
        """Return the sampling parameters of a student in the form in which it is trained, and asked after it."""
        return trained_params(self.study, student, self.templates[student])


def trained_params(study: Study, student: str, template: Template) -> SamplingParams:
    """Return the sampling parameters of a student in the form in which it is trained, and asked after it."""
    return study.sampling_of(student).params(template.chat_stop if study.trains_chat(student) else template.stop)


def _most_sharing(facts: EngineFacts) -> int | None:
    if not facts.shares_prompts:
        return 1
    return facts.batching.size if facts.batching else None


def generators(study: Study) -> list[str]:
    """Return the models that arms draw from or that budgets are matched to, in the study's order."""
    used = {model for arm in study.arms.values() for model in arm.models}
    matched = {budget.match.model for budget in study.budgets.values() if budget.match}
    return [name for name in study.models if name in used | matched]


def judge_of(study: Study) -> str | None:
    """Return the model that judges the training solutions, or None if they are compared with reference answers."""
    return str(study.grader.options["model"]) if study.is_judged else None


def auditor_of(study: Study) -> str | None:
    """Return the model that audits solutions, or None if no model does."""
    return study.audit.model if study.audit.by == "judge" else None


def _called_models(study: Study) -> list[str]:
    """Return the models that are called while data is bought and judged, without repeats."""
    return list(dict.fromkeys(name for name in (judge_of(study), auditor_of(study), *generators(study)) if name))


def own_parts(study: Study) -> list[str]:
    """Return the `package.module:attribute` parts that a study names, sorted: code that will be imported."""
    sources = [
        source.source for source in (getattr(study.problems, split) for split in ("train", "validation", "test", "transfer")) if source
    ]
    prompts = [study.prompt, *(model.prompt for model in study.models.values())]
    templates = [prompt.template for prompt in prompts if prompt and prompt.template]
    graders = [study.grader.name, study.reference_grader.name]
    named = [*sources, *(m.engine for m in study.models.values()), *(a.policy for a in study.arms.values()), *graders, *templates]
    return sorted({name for name in named if ":" in name})


def prepare(
    study: Study,
    base: Path,
    describe: Callable[[EngineSpec], EngineFacts],
    *,
    to_spend: bool,
    render: Callable[[EngineSpec, Request], str] | None = None,
    count_available: Callable[[EngineSpec], Mapping[str, int] | None] = lambda spec: None,
    chat_date: dt.date | None = None,
    attempt: Attempt | None = None,
) -> Prepared:
    """Load the problems, open the models, and find the costs of their tokens.

    Args:
        study: The study file. Of an iterated study, the first round is prepared.
        base: Its folder.
        describe: Opens an engine and returns its facts.
        to_spend: True to open every engine, so that a model that cannot be used is found before anything is paid for. A plan opens
            only engines of models whose costs do not follow from the study.
        render: Returns the text that a model reads for a request. With it and `to_spend`, models without a chat format and endpoints
            without a key are found too.
        count_available: Returns the number of samples that an engine can give, by problem id; None for as many as are asked for.
        chat_date: The date for chat templates that ask for it; None for that of the clock.
        attempt: Loads a student and asks it a request. With it and `to_spend`, students that cannot be used are found too.

    Raises:
        StudyError: problems or models have mistakes; it lists all of them, one per line.
    """
    study = first_round(study)
    mistakes: list[str] = []  # collected, so that one start reports all of them
    problems = _problems(study, base, mistakes, all_sets=to_spend)
    held_out = held_out_questions(study, base, problems, mistakes) if to_spend else {}
    mistakes += difficulty_mistakes(study, problems.get("train", ()))
    mistakes += _unpiloted_choices(study)
    mistakes += _batched_judges(study)
    specs, cards, facts_of = _opened(study, base, describe, mistakes, chat_date, to_spend=to_spend)
    identities = {name: facts_of[name].identity if name in facts_of else "" for name in cards}
    if to_spend:
        mistakes += [*_run_mistakes(study, base, problems, cards), *_unknown_cost_mistakes(study, cards)]
        mistakes += _unready_models({name: specs[name] for name in _called_models(study) if name in cards}) if render else ()
        mistakes += [*missing_packages(study), *launch_mistakes(study, base)] if render else ()
    if mistakes:
        raise StudyError(mistakes)
    templates = {name: make_template(study.prompt_of(name)) for name in study.models}
    # A model that was not opened is at least itself: equal options are one model.
    known = {name: identity or specs[name].key for name, identity in identities.items()}
    if mistakes := list(_equal_pools(study, known, templates)):
        raise StudyError(mistakes)
    if to_spend and render and (mistakes := list(_chat_mistakes(study, specs, templates, render))):
        raise StudyError(mistakes)
    if to_spend and attempt:
        forms = {name: trained_params(study, name, templates[name]) for name in (study.finetune.students if study.finetune else ())}
        if mistakes := list(unusable_students(study, specs, templates, forms, attempt)):
            raise StudyError(mistakes)
    counts = {name: count_available(specs[name]) for name in replayed_within(study)} if to_spend else {}
    if mistakes := list(unrecorded_mistakes(counts, problems.get("train", ()))):
        raise StudyError(mistakes)
    return Prepared(
        study=study,
        problems=problems,
        cards=cards,
        specs=specs,
        identities=identities,
        facts=facts_of,
        templates=templates,
        available={name: count for name, count in counts.items() if count is not None},
        held_out=held_out,
    )


def _opened(
    study: Study,
    base: Path,
    describe: Callable[[EngineSpec], EngineFacts],
    mistakes: list[str],
    chat_date: dt.date | None,
    *,
    to_spend: bool,
) -> tuple[dict[str, EngineSpec], dict[str, ModelCard], dict[str, EngineFacts]]:
    """Return the engines and cards of the models, and the facts of the engines that were opened; append mistakes to `mistakes`."""
    specs: dict[str, EngineSpec] = {}
    cards: dict[str, ModelCard] = {}
    facts_of: dict[str, EngineFacts] = {}
    prices = _prices(study, base, mistakes)
    for name, spec in study.models.items():
        try:
            options = tuple(sorted(_engine_options(spec, base).items()))
            specs[name] = EngineSpec(name=spec.engine, options=options, base=base, chat_date=chat_date)
            known = None if to_spend else embedded_size(study, spec)
            facts = describe(specs[name]) if to_spend or (known is None and _needs_opening(study, spec)) else None
            cards[name] = model_card(name, study, facts.size if facts else known, prices)
        except StudyError as error:  # each of its mistakes begins with the key of an option
            mistakes += [f"models.{name}.{mistake}" for mistake in error.mistakes]
            continue
        except StorageError:  # of the run directory, which caches facts: not a mistake in the study
            raise
        except IsocostError as error:
            mistakes.append(f"models.{name}: {error}")
            continue
        if facts:
            facts_of[name] = facts
            specs[name] = pin(specs[name], facts.identity)
    return specs, cards, facts_of


def _engine_options(spec: ModelSpec, base: Path) -> dict[str, object]:
    """Return the options of a model's engine. An engine that drops special tokens from texts keeps those of the model's delimiters."""
    options, entry = resolve_model(spec.options, base), ENGINES.get(spec.engine)
    if spec.reasoning is None or entry is None or "special_tokens" not in entry.keys:
        return options
    given = options.get("special_tokens", ())
    if not isinstance(given, list | tuple):  # the engine refuses it, with the key
        return options
    return {**options, "special_tokens": (*given, *(mark for mark in (spec.reasoning.open, spec.reasoning.close) if mark))}


def _unpiloted_choices(study: Study) -> list[str]:
    """Return the arms that are to choose a policy from a pilot that the study does not have."""
    wanted = "auto chooses from a pilot; add one: pilot: {problems: 100, samples_per_problem: 4}"
    return [f"arms.{name}.policy: {wanted}" for name, arm in study.arms.items() if arm.policy == AUTO and study.pilot is None]


def _batched_judges(study: Study) -> list[str]:
    """Return the judges that are given with `batch: true`: they are asked singly, at other prices."""
    places = {"grader.model": judge_of(study), "audit.model": auditor_of(study)}
    told = "is bought in batches, and a judge is asked singly\n  give the judge a section of its own under models, without batch"
    return [f"{place}: model {name} {told}" for place, name in places.items() if name and study.models[name].is_batched]


def pool_id(identity: str, template: Template, params: SamplingParams, seed: int) -> str:
    """Return the id of the pool of a model under a prompt, sampling parameters and a seed."""
    # Chat fields have no effect on a plain prompt, so they must not make another pool of it.
    prompt = {key: value for key, value in digested(template).items() if template.chat or key not in CHAT_FIELDS}
    return digest("pool", identity, prompt, params, seed)


def pool_ids(study: Study, identities: Mapping[str, str], templates: Mapping[str, Template]) -> dict[str, str]:
    """Return the id of each generator's pool."""
    params = {name: study.sampling_of(name).params(templates[name].reply_stop) for name in generators(study)}
    return {name: pool_id(identities[name], templates[name], each, study.seed) for name, each in params.items()}


def _equal_pools(study: Study, identities: Mapping[str, str], templates: Mapping[str, Template]) -> Iterator[str]:
    """Yield the generators that share a pool: the same requests would be sent and paid twice, under the same ids."""
    owners: dict[str, str] = {}
    for name, pool in pool_ids(study, identities, templates).items():
        owner = owners.setdefault(pool, name)
        if owner != name:
            yield (
                f"models.{name}: has the model, prompt and sampling of models.{owner}, so both names would buy the same draws\n"
                f"  name one of them in arms, or change models.{name}.sampling or models.{name}.prompt"
            )


def _chat_mistakes(
    study: Study, specs: Mapping[str, EngineSpec], templates: Mapping[str, Template], render: Callable[[EngineSpec, Request], str]
) -> Iterator[str]:
    """Yield the models that cannot render the chat of their prompt, such as models without a chat format or without a system role."""
    students = study.finetune.students if study.finetune else ()
    readers = {*generators(study), judge_of(study), auditor_of(study), *students}
    for name in (n for n in study.models if n in readers and (templates[n].chat or (n in students and study.trains_chat(n)))):
        # Any question will do: a model accepts or refuses the form of a chat, whatever its text.
        request = Request(
            problem_id="", prompt=templates[name].render("?"), first_index=0, count=1, chat=True, system=templates[name].system
        )
        try:
            render(specs[name], request)
        except IsocostError as error:
            if name in students and not templates[name].chat:
                yield f"finetune.format: chat: {error.happened}\n  set format: plain"
            elif name in students and not study.trains_chat(name):  # its chat is that of the study's prompt, and only the untrained one's
                yield f"models.{name}: {error.happened.partition('; ')[0]}\n  give models.{name}.prompt: {{chat: false}}"
            else:
                yield f"models.{name}: {error}"


def _problems(study: Study, base: Path, mistakes: list[str], *, all_sets: bool) -> dict[str, list[Problem]]:
    """Load the problem sets by split, or the training problems alone; append what is wrong with them to `mistakes`."""
    problems: dict[str, list[Problem]] = {}
    for split in ("train", "validation", "test", "transfer"):
        source = getattr(study.problems, split)
        if source is not None and (split == "train" or all_sets):
            try:
                problems[split] = load_problems(source.source, source.options, base=base)
            except IsocostError as error:
                mistakes.append(f"problems.{split}: {error}")
    return problems


def _prices(study: Study, base: Path, mistakes: list[str]) -> PriceList | None:
    """Read the study's file of prices, or None if it has none; append its mistakes to `mistakes`."""
    if study.costs.prices is None:
        return None
    try:
        return read_prices(from_home(base, study.costs.prices), study.costs.prices)
    except StudyError as error:
        mistakes += error.mistakes
    return None


def _needs_opening(study: Study, spec: ModelSpec) -> bool:
    """Return True if a model must be opened to find the cost of its draws: its size, or if draws share the price of a prompt."""
    entry = ENGINES.get(spec.engine)
    opens_quickly = not (entry and entry.opens_slowly)
    has_input_price = bool(spec.price and spec.price.input)
    # Only the engine knows if draws share the price of a prompt; a slow one is opened for its size alone.
    if opens_quickly and (study.costs.prices or has_input_price):
        return True
    has_size = spec.params is not None and (spec.attention is not None or not study.costs.attention)
    has_price = spec.price is not None or study.costs.prices is not None
    in_flops = any(budget.unit == "flops" for budget in study.budgets.values())
    return not has_size and (in_flops or not has_price)


def _unknown_cost_mistakes(study: Study, cards: Mapping[str, ModelCard]) -> Iterator[str]:
    """Yield the models whose cost is unknown in the limit's unit. Found late, a judge would stop a run that has paid for solutions."""
    unit = study.limit.unit if study.limit else None
    for name in _called_models(study) if unit else ():
        card = cards.get(name)
        if card is not None and not (card.flops_per_token if unit == "flops" else card.usd_per_million):
            advice = card.to_know.get(str(unit)) or f"give models.{name}.{'params' if unit == 'flops' else 'price'}"
            # The judge of answers comes last, so that it wins where one model is both judges.
            where = {auditor_of(study): "audit.model", judge_of(study): "grader.model"}.get(name, "limit")
            free = "; if nothing is to be paid, leave out limit and budgets, and give arms samples_per_problem" if where == "limit" else ""
            yield f"{where}: the cost of {name} in {unit} is not known\n  {advice}{free}"


def _run_mistakes(study: Study, base: Path, problems: Mapping[str, list[Problem]], cards: Mapping[str, ModelCard]) -> Iterator[str]:
    """Yield the mistakes that matter only if a study is run: missing prices, problems in two sets, students that cannot be trained."""
    readers = _called_models(study)
    for name, card in cards.items():
        if name in readers and card.usd_per_million is not None and "input" not in card.usd_per_million:
            yield missing_price(name, "input")
    yield from _shared_questions(problems)
    yield from training_mistakes(study, base)


def _shared_questions(problems: Mapping[str, list[Problem]]) -> Iterator[str]:
    """Yield the splits that share questions. Words are compared: in another file, the same question has another id or other spaces."""
    harm = {"train": "training on them would flatter every student", "validation": "students would be chosen on what they are tested on"}
    for first, second in combinations(("train", "validation", "test", "transfer"), 2):
        questions = {" ".join(p.question.split()): p.id for p in problems.get(first, [])}
        shared = [(questions[q], p.id) for p in problems.get(second, []) if (q := " ".join(p.question.split())) in questions]
        if shared:
            many = "1 question is" if len(shared) == 1 else f"{len(shared):,} questions are"
            yield (
                f"problems.{second}: {many} in problems.{first} too, first {shared[0][1]} = {shared[0][0]}\n"
                f"  {harm.get(first, 'they would count twice')}; separate the sets with skip and limit"
            )


def _unready_models(specs: Mapping[str, EngineSpec]) -> Iterator[str]:
    """Yield what the environment lacks to call models, such as the key of an endpoint: without it, all its requests are refused."""
    for name, spec in specs.items():
        try:
            check_ready(spec.name, dict(spec.options))
        except StudyError as error:
            yield from (f"models.{name}.{mistake}" for mistake in error.mistakes)
        except IsocostError as error:
            yield f"models.{name}: {error}"
