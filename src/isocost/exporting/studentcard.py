"""The card of an exported student: base model, data, training, measures, terms, and how to make it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isocost.curating.card import table
from isocost.evaluating import STOPPED
from isocost.exporting.card import budget, correctness, decontamination, estimate, false_positives, made_by, sections, source, terms
from isocost.exporting.cells import CellData
from isocost.finetuning import Trained
from isocost.yamlfile import dump_yaml

_LENGTHS = ("response_tokens",)  # measures that are no shares
_SETTINGS = {
    "method": "method",
    "batch_size": "rows per step",
    "warmup": "share of the steps with a rising rate",
    "scheduler": "schedule of the rate",
    "max_length": "longest row in tokens",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """A trained student.

    Attributes:
        name: Its name in the study.
        cell: The cell on whose data it was trained.
        seed: The training seed.
        trained: The record of the training.
        settings: The settings of the training.
    """

    name: str
    cell: CellData
    seed: int
    trained: Trained
    settings: Mapping[str, Any]


def student_card(student: Student, command: str) -> str:
    """Return the card in Markdown, with the settings that the hub reads."""
    cell, trained, measures = student.cell, student.trained, _measures(student)
    parts = [
        _front_matter(student),
        f"# {cell.study.name}: {student.name} trained on {cell.name}",
        f"The model `{student.name}` of the study `{cell.study.name}`, trained on solutions that isocost {version('isocost')} bought, "
        f"graded and chose. {correctness(cell)}",
        "## Base model",
        "\n".join(_base(student)),
        "## Data",
        f"{trained.n_rows:,} rows of the cell `{cell.name}`, on problems from {source(cell)}.",
        "\n".join(budget(cell)),
        sections(cell.data_card).get("Models", ""),
        "## Training",
        "\n".join(_training(student)),
        "## Measures",
        table(("problems", "prompt", "measure", "untrained", "this student", "n"), measures) if measures else "Not evaluated.",
        "95% intervals. A student of several seeds is measured over all of them." if measures else "",
        "\n".join([*_endings(student), *_differences(student)]),
        "## False positives of the data",
        "\n".join(false_positives(cell)),
        "## Decontamination",
        decontamination(cell),
        "## Terms",
        "\n".join([_licence(student), *terms(cell)]),
        "## Make it again",
        made_by(command),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(student: Student) -> str:
    data: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["isocost", "synthetic"]}
    base, licence = _base_name(student), student.cell.study.models[student.name].license
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base):  # a name on the hub; a folder's name would lead nowhere
        data["base_model"] = base
    if licence:
        data["license"] = licence
    return f"---\n{dump_yaml(data).strip()}\n---"


def _base_name(student: Student) -> str:
    """Return the name of the base model; of a folder on this machine, the last part of its path."""
    named = str(student.cell.study.models[student.name].options.get("model", student.name))
    return Path(named).name if Path(named).is_absolute() or named.startswith((".", "~")) else named


def _base(student: Student) -> Iterator[str]:
    yield f"- model: `{_base_name(student)}`"
    identities = student.cell.read_json("manifest.json").get("models")
    if isinstance(identities, dict) and student.name in identities:
        yield f"- identity of its weights: `{identities[student.name]}`"


def _training(student: Student) -> Iterator[str]:
    trained, best = student.trained, student.trained.best
    n = len(trained.candidates)
    chosen = f"; of {n} checkpoints, the one with the best validation score" if n > 1 else ""
    yield f"- steps: {best.step:,} at learning rate {best.learning_rate:g}{chosen}"
    if best.score is not None:
        yield f"- validation score: {best.score:.4f}"
    yield f"- seed: {student.seed}"
    yield from (f"- {what}: {student.settings[key]}" for key, what in _SETTINGS.items() if key in student.settings)
    yield f"- in all: {trained.steps:,} steps, {trained.tokens:,} tokens, {trained.seconds:,.0f} s"
    for n, why in ((trained.n_too_long, "were too long"), (trained.n_with_end, "have an end token in their middle")):
        if n:
            yield f"- left out: {n:,} rows that {why}"


def _measures(student: Student) -> list[tuple[str, ...]]:
    """Return the rows of measures: of this student, and of the untrained one by the same measure, where it has the same prompt."""
    evaluated = [each for each in student.cell.read_json("measures.json").get("students", ()) if each["student"] == student.name]

    def of(cell: str | None) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        return {(each["split"], each["prompt"], each["metric"]): each["value"] for each in evaluated if each["cell"] == cell}

    own, untrained = of(student.cell.name), of(None)
    return [(*key, _value(key[2], untrained.get(key)), _value(key[2], value), f"{value['n']:,}") for key, value in own.items()]


def _value(metric: str, found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else estimate(found, percent=metric not in _LENGTHS)


def _endings(student: Student) -> Iterator[str]:
    """Yield the share of greedy answers that ended by themselves, by split: the others were cut off, and most of these count as wrong."""
    for split, prompt, metric, _, value, n in _measures(student):
        if metric == STOPPED:
            named = f"{split} ({prompt} prompt)"
            yield f"- ended by themselves or at a stop string, not at `max_tokens`: {value} of the greedy answers on {named}, n {n}"


def _differences(student: Student) -> Iterator[str]:
    """Yield the paired differences from the untrained student, in points."""
    for each in student.cell.read_json("measures.json").get("comparisons", ()):
        if each["student"] == student.name and each["left"] == student.cell.name and each["right"] is None:
            found = each["difference"]
            if None not in (found["value"], found["low"], found["high"]):
                points = f"{found['value']:+.1f} points [{found['low']:+.1f}, {found['high']:+.1f}]".replace("-", "−")
                against = (
                    f"the untrained student with the prompt {each['right_prompt']}" if each["right_prompt"] else "the untrained student"
                )
                yield f"- {each['metric']} on {each['split']} against {against}: {points}, n {found['n']:,}"


def _licence(student: Student) -> str:
    spec = student.cell.study.models[student.name]
    named = "; ".join(each for each in (spec.license and f"licence {spec.license}", spec.terms) if each)
    return f"- base model `{student.name}`: {named or 'its licence, which the study does not name, holds for this model too'}"
