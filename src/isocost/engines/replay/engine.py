"""The engine: samples of a table, found by problem and index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocost.engines.base import Generation, Request
from isocost.engines.batching import Batched, Batching
from isocost.engines.options import Options, read_options
from isocost.engines.replay.recorded import MissingError
from isocost.engines.replay.table import read
from isocost.errors import EngineError
from isocost.machine import release_freed
from isocost.paths import from_home
from isocost.records import SamplingParams

_BATCH = 1024  # generations; a batch only bounds what is committed at once


class ReplayOptions(Options):
    """Samples recorded in a table.

    Attributes:
        table: A table of samples (Parquet or JSONL), a folder or a glob pattern of such files, relative to the study file's folder.
        model: Name of the model in the table's column `model`.
        pool: Name of the pool, if the table holds several of this model.
    """

    table: Path
    model: str
    pool: str | None = None


def open_engine(options: Mapping[str, object], base: Path) -> ReplayEngine:
    """Open the engine of a study's model section; reads the table.

    Raises:
        StudyError: the options cannot be used.
        ModelError: the table cannot be read, or does not contain the model.
    """
    given = read_options(ReplayOptions, options)
    return ReplayEngine(from_home(base, str(given.table)), given.model, given.pool)


class ReplayEngine(Batched):
    """The samples of one model in a table, found by problem and index. Of the sampling parameters only `max_tokens` is compared, as it
    bounds what a request may cost; prompts are not.

    Samples that do not say so finished by `stop`; where `num_prompt_tokens` is not in the table or is null it is 0.

    Raises:
        ModelError: the table cannot be read, lacks a column, does not hold the model, or holds a row that cannot be used.
    """

    remote = False
    concurrency = 1
    shares_prompts = False

    def __init__(self, table: Path, model: str, pool: str | None = None) -> None:
        self._table, self._model = table, model
        self.batching = Batching(size=_BATCH)
        self._recorded = read(table, model, pool)
        self.identity = f"replay:{self._recorded.digest(model)}"
        self._most_tokens = int(self._recorded.tokens.max())
        release_freed()  # reading the table takes several times the memory of what is kept

    def size(self) -> None:
        """Return None: a table does not give the size."""

    def available(self) -> dict[str, int]:
        """Return the number of samples that can be asked for, from the first on, by problem id. A problem without an entry has none."""
        return self._recorded.available()

    def render(self, request: Request) -> str:
        """Return the prompt as it is."""
        return request.prompt

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Look the samples up. `seed` and the parameters other than `max_tokens` are those of the recording.

        Raises:
            EngineError: the table lacks a sample, or one has more than `max_tokens` tokens.
        """
        try:
            rows = self._recorded.rows([(request.problem_id, request.first_index, request.count) for request in batch])
        except MissingError as missing:
            raise EngineError(
                f"{self._table}: model {self._model!r} has no sample {missing.index} of problem {missing.problem_id!r}\n"
                "  ask for fewer samples per problem, or record more: replay generates none"
            ) from None
        if self._most_tokens > params.max_tokens:
            self._refuse_long(rows, params.max_tokens)
        generations = self._generations(rows)
        return [list(islice(generations, request.count)) for request in batch]

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _generations(self, rows: npt.NDArray[np.int64]) -> Iterator[Generation]:
        recorded = self._recorded
        columns = (recorded.prompt_tokens[rows].tolist(), recorded.tokens[rows].tolist(), recorded.reasons(rows))
        for text, prompt_tokens, tokens, reason in zip(recorded.texts.read(rows), *columns, strict=True):
            yield Generation(text=text, num_prompt_tokens=prompt_tokens, num_generated_tokens=tokens, finish_reason=reason)

    def _refuse_long(self, rows: npt.NDArray[np.int64], most: int) -> None:
        """Refuse samples above `max_tokens`, which would cost more than the worst case that was reserved for them."""
        long = rows[self._recorded.tokens[rows] > most]
        if len(long):
            problem, index = self._recorded.name(int(long[0]))
            raise EngineError(
                f"{self._table}: sample {index} of problem {problem!r} has {self._recorded.tokens[long[0]]} tokens, "
                f"above max_tokens {most}\n"
                f"  raise sampling.max_tokens to at least {self._most_tokens}, the most of model {self._model!r} in the table"
            )
