"""Find the students and the training of a study that cannot work, before anything is paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.config import Study
from isocost.engines import ENGINES
from isocost.errors import IsocostError
from isocost.finetuning import check_packages
from isocost.finetuning.distributed import config_flaw
from isocost.paths import from_home


def training_mistakes(study: Study, base: Path) -> Iterator[str]:
    """Yield the students that cannot be trained, and what is wrong with the configuration of accelerate.

    Args:
        study: The study.
        base: The folder that its relative paths are resolved against.
    """
    config = study.executor.config
    if config is not None and not from_home(base, config).is_file():
        yield f"executor.config: {config}: no such file\n  write it with: accelerate config --config_file {config}"
    elif config is not None and study.finetune and (flaw := config_flaw(from_home(base, config))):
        yield f"executor.config: {config}: {flaw}"
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


def missing_packages(study: Study) -> Iterator[str]:
    """Yield the first package of the training that is not installed. Nodes of a Ray cluster have packages of their own."""
    if study.finetune and study.executor.name != "ray":
        try:
            check_packages(study.finetune.method, study.finetune.report_to)
        except IsocostError as error:
            yield str(error)
