"""Mistakes of a study beyond the types of its values: names that do not exist, and values that do not fit together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from isocost.config import JUDGE, Arm, GraderSpec, ModelSpec, ProblemSource
from isocost.hints import is_prose, nearest
from isocost.yamlfile import Keys

Mistake = tuple[Keys, str]  # the keys of a value, and what is wrong with it
_LARGEST = 1 << 63  # itertools.islice accepts no larger count
_MISSING = "is missing"  # the message of the engines' options, which is compared below


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names of parts that a study may use, and their options.

    Attributes:
        one_model: Policies that draw from one model.
        several_models: Policies that need at least two.
        trainable: Engines whose models can be students.
        grader_mistake: Returns the mistake in a grader's option, or None: (grader, option, value).
        engine_mistakes: Returns mistakes in an engine's options, each message after its key: (engine, options). It may import the engine,
            so it is called only for a file with other mistakes. Otherwise opening the engine reports them.
        price_mistakes: Returns mistakes in a price file, called under the same condition: (file, its name in messages).
    """

    sources: Mapping[str, Collection[str]]
    engines: Mapping[str, Collection[str]]
    policies: Mapping[str, Collection[str]]
    graders: Mapping[str, Collection[str]]
    templates: Collection[str]
    one_model: Collection[str] = ()
    several_models: Collection[str] = ()
    trainable: Collection[str] = ()
    grader_mistake: Callable[[str, str, object], str | None] = lambda grader, option, value: None
    engine_mistakes: Callable[[str, Mapping[str, object]], Sequence[str]] = lambda engine, options: ()
    price_mistakes: Callable[[Path, str], Sequence[str]] = lambda path, shown: ()


def references(raw: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    """Yield references to names that do not exist, and values that do not fit together. Tolerates data with other mistakes."""
    models, arms, budgets = (mapping(raw.get(key)) for key in ("models", "arms", "budgets"))
    yield from _part_mistakes(raw, models, known)
    for name, budget in budgets.items():
        yield from _unknown(("budgets", name, "match", "model"), mapping(mapping(budget).get("match")).get("model"), models, "model")
        # A number-matched cell is named `arm@number`, so a budget of that name would clash in every path.
        if name == "number":
            yield ("budgets", name), 'the name "number" is taken by number-matched arms; choose another'
    for name, arm in arms.items():
        yield from _arm_mistakes(name, mapping(arm), models, budgets, known)
    yield from _curate_mistakes(raw, arms, known)
    yield from _finetune_mistakes(raw, models, arms, budgets)


def _part_mistakes(raw: Mapping[str, Any], models: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    """Yield names of sources, engines, templates and graders that do not exist, and options that they do not have."""
    for split, source in mapping(raw.get("problems")).items():
        yield from _name_mistakes(("problems", split, "source"), mapping(source).get("source"), known.sources, "problem source")
        yield from _option_mistakes(("problems", split), mapping(source), "source", ProblemSource, known.sources)
        yield from _count_mistakes(("problems", split), mapping(source))
    for name, model in models.items():
        yield from _name_mistakes(("models", name, "engine"), mapping(model).get("engine"), known.engines, "engine")
        yield from _option_mistakes(("models", name), mapping(model), "engine", ModelSpec, known.engines)
        yield from _unknown(("models", name, "trained_from"), mapping(model).get("trained_from"), models, "model")
        yield from _prompt_mistakes(("models", name, "prompt"), mapping(mapping(model).get("prompt")), mapping(raw.get("prompt")), known)
    yield from _name_mistakes(("prompt", "template"), mapping(raw.get("prompt")).get("template"), known.templates, "template")
    grader = mapping(raw.get("grader"))
    yield from _grader_mistakes(("grader",), grader, known)
    yield from _unknown(("audit", "model"), mapping(raw.get("audit")).get("model"), models, "model")
    yield from _judge_mistakes(grader, models)
    yield from _reference_grader_mistakes(raw, known)


def engine_mistakes(raw: Mapping[str, Any], known: Known, already: Collection[Keys]) -> Iterator[Mistake]:
    """Yield invalid values of engines' options. Keys with a mistake already are skipped."""
    for name, model in mapping(raw.get("models")).items():
        section = mapping(model)
        engine = section.get("engine")
        if isinstance(engine, str) and engine in known.engines:
            options = {key: value for key, value in section.items() if key not in ModelSpec.model_fields}
            for mistake in known.engine_mistakes(engine, options):
                key, _, message = mistake.partition(": ")
                keys = ("models", name, *key.split("."))
                misspelt = any(other[:2] == ("models", name) for other in already) and message == _MISSING  # reported as an unknown key
                if not misspelt and not any(keys[: len(other)] == other for other in already):
                    yield keys, message


def _count_mistakes(keys: Keys, source: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield mistakes in `skip`, `limit`, `where` and `repeated`, which every source takes."""
    if source.get("where") is not None and not isinstance(source["where"], Mapping):
        yield (*keys, "where"), "takes fields and their values, such as {question_type: numeric}"
    if source.get("repeated") not in (None, "keep", "merge"):
        yield (*keys, "repeated"), f"must be keep or merge, not {short(source['repeated'])}"
    for key in ("skip", "limit"):
        value = source.get(key)
        if value is not None and (type(value) is not int or not 0 <= value < _LARGEST):
            yield (*keys, key), f"must be a whole number, 0 or more, not {short(value)}"
        elif key == "limit" and value == 0:
            yield (*keys, key), "0 leaves no problem"


def _prompt_mistakes(keys: Keys, prompt: Mapping[str, Any], studys: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    """Yield mistakes in a model's own prompt beside the study's."""
    yield from _name_mistakes((*keys, "template"), prompt.get("template"), known.templates, "template")
    if prompt.get("system") is not None and not prompt.get("chat", studys.get("chat")):
        yield (*keys, "system"), "a system message needs a chat; add chat: true, or leave system out"


def _grader_mistakes(keys: Keys, section: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    yield from _name_mistakes((*keys, "name"), section.get("name"), known.graders, "grader")
    # A section without a name has the options of the default grader.
    section = {"name": GraderSpec.model_fields["name"].default, **section}
    yield from _option_mistakes(keys, section, "name", GraderSpec, known.graders)
    name = section["name"]
    own = known.graders.get(name, ()) if isinstance(name, str) else ()
    for key, value in section.items():
        if key in own and (message := known.grader_mistake(name, key, value)):
            yield (*keys, key), message


def _judge_mistakes(grader: Mapping[str, Any], models: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the missing or superfluous keys of a study whose grader is one of its models."""
    if grader.get("name") != JUDGE:
        return
    model = grader.get("model")
    if isinstance(model, str):
        yield from _unknown(("grader", "model"), model, models, "model")
    else:
        yield ("grader", "model"), f"the judge is a model of the study, give its name; {nearest('', models)}"
    if "time_limit" in grader:
        yield ("grader", "time_limit"), "a judge has no time limit; leave it out: max_tokens bounds its reply"


def _reference_grader_mistakes(raw: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    keys: Keys = ("evaluate", "grader")
    section = mapping(mapping(raw.get("evaluate")).get("grader"))
    if not section:
        return
    if section.get("name") == JUDGE:
        yield (*keys, "name"), "students are graded by reference answers, never by a model; name another grader"
    elif mapping(raw.get("grader")).get("name") != JUDGE:
        yield keys, f'is for studies whose grader is "{JUDGE}"; leave it out, grader holds for students too'
    else:
        yield from _grader_mistakes(keys, section, known)


def _name_mistakes(keys: Keys, name: object, valid: Collection[str], what: str) -> list[Mistake]:
    """Return the mistakes of `_unknown`, for a part that may be the user's own: `package.module:attribute`."""
    if what == "template" and is_prose(name):
        return [(keys, "must be a name, not a text; write the text as form, with {question} where the problem's text goes")]
    return [] if ":" in str(name) else _unknown(keys, name, valid, what)


def _unknown(keys: Keys, name: object, valid: Collection[str], what: str) -> list[Mistake]:
    """Return a name that is not valid. A value that is not text is another kind of mistake, which `config` finds."""
    if isinstance(name, str) and name not in valid:
        return [(keys, f'unknown {what} "{name}"; {nearest(name, valid)}')]
    return []


def _option_mistakes(
    keys: Keys, part: Mapping[str, Any], name_key: str, section: type[BaseModel], options: Mapping[str, Collection[str]]
) -> list[Mistake]:
    """Return keys that neither the section nor the part that it names has. An unknown part is not checked."""
    name = part.get(name_key)
    if not isinstance(name, str) or name not in options:
        return []
    valid = {*section.model_fields, *options[name]}
    return [((*keys, key), f'unknown key "{key}"; {nearest(key, valid)}') for key in part if key not in valid]


def _arm_mistakes(
    name: str, arm: Mapping[str, Any], models: Mapping[str, Any], budgets: Mapping[str, Any], known: Known
) -> Iterator[Mistake]:
    used = arm.get("models") if isinstance(arm.get("models"), list) else []
    for index, model in enumerate(used or []):
        yield from _unknown(("arms", name, "models", index), model, models, "model")
    policy = arm.get("policy", "uniform")
    yield from _name_mistakes(("arms", name, "policy"), policy, known.policies, "policy")
    if used and len(used) != 1 and str(policy) in known.one_model:
        yield ("arms", name, "models"), f"the policy {policy} takes one model, got {len(used)}"
    if used and len(used) == 1 and str(policy) in known.several_models:
        yield ("arms", name, "models"), f"the policy {policy} takes at least two models, got 1"
    yield from _policy_key_mistakes(name, arm, policy, known)
    yield from _rate_mistakes(name, arm, used or [])
    if not budgets and "samples_per_problem" not in arm:
        yield ("arms", name), "has nothing to spend; add a budget under budgets, or samples_per_problem here"


def _policy_key_mistakes(name: str, arm: Mapping[str, Any], policy: object, known: Known) -> Iterator[Mistake]:
    """Yield keys of an arm without effect under its policy. A policy of the user's own may use any key."""
    used = known.policies.get(policy, arm) if isinstance(policy, str) else arm
    for key in (
        key for key in arm if key in Arm.model_fields and key not in ("policy", "models", "curate", *used) and arm[key] is not None
    ):
        users = " and ".join(other for other, keys in known.policies.items() if key in keys)
        yield ("arms", name, key), f"the policy {policy} does not use it; it is for {users}"


def _rate_mistakes(name: str, arm: Mapping[str, Any], used: Sequence[object]) -> Iterator[Mistake]:
    """Yield mistakes in what an arm says of each of its models."""
    for key in ("false_positive_rates", "shares"):
        for model in mapping(arm.get(key)):
            yield from _unknown(("arms", name, key, model), model, [str(each) for each in used], "model of the arm")


def _curate_mistakes(raw: Mapping[str, Any], arms: Mapping[str, Any], known: Known) -> Iterator[Mistake]:
    """Yield the mistakes of `curate`: an audit that the study does not make, and names in `decontaminate` that are no problem sets."""
    curate = mapping(raw.get("curate"))
    places: list[tuple[Keys, object]] = [(("curate",), curate.get("audit"))]
    places += [(("arms", name, "curate"), mapping(mapping(arm).get("curate")).get("audit")) for name, arm in arms.items()]
    for keys, audit in places:
        if "judge" in (audit if isinstance(audit, list | tuple) else [audit]) and mapping(raw.get("audit")).get("by") != "judge":
            yield (*keys, "audit"), "no model judges the reasoning; add audit: {by: judge, model: NAME}, or use audit: steps here"
    sets, splits = curate.get("decontaminate"), ("validation", "test", "transfer")
    for index, name in enumerate(sets if isinstance(sets, list) else []):
        message = _set_mistake(str(name), [split for split in splits if split in mapping(raw.get("problems"))], known)
        if isinstance(name, str) and message:
            yield ("curate", "decontaminate", index), message


def _set_mistake(name: str, splits: Collection[str], known: Known) -> str | None:
    """Return what is wrong with the name of a set of `curate.decontaminate`, or None."""
    source, _, split = name.partition(":")
    if name in splits or name.endswith(".jsonl") or (source in known.sources and split):
        return None
    if split:
        return f'unknown problem source "{source}"; {nearest(source, known.sources)}'
    return f'"{name}" is no set: {nearest(name, splits)}; or a source as source:split, or a .jsonl file of problems'


def _finetune_mistakes(
    raw: Mapping[str, Any], models: Mapping[str, Any], arms: Mapping[str, Any], budgets: Mapping[str, Any]
) -> Iterator[Mistake]:
    finetune, problems = mapping(raw.get("finetune")), mapping(raw.get("problems"))
    if not finetune:
        return
    for key, valid, what in (("students", models, "model"), ("arms", arms, "arm"), ("budgets", budgets, "budget")):
        names = finetune.get(key)
        for index, name in enumerate(names if isinstance(names, list) else []):
            yield from _unknown(("finetune", key, index), name, valid, what)
    rates = finetune.get("learning_rates")
    # 10 is the default of `Finetune.checkpoints`, which the raw data may leave out.
    several = finetune.get("checkpoints", 10) != 1 or (isinstance(rates, list) and len(rates) > 1)
    if several and "validation" not in problems:
        yield ("finetune",), "choosing among checkpoints needs problems.validation; add it, or set checkpoints: 1"
    if "test" not in problems:
        yield ("finetune",), "trained students need problems.test to be evaluated on"
    if finetune.get("reasoning") == "keep" and mapping(raw.get("curate")).get("reasoning") is None:
        students = finetune.get("students")
        for name in students if isinstance(students, list) else []:
            if name in models and not mapping(models[name]).get("reasoning"):
                yield ("finetune", "reasoning"), f"keep needs models.{name}.reasoning, such as {{open: <think>, close: </think>}}"


def short(value: object) -> str:
    """Return a value as it is shown in a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def mapping(value: object) -> Mapping[str, Any]:
    """Return a value if it is a mapping, else an empty one: a section of a broken file may be anything."""
    return value if isinstance(value, Mapping) else {}
