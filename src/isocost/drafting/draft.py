"""Drafts of study files from templates."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl
import yaml

from isocost.amounts import quantity
from isocost.errors import InputError, Option
from isocost.graders import load_grader
from isocost.nearest import did_you_mean
from isocost.problems import load_problems
from isocost.records import Outcome, Problem
from isocost.tables import scan_table

_EXAMPLES = ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8001/v1")  # addresses of a draft without any
_EXAMPLE_PRICES = ("0.10/0.40", "0.60/2.40")  # US dollars per million prompt and generated tokens
_LOOKED_AT = 200  # problems that choose the grader
_MOST_OTHERS = 0.1  # share of answers that may be no numbers where the grader is that of numbers


class Defaults(NamedTuple):
    """The answers that a template assumes where a user gives none.

    Attributes:
        summary: The case for which the template is, for the question that chooses one.
        problems: A JSONL file or the name of a source.
        models: Two models, the cheaper first; none where a table names them.
    """

    summary: str
    problems: str
    models: tuple[str, ...]


class _Source(NamedTuple):
    options: str
    grader: str
    prompt: str | None


class _Train(NamedTuple):
    """The training problems of a draft: their source as YAML, their grader with a comment on it, and their prompt template if any."""

    source: str
    grader: str
    comment: str = ""
    prompt: str | None = None


DEFAULTS: dict[str, Defaults] = {
    "endpoint": Defaults("models behind OpenAI-compatible endpoints", "problems.jsonl", ("small-model", "large-model")),
    "gpu": Defaults("models on this machine, students trained on it", "gsm8k", ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-1.5B")),
    "table": Defaults("samples that were recorded before", "problems.jsonl", ()),
    "code": Defaults(
        "models on this machine that write programs", "mbpp", ("Qwen/Qwen2.5-Coder-0.5B-Instruct", "Qwen/Qwen2.5-Coder-1.5B-Instruct")
    ),
}
SOURCES = {
    "gsm8k": _Source("split: train, limit: 2000", "number", "gsm8k-8shot"),
    "math": _Source("", "math", "math-4shot"),
    "mbpp": _Source("split: train", "code", None),
    "humaneval": _Source("", "code", None),
    "lab": _Source("split: train, limit: 200", "number", "lab-2shot"),
}
_SPLITS = {  # validation and test problems of a source, as YAML
    "gsm8k": ("{source: gsm8k, split: train, skip: 7000}", "{source: gsm8k, split: test}"),
    "lab": ("{source: lab, split: validation, limit: 100}", "{source: lab, split: test, limit: 100}"),
}
_INSTRUCTIONS = {  # by grader
    "choice": "Reason step by step. End with the letter of the answer after ####.",
    "code": "Write the function. Answer with one block of code.",
    "math": r"Reason step by step. Put the final answer in \\boxed{}.",
    "number": "Reason step by step. End with the answer after ####.",
}


def refuse_unknown(template: str) -> None:
    """Raise InputError, with the nearest name, if there is no such template."""
    if template not in DEFAULTS:
        raise InputError(f'no template "{template}"\n  {did_you_mean(template, DEFAULTS) or "known: " + ", ".join(DEFAULTS)}')


def refuse_missing(problems: str, folder: Path) -> None:
    """Raise InputError if there is neither a problem source nor a file of this name, from `folder` or from the working directory."""
    if problems not in SOURCES and Path(problems).suffix and not any(path.exists() for path in (folder / problems, Path(problems))):
        raise InputError(f"{problems}: no such file of problems", advice=f"name a file that exists, or one of {', '.join(SOURCES)}")


def draft(
    template: str,
    *,
    problems: str,
    models: Sequence[str],
    folder: Path,
    table: str | None = None,
    name: str | None = None,
    fields: Mapping[str, str] = MappingProxyType({}),
    base_urls: Sequence[str] = (),
    prices: Sequence[str] = (),
) -> str:
    """Return a study file with comments.

    Args:
        template: A key of `DEFAULTS`.
        problems: A JSONL file, from the working directory or from `folder`, or the name of a problem source. A file that exists is
            read: its answers choose the grader.
        models: Two models, the cheaper first, as the template's engine names them; for the template `endpoint` also one alone.
        folder: The study file's folder.
        table: The recorded samples, for the template `table`.
        name: The study's name; by default that of the problems.
        fields: Options of a JSONL source that name fields of its rows: `question_field`, `answer_field`, `id_field`.
        base_urls: For the template `endpoint`, the addresses of the models, or one that all have; without any, examples.
        prices: For the template `endpoint`, the prices of the models, each as `INPUT/OUTPUT` in US dollars per million tokens, or one that
            all have; without any, examples.

    Raises:
        InputError: no such template or source, fields for a source that has its own, another number of models, addresses or prices, a wrong
            one, or a table is missing where one is needed.
        ProblemsError: the file of problems cannot be read.
    """
    from jinja2 import Environment, StrictUndefined  # takes longer to import than the rest of the command

    refuse_unknown(template)
    if len(models) != 2 and not (template == "endpoint" and len(models) == 1):
        wanted = "one model, or two," if template == "endpoint" else "two models are needed,"
        raise InputError(f"{wanted} the cheaper first, not {len(models)}: {', '.join(models) or 'none'}")
    if template == "table" and table is None:
        raise InputError("the template table needs the recorded samples\n  name them: --table samples.parquet")
    if base_urls:
        _refuse_others(template, models, base_urls, _ADDRESSES)
    if prices:
        _refuse_others(template, models, prices, _PRICES)
    train = _train(problems, folder, fields)
    file = f"{template}.yaml" if len(models) == 2 else f"{template}-one.yaml"
    text = files("isocost.drafting").joinpath("templates", file).read_text(encoding="utf-8")
    lengths, longest = _lengths(str(folder / _beside(table, folder)), models) if table else (None, None)
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    instruction = _INSTRUCTIONS[train.grader]
    form = f'{{form: "{{question}}\\n\\n{instruction}", chat: true}}'
    return environment.from_string(text).render(
        name=_quoted(re.sub(r"[^\w-]+", "-", name or Path(problems).stem) or "study"),
        train=train.source,
        splits=dict(zip(("validation", "test"), _SPLITS.get(problems, ()), strict=False)),
        models=[_quoted(model.strip()) for model in models],
        base_urls=[_address(url) for url in base_urls or _EXAMPLES] * 2,
        prices=[_price(price) for price in prices or _EXAMPLE_PRICES] * 2,
        priced=bool(prices),
        table=_quoted(_beside(table, folder)) if table else "",
        lengths=[f", tokens_per_sample: {length}" for length in lengths or ()],
        max_tokens=longest or 4096,
        prompt=f"{{template: {train.prompt}}}" if train.prompt else form,
        prompt_comment="" if train.prompt else "   # for models that follow instructions",
        instruction=instruction,
        grader=train.grader,
        grader_comment=train.comment,
    )


class _PerModel(NamedTuple):
    """A kind of values that the models of an endpoint have: one each, or one that all have."""

    what: str
    several: str
    pattern: str
    example: str
    option: Option


_ADDRESSES = _PerModel("address", "addresses", r"https?://[^\s/]\S*", _EXAMPLES[0], Option(name="base-url"))
_PRICES = _PerModel("price", "prices", r"(\d+(\.\d+)?)/(\d+(\.\d+)?)", f"{_EXAMPLE_PRICES[0]}, input/output", Option(name="price"))


def _refuse_others(template: str, models: Sequence[str], values: Sequence[str], kind: _PerModel) -> None:
    """Raise InputError if the models cannot have these addresses, or these prices."""
    if template != "endpoint":
        raise InputError(f"the template {template} has no endpoints", advice=("leave out ", kind.option))
    if len(values) not in {1, len(models)}:
        raise InputError(f"{len(values)} {kind.several} for {quantity(len(models), 'model')}", option=kind.option)
    if wrong := [value for value in values if not re.fullmatch(kind.pattern, value)]:
        raise InputError(f'"{wrong[0][:80]}" is no {kind.what}', advice=f"write it as {kind.example}", option=kind.option)


def models_of(table: str, folder: Path) -> tuple[str, ...]:
    """Return the models of a table of samples, that with the smallest share of correct samples first.

    Raises:
        InputError: it has fewer or more than two, so that a user has to choose.
        TableError: the table cannot be read.
    """
    path = str(folder / _beside(table, folder))
    shares = scan_table(path, ["model"]).group_by("model").agg(pl.col("correct").mean()).collect()
    found = tuple(shares.sort("correct", "model")["model"])
    if len(found) != 2:
        raise InputError(f"{path}: has samples of {', '.join(found)}; a study compares two\n  name them, the cheaper first: --models A,B")
    return found


def _lengths(path: str, models: Sequence[str]) -> tuple[list[int] | None, int | None]:
    """Return the mean tokens of each model's recorded samples and those of the longest; None where the table does not say them."""
    if not Path(path).exists():
        return None, None
    table = scan_table(path, ["num_generated_tokens"])
    if "num_generated_tokens" not in table.collect_schema():
        return None, None
    tokens = pl.col("num_generated_tokens")
    found = table.group_by("model").agg(tokens.mean().alias("mean"), tokens.max().alias("most")).collect()
    means, most = dict(found.select("model", "mean").iter_rows()), found["most"].max()
    known = [max(1, round(mean)) for model in models if (mean := means.get(model.strip())) is not None]
    return known if len(known) == len(models) else None, most if isinstance(most, int) else None


def _train(problems: str, folder: Path, fields: Mapping[str, str]) -> _Train:
    """Return the training problems of a file or of a source."""
    if source := SOURCES.get(problems):
        if fields:
            raise InputError(f"{problems}: has fields of its own", advice=f"leave out --{next(iter(fields)).replace('_', '-')}")
        options = f", {source.options}" if source.options else ""
        return _Train(f"{{source: {problems}{options}}}", source.grader, prompt=source.prompt)
    if not Path(problems).suffix and not any(path.exists() for path in (folder / problems, Path(problems))):
        hint = did_you_mean(problems, SOURCES) or f"name a JSONL file, or one of {', '.join(SOURCES)}"
        raise InputError(f'no file and no problem source "{problems}"\n  {hint}')
    path = _beside(problems, folder)
    named = "".join(f", {key}: {_quoted(value)}" for key, value in fields.items())
    return _Train(f"{{source: jsonl, path: {_quoted(path)}{named}}}", *_grader_for(path, folder, fields))


def _beside(path: str, folder: Path) -> str:
    """Return a path that was given from the working directory as a study file in `folder` names it."""
    return path if (folder / path).exists() or not Path(path).exists() else os.path.relpath(path, folder)


def _address(url: str) -> str:
    """Return an address as YAML reads it back."""
    return url if re.fullmatch(r"[\w:/.-]*\w", url) else json.dumps(url)


def _price(price: str) -> str:
    """Return a price that was given as `INPUT/OUTPUT`, as YAML."""
    prompt, _, generated = price.partition("/")
    return f"{{input: {prompt}, output: {generated}}}"


def _quoted(text: str) -> str:
    """Return a text as YAML reads it back: plain where nothing in it means something else, else in double quotes."""
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*", text) is not None and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def _grader_for(path: str, folder: Path, fields: Mapping[str, str]) -> tuple[str, str]:
    """Return the grader that suits the reference answers of a file, and a comment on it. Without a file it is that of numbers."""
    if not (folder / path).exists():
        return "number", "                                        # or math, choice, exact, code, judge"
    looked_at = list(islice(load_problems("jsonl", {"path": path, **fields}, base=folder), _LOOKED_AT))
    answers = [problem for problem in looked_at if problem.answer]
    if answers and all(re.fullmatch(r"\(?[A-J]\)?", problem.answer.strip()) for problem in answers):
        return "choice", ""
    others = [problem for problem in answers if not _is_number(problem)]
    if len(others) > _MOST_OTHERS * len(answers):
        return "math", ""
    # A few answers that are no numbers must not choose the grader of all the others.
    if not others:
        return "number", ""
    first = " ".join(others[0].id.split())[:40]
    return "number", f"   # {len(others)} of {len(answers)} answers are no numbers (first: {first}): such problems are left out"


def _is_number(problem: Problem) -> bool:
    """Return True if the grader `number` accepts the reference answer."""
    verdict = load_grader("number").grade(problem.answer, f"The final answer is \\boxed{{{problem.answer}}}.")
    return verdict.outcome == Outcome.CORRECT
