"""Build the training sets of a run's cells from the table of draws; texts are read while a set is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost import curating
from isocost.arrays import Bools, Ints
from isocost.config import Study
from isocost.curating import Curated, Rules
from isocost.equations import audit_steps
from isocost.metrics.diversity import Level, distinct_key
from isocost.preparing.prepare import trained_params
from isocost.prompts import make_template
from isocost.prompts.base import Template
from isocost.records import Cell
from isocost.results.drawtable import DrawTable

_UNKNOWN = -1  # of the soundness of a solution without a readable equation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The properties of texts that the rules of all cells need.

    Attributes:
        distinct: What makes two solutions of a problem the same; None keeps duplicates.
        correct_only: False if some cell keeps incorrect solutions too.
        ways: True if some cell has a limit per problem.
        steps: True if some cell leaves out solutions that are unsound by their steps.
        reasoning: As `form` of `curating.completion`: solutions are compared and audited by the text that is trained on.
    """

    distinct: Level | None
    correct_only: bool = True
    ways: bool = False
    steps: bool = False
    reasoning: str | None = None


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Every draw that may go into a training set.

    Attributes:
        table: The draws.
        found: The candidates, in the form that `curating.curate` takes.
    """

    table: DrawTable
    found: pl.DataFrame

    @classmethod
    def of(
        cls,
        table: DrawTable,
        asked: Asked,
        seed: int,
        sound: Mapping[str, bool | None] | None = None,
        labelled: Mapping[str, bool] | None = None,
    ) -> Candidates:
        """Read the text of every candidate once, whatever the number of cells.

        Args:
            table: The draws.
            asked: What the rules of the cells need to know of the texts.
            seed: Seed of the random choice.
            sound: The judge's verdicts by sample id; with it, candidates have the column `sound_by_judge`.
            labelled: People's verdicts by sample id; with it, candidates have the column `labelled`.
        """
        fit = curating.candidates(table.draws.select("finish_reason", "outcome"), correct_only=asked.correct_only)
        ids = list(table.sample_ids(fit))
        ranks = curating.seeded_ranks(seed, ids).astype(np.uint32)
        found = table.draws.select("model", "problem_id", "sample_index").filter(pl.Series(fit))
        found = found.with_columns(place=pl.Series(np.flatnonzero(fit).astype(np.uint32)), rank=pl.Series(ranks))
        found = found.with_columns(pl.Series(name, values) for name, values in _read(table, fit, found, asked).items())
        if asked.steps:
            steps = pl.col("sound_by_steps")
            found = found.with_columns(sound_by_steps=pl.when(steps != _UNKNOWN).then(steps == 1))
        if sound is not None:
            found = found.with_columns(pl.Series("sound_by_judge", [sound.get(each) for each in ids], dtype=pl.Boolean))
        if labelled is not None:
            found = found.with_columns(pl.Series("labelled", [labelled.get(each) for each in ids], dtype=pl.Boolean))
        return cls(table=table, found=found)

    def solutions(self) -> Ints:
        """Return the number of each draw's solution, int[draws]: equal for equal solutions, and -1 for draws that are no candidates."""
        numbers = np.full(self.table.draws.height, -1, dtype=np.int64)
        # For an unfiltered cell there are incorrect draws among the candidates, and these are no solutions.
        found = self.found.filter(pl.Series(self.table.correct[self.found["place"].to_numpy()]))
        same = np.arange(found.height)
        # Without hashes every solution counts by itself.
        if "a" in found.columns:
            same = np.unique(found.select("a", "b").to_numpy(), axis=0, return_inverse=True)[1].ravel()
        numbers[found["place"].to_numpy()] = same
        return numbers

    def curate(self, cell: Cell, rules: Rules, audits: Sequence[str] = ("steps",)) -> Curated:
        """Choose the training set of a cell; each of `audits` may find a solution unsound where the rules ask for sound ones."""
        drawn = self.table.cells[cell]
        draws = self.table.draws.select("finish_reason", "outcome").filter(pl.Series(drawn))
        own = self.found.filter(pl.Series(drawn[self.found["place"].to_numpy()]))
        if rules.correct_only:
            own = own.filter(pl.Series(self.table.correct[own["place"].to_numpy()]))
        if rules.sound_only:
            own = own.with_columns(sound=pl.min_horizontal(f"sound_by_{each}" for each in audits))
        return curating.curate(draws, own, rules)


def _read(table: DrawTable, fit: Bools, found: pl.DataFrame, asked: Asked) -> dict[str, NDArray[Any]]:
    """Return columns of the candidates that need their texts: `a`, `b`, `way` and `sound_by_steps`, as far as asked for."""
    columns: dict[str, NDArray[Any]] = {}
    if asked.distinct is not None:
        columns |= {"a": np.zeros(found.height, dtype=np.uint64), "b": np.zeros(found.height, dtype=np.uint64)}
    if asked.ways:
        columns["way"] = np.zeros(found.height, dtype=np.uint64)
    if asked.steps:
        columns["sound_by_steps"] = np.full(found.height, _UNKNOWN, dtype=np.int8)
    if not columns:
        return columns
    problems, problem, own_places = table.problem_ids, table.problem, found["place"].to_numpy()
    # Texts are hashed as they are read: all of them would not fit into memory.
    for places, texts in _completions(table, fit, asked.reasoning):
        own = [problems[code] for code in problem[places]]
        at = np.searchsorted(own_places, places)
        if asked.distinct is not None:
            columns["a"][at], columns["b"][at] = curating.solutions(own, texts, asked.distinct, distinct_key).T
        if asked.ways:
            columns["way"][at] = curating.ways(own, texts, distinct_key)
        if asked.steps:
            columns["sound_by_steps"][at] = [_UNKNOWN if (sound := audit_steps(text)[0]) is None else sound for text in texts]
    return columns


def _completions(table: DrawTable, fit: Bools, form: str | None) -> Iterator[tuple[Ints, Iterable[str]]]:
    """Yield the texts that are trained on, as `DrawTable.texts` does; `form` is that of `curating.completion`."""
    if form is None or not table.has_reasoning:
        yield from table.texts(fit)
        return
    for (places, texts), (_, reasoning) in zip(table.texts(fit), table.texts(fit, "reasoning"), strict=True):
        yield places, [curating.completion(text, own, form) for text, own in zip(texts, reasoning, strict=True)]


_ROWS = 5_000  # of a training set in memory at once, several times while they are written; each has its problem's prompt
FOLDER = "trainsets"
FILE, CARD = "train.parquet", "README.md"  # the names by which the datasets library finds the rows and their card


def find(run: Path, cell: str) -> tuple[Path, Path]:
    """Return the files of a cell's training set in a run directory, rows and card, also as earlier versions named them."""
    folder = run / FOLDER
    if not (folder / cell).exists() and (folder / f"{cell}.parquet").exists():
        return folder / f"{cell}.parquet", folder / f"{cell}.md"
    return folder / cell / FILE, folder / cell / CARD


@dataclass(frozen=True, slots=True, kw_only=True)
class RowForm:
    """The form in which a student sees a training set.

    Attributes:
        template: The student's prompt template; its plain form is asked.
        chat: True for conversations, False for a prompt and its completion.
        reasoning: As `form` of `curating.completion`.
    """

    template: Template
    chat: bool = False
    reasoning: str | None = None

    @classmethod
    def of(cls, study: Study, student: str) -> RowForm:
        """Return the form in which a model of a study sees training sets.

        Raises:
            StudyError: the model's template cannot be made.
        """
        template, chat = make_template(study.prompt_of(student)), study.trains_chat(student)
        stop = trained_params(study, student, template).stop
        return cls(template=template, chat=chat, reasoning=study.trained_reasoning(student, stop))


def rows(table: DrawTable, curated: Curated, questions: Mapping[str, str], form: RowForm) -> Iterator[pl.DataFrame]:
    """Yield a training set in parts of at most `_ROWS` rows, with the columns that TRL documents.

    Plain rows are those of `curating.to_rows`. Conversations have `messages` in the place of `prompt` and `completion`.

    Args:
        table: The draws, whose file has the texts.
        curated: The training set.
        questions: By problem id.
        form: The form of the rows.
    """
    # Of an empty set this is one empty part, whose columns let a reader open the file.
    for kept in np.split(curated.kept, range(_ROWS, curated.kept.size, _ROWS)):
        ids = pl.Series(list(table.sample_ids(kept)), dtype=pl.String)
        part = table.draws.select("problem_id", "model")[kept].with_columns(sample_id=ids)
        reasoning = table.texts_of(kept, "reasoning") if table.has_reasoning else None
        texts = table.texts_of(kept)
        plain = curating.to_rows(part, texts, questions, form.template.plain, reasoning=reasoning, form=form.reasoning)
        yield _conversations(plain, form.template.system) if form.chat else plain


def _conversations(plain: pl.DataFrame, system: str | None) -> pl.DataFrame:
    """Return plain rows as conversations of a question and its solution."""
    said = {"user": pl.col("prompt"), "assistant": pl.col("completion")}
    turns = [pl.struct(role=pl.lit(role), content=content) for role, content in said.items()]
    before = [] if system is None else [pl.struct(role=pl.lit("system"), content=pl.lit(system))]
    joined = plain.with_columns(messages=pl.concat_list(*before, *turns))
    order = ["messages" if name == "prompt" else name for name in plain.columns if name != "completion"]
    return joined.select(order)
