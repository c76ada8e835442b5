"""Find the students and the training of a study that cannot work, before anything is paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from isocost.config import Study
from isocost.engines import ENGINES
from isocost.engines.base import Request
from isocost.errors import IsocostError
from isocost.executors.jobs import EngineSpec
from isocost.finetuning import check_packages
from isocost.finetuning.accelerateconfig import config_flaw
from isocost.paths import from_home
from isocost.prompts.base import Template
from isocost.records import SamplingParams

Attempt = Callable[[EngineSpec, Request, SamplingParams], None]


def training_mistakes(study: Study, base: Path) -> Iterator[str]:
    """Yield the students that cannot be trained, and a configuration of accelerate that is missing.

    Args:
        study: The study.
        base: The folder that its relative paths are resolved against.
    """
    config = study.executor.config
    if config is not None and not from_home(base, config).is_file():
        yield f"executor.config: {config}: no such file\n  write it with: accelerate config --config_file {config}"
    students = study.finetune.students if study.finetune else ()
    trainable = [name for name, entry in ENGINES.items() if entry.trainable]
    for name in students:
        if study.models[name].engine not in trainable:
            engine = study.models[name].engine
            yield (f"finetune.students: model {name} has engine {engine}; a student needs trainable weights ({', '.join(trainable)})")
        elif fixed := [key for key in ("revision", "gguf_file") if key in study.models[name].options]:
            yield (
                f"finetune.students: model {name} is given with {fixed[0]}, which cannot be trained\n"
                "  save it to a folder with save_pretrained and name that folder"
            )


def launch_mistakes(study: Study, base: Path) -> Iterator[str]:
    """Yield what is wrong with the configuration of accelerate. A run that has trained its students may go on with any."""
    config = study.executor.config
    if config is not None and study.finetune and from_home(base, config).is_file() and (flaw := config_flaw(from_home(base, config))):
        yield f"executor.config: {config}: {flaw}"


def unusable_students(
    study: Study, specs: Mapping[str, EngineSpec], templates: Mapping[str, Template], params: Mapping[str, SamplingParams], attempt: Attempt
) -> Iterator[str]:
    """Yield the students that cannot be loaded, or not be asked in the form in which they are trained.

    Each writes one token. Nodes of a Ray cluster have models and memory of their own, so nothing is loaded here for them.

    Args:
        study: The study.
        specs: Engine and options of each model.
        templates: Prompt template of each model.
        params: Sampling parameters of each student in the form in which it is trained.
        attempt: Loads a student and asks it a request.
    """
    students = study.finetune.students if study.finetune and study.executor.name != "ray" else ()
    for name in students:
        chat, template = study.trains_chat(name), templates[name]
        system = template.system if chat else None
        request = Request(problem_id="", prompt=template.plain("?"), first_index=0, count=1, chat=chat, system=system)
        try:
            attempt(specs[name], request, replace(params[name], max_tokens=1))
        except IsocostError as error:
            yield "\n  ".join(line.strip() for line in f"finetune.students: {name} cannot be used: {error}".split("\n"))
        except BrokenProcessPool:  # the others were to be loaded by the same process
            yield f"finetune.students: {name} cannot be loaded: the process died, probably out of memory\n  use a smaller model, or dtype"
            return


def missing_packages(study: Study) -> Iterator[str]:
    """Yield the first package of the training that is not installed. Nodes of a Ray cluster have packages of their own."""
    if study.finetune and study.executor.name != "ray":
        try:
            check_packages(study.finetune.method, study.finetune.report_to)
        except IsocostError as error:
            yield str(error)
