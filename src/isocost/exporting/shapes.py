"""The forms of a data set, by name: those of TRL, of open-r1, and a table of samples.

Three forms are of the training set: correct solutions, chosen as the study says. The others have every draw of the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from isocost.curating import to_rows
from isocost.errors import InputError, Option
from isocost.exporting.cells import CellData
from isocost.results.trainsets import RowForm
from isocost.tables.coding import collected
from isocost.tables.columns import COLUMNS

_ORIGIN: dict[str, pl.DataType] = {"problem_id": pl.String(), "model": pl.String(), "sample_id": pl.String()}
# Of models whose endpoint returns reasoning beside the solution.
_REASONING: dict[str, pl.DataType] = {"reasoning": pl.String(), "num_reasoning_tokens": pl.Int64()}
_MESSAGE = pl.Struct({"role": pl.String(), "content": pl.String()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A form of a data set.

    Attributes:
        schema: Its columns.
        rows: Yields its rows in parts.
        about: What a row is, for the card.
        is_training_set: True if it has the training set, False if it has every draw.
        carries: Columns that it has too if the run has them.
    """

    schema: pl.Schema
    rows: Callable[[CellData], Iterator[pl.DataFrame]]
    about: str
    is_training_set: bool
    carries: tuple[str, ...] = ()

    def columns(self, cell: CellData) -> pl.Schema:
        """Return the columns of a cell's data set."""
        source = cell.training_columns if self.is_training_set else cell.draw_columns
        return pl.Schema({**self.schema, **{name: _REASONING[name] for name in self.carries if name in source}})


def _messages(cell: CellData) -> Iterator[pl.DataFrame]:
    if "messages" in cell.training_columns:  # the study trains on conversations
        yield from cell.training_parts()
        return
    asked = cell.problems.select("problem_id", "question")
    user = pl.struct(role=pl.lit("user"), content=pl.col("question"))
    # The prompt of a completion ends with a line break or a label, after which the reply may begin with a space.
    assistant = pl.struct(role=pl.lit("assistant"), content=pl.col("completion").str.strip_chars())
    for part in cell.training_parts():
        joined = part.join(asked, on="problem_id", how="left", maintain_order="left")
        yield joined.with_columns(messages=pl.concat_list(user, assistant))


def _pairs(cell: CellData) -> Iterator[pl.DataFrame]:
    """Yield the training set as prompts and completions; of a conversation, the user's message and the reply."""
    for part in cell.training_parts():
        if "messages" not in part.columns:
            yield part
            continue
        said = [pl.col("messages").list.get(at).struct.field("content") for at in (-2, -1)]
        yield part.with_columns(prompt=said[0], completion=said[1])


def _texts(cell: CellData) -> Iterator[pl.DataFrame]:
    if "messages" in cell.training_columns:
        raise InputError(
            f"{cell.name}: is a set of conversations, which have no text without a chat template",
            advice=("use ", Option(name="format", value="messages", argument_value='"messages"')),
        )
    for part in cell.training_parts():
        yield part.with_columns(text=pl.col("prompt") + pl.col("completion"))


def _labelled(cell: CellData) -> Iterator[pl.DataFrame]:
    form = RowForm.of(cell.study, cell.reader)
    questions = dict(cell.problems.select("problem_id", "question").iter_rows())
    for part in cell.draw_parts():
        graded = part.filter(pl.col("correct").is_not_null() & (pl.col("finish_reason") != "error"))
        # The rows of a training set, of incorrect draws too; a conversation has the same two texts in it.
        named = graded.select("problem_id", "model", sample_id=pl.lit(None, dtype=pl.String))
        reasoning = graded["reasoning"] if "reasoning" in graded.columns else None
        rows = to_rows(named, graded["generation"], questions, form.template.plain, reasoning=reasoning, form=form.reasoning)
        yield rows.with_columns(label=graded["correct"])


def _samples(cell: CellData) -> Iterator[pl.DataFrame]:
    for part in cell.draw_parts():
        yield part.select([name for name in (*COLUMNS, *_REASONING) if name in part.columns])


def _by_problem(cell: CellData) -> Iterator[pl.DataFrame]:
    # Draws of a problem lie apart in the file, so this form holds the texts of the cell in memory.
    draws = collected(cell.draws())
    lists = draws.group_by("problem_id", maintain_order=True).agg(
        generations=pl.col("generation").fill_null(""),
        correctness=pl.col("correct"),
        is_reasoning_complete=pl.col("finish_reason") == "stop",
        finish_reasons=pl.col("finish_reason"),
        predicted_answers=pl.col("predicted_answer"),
        num_generated_tokens=pl.col("num_generated_tokens"),
        model=pl.col("model"),
        correctness_count=pl.col("correct").sum().cast(pl.Int64),
    )
    problems = cell.problems.rename({"question": "problem"})
    yield lists.join(problems, on="problem_id", how="left", maintain_order="left")


_BY_PROBLEM: dict[str, pl.DataType] = {
    "problem_id": pl.String(),
    "problem": pl.String(),
    "answer": pl.String(),
    "generations": pl.List(pl.String()),
    "correctness": pl.List(pl.Boolean()),
    "is_reasoning_complete": pl.List(pl.Boolean()),
    "finish_reasons": pl.List(pl.String()),
    "predicted_answers": pl.List(pl.String()),
    "num_generated_tokens": pl.List(pl.Int64()),
    "model": pl.List(pl.String()),
    "correctness_count": pl.Int64(),
}

SHAPES: dict[str, Shape] = {
    "messages": Shape(
        schema=pl.Schema({"messages": pl.List(_MESSAGE), **_ORIGIN}),
        rows=_messages,
        about="`messages`, a conversation as TRL reads it: the question as it was asked in a chat, or alone, and a solution.",
        is_training_set=True,
        carries=("reasoning",),
    ),
    "prompt-completion": Shape(
        schema=pl.Schema({"prompt": pl.String(), "completion": pl.String(), **_ORIGIN}),
        rows=_pairs,
        about="`prompt` and `completion`, as TRL reads them.",
        is_training_set=True,
        carries=("reasoning",),
    ),
    "text": Shape(
        schema=pl.Schema({"text": pl.String(), **_ORIGIN}),
        rows=_texts,
        about="`text`: prompt and solution in one, as TRL reads it for language modelling.",
        is_training_set=True,
    ),
    "kto": Shape(
        schema=pl.Schema(
            {"prompt": pl.String(), "completion": pl.String(), "label": pl.Boolean(), "problem_id": pl.String(), "model": pl.String()}
        ),
        rows=_labelled,
        about="`prompt`, `completion` and `label`, as TRL's KTO reads them: every graded draw, and whether it is correct.",
        is_training_set=False,
    ),
    "open-r1": Shape(
        schema=pl.Schema(_BY_PROBLEM),
        rows=_by_problem,
        about="one problem with lists over its draws, in the columns of open-r1: `generations`, `correctness`, `finish_reasons`.",
        is_training_set=False,
    ),
    "parquet": Shape(
        schema=pl.Schema(COLUMNS),
        rows=_samples,
        about="a draw, in the columns of isocost's tables of samples; `isocost measure` reads it.",
        is_training_set=False,
        carries=("reasoning", "num_reasoning_tokens"),
    ),
}
