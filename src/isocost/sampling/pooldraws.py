"""The stored draws of a pool, without their texts. They are read part by part: row by row, a million take half a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.arrays import Bools, Ints
from isocost.dispatch.draws import Columns, Draw, DrawKey, ProblemDraws
from isocost.executors.storing import SampleIds
from isocost.records import FinishReason, Unit, Verdict

Codes = NDArray[np.int32]  # places of problems in the study
_NO_PROBLEM = -1
_NO_HASH = -1
_NONE = ProblemDraws()


class StoredTwiceError(Exception):
    """A draw is stored twice. The arguments are its problem, its index, and the second batch."""


class PoolDraws:
    """The draws of one pool by problem.

    Args:
        problem_ids: The problems of the study.
        ids_of: Returns the sample ids of a problem's draws.

    Attributes:
        by_problem: Draws by problem id, problems in the order in which their draws were stored.
        stale: By problem id, stored draws of problems that have left the study or have another question now.
    """

    def __init__(self, problem_ids: Sequence[str], ids_of: Callable[[str], SampleIds]) -> None:
        self._problem_ids, self._problems, self._ids_of = problem_ids, pl.Enum(problem_ids), ids_of
        self.by_problem: dict[str, ProblemDraws] = {}
        self.stale: Counter[str] = Counter()

    def of(self, problem_id: str) -> ProblemDraws:
        """Return the draws of a problem, to read only."""
        return self.by_problem.get(problem_id, _NONE)

    def all(self, first: Callable[[str], int] | None = None) -> Iterator[tuple[DrawKey, Draw]]:
        """Yield every draw with its key; with `first`, those below the index that it returns for a problem."""
        for problem_id, draws in self.by_problem.items():
            for index, draw in draws if first is None else draws.first(first(problem_id)):
                yield (problem_id, index), draw

    def ended(self, reason: FinishReason) -> Iterator[tuple[DrawKey, Draw]]:
        """Yield the draws that ended for a reason, with their keys."""
        for problem_id, draws in self.by_problem.items():
            for index, draw in draws.ended(reason):
                yield (problem_id, index), draw

    def count(self) -> int:
        """Return the number of draws."""
        return sum(draws.count() for draws in self.by_problem.values())

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts."""
        return chain.from_iterable(draws.verdicts() for draws in self.by_problem.values())

    def verdicts_at(self, part: pl.DataFrame) -> list[Verdict | None]:
        """Return the verdicts on stored draws, given as a frame with `problem_id` and `sample_index`."""
        found: list[Verdict | None] = [None] * part.height
        index = _index_of(part)
        for code, rows in _rows_by_problem(self._codes(part)):
            verdicts = self.by_problem[self._problem_ids[code]].verdicts_at(index[rows].tolist())
            for row, verdict in zip(rows.tolist(), verdicts, strict=True):
                found[row] = verdict
        return found

    def knows_costs(self, unit: Unit) -> bool:
        """Return True if the cost of every draw is known in a unit."""
        return all(draws.knows(unit) for draws in self.by_problem.values())

    def read(self, parts: Iterator[pl.DataFrame]) -> DrawPlaces:
        """Add the draws of parts with the `STORED_COLUMNS` columns; return their places by sample id.

        Raises:
            StoredTwiceError: a draw is stored twice.
        """
        places = DrawPlaces()
        for part in parts:
            codes = self._codes(part)
            own = self._read_part(part, codes)
            places.add(part["id"].gather(own), codes[own], _index_of(part)[own], _hashes_of(part)[own])
        return places

    def _codes(self, part: pl.DataFrame) -> Codes:
        """Return the place of each row's problem in the study; -1 for problems that it does not have."""
        return part["problem_id"].cast(self._problems, strict=False).to_physical().cast(pl.Int32).fill_null(_NO_PROBLEM).to_numpy()

    def _read_part(self, part: pl.DataFrame, codes: Codes) -> Ints:
        """Add the draws of a part that are the study's own, and count the others as stale; return the rows of the former."""
        ids, index, columns = part["id"].to_list(), _index_of(part), Columns.of(part)
        is_own = np.zeros(part.height, dtype=np.bool_)
        found: list[tuple[str, list[int]]] = []
        for code, rows in _rows_by_problem(codes):
            expected = self._ids_of(self._problem_ids[code])
            own = [row for row, each in zip(rows.tolist(), index[rows].tolist(), strict=True) if ids[row] == expected.at(each)]
            if own:
                found.append((self._problem_ids[code], own))
        for problem_id, own in sorted(found, key=lambda each: each[1][0]):
            draws = self.by_problem.setdefault(problem_id, ProblemDraws())
            if (repeated := draws.put_all(index[own], columns, np.array(own))) is not None:
                row = own[repeated]
                raise StoredTwiceError(problem_id, int(index[row]), part["batch"][row])
            is_own[own] = True
        self.stale.update(part["problem_id"].filter(pl.Series(~is_own)).to_list())
        return np.flatnonzero(is_own)

    def judge(self, places: DrawPlaces, judged: pl.DataFrame, verdicts: Sequence[Verdict], answers: pl.Series) -> None:
        """Add verdicts, given with their sample ids and the reference answers and texts that they rest on.

        Args:
            places: The places of the draws.
            judged: A row per verdict: `sample_id`, where unknown ones are left out; `reference`, where verdicts on others than the present
                answers are left out; if known, `text_hash`, where verdicts on other texts than the stored ones are left out.
            verdicts: The verdicts.
            answers: The present reference answers of the study's problems.
        """
        rows, codes, index, hashes = places.find(judged["sample_id"])
        holds = (judged["reference"].gather(rows) == answers.gather(codes)).to_numpy()
        of_text = _hashes_of(judged)[rows]
        # Draws that have a hash were bought by a version whose verdicts have one too: a verdict without one is on an earlier text.
        holds = holds & ((of_text == hashes) | (hashes == _NO_HASH))
        rows, codes, index = rows[holds], codes[holds], index[holds]
        for code, own in _rows_by_problem(codes):
            self.by_problem[self._problem_ids[code]].judge_all(index[own].tolist(), [verdicts[row] for row in rows[own].tolist()])


class DrawPlaces:
    """Problem, index and hash of the text of draws by sample id, in 28 bytes per draw."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.uint64], Codes, Ints, Ints]] = []
        self._ids = np.zeros(0, dtype=np.uint64)
        self._codes, self._index = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
        self._hashes = np.zeros(0, dtype=np.int64)

    def add(self, ids: pl.Series, codes: Codes, index: Ints, hashes: Ints) -> None:
        """Add draws, before any is looked up: sample ids, and codes of problems, indices and hashes of texts as arrays [draws]."""
        self._parts.append((_numbers(ids).to_numpy(), codes, index, hashes))

    def find(self, ids: pl.Series) -> tuple[Ints, Codes, Ints, Ints]:
        """Return the rows of the sample ids that are known, the codes of their problems, their indices, and the hashes of their texts."""
        self._sort()
        wanted = _numbers(ids)
        rows, numbers = np.flatnonzero(wanted.is_not_null()), wanted.drop_nulls().to_numpy()
        at = np.searchsorted(self._ids, numbers)
        known: Bools = at < self._ids.size
        known[known] = self._ids[at[known]] == numbers[known]
        return rows[known], self._codes[at[known]], self._index[at[known]], self._hashes[at[known]]

    def _sort(self) -> None:
        if not self._parts:
            return
        ids, codes, index, hashes = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        self._parts.clear()
        order = np.argsort(ids)
        self._ids, self._codes, self._index, self._hashes = ids[order], codes[order], index[order], hashes[order]


def _rows_by_problem(codes: Codes) -> Iterator[tuple[int, Ints]]:
    """Yield the code of each problem of the study and its rows, ascending."""
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order], prepend=_NO_PROBLEM)))[1:]:
        yield int(codes[rows[0]]), rows


def _index_of(part: pl.DataFrame) -> Ints:
    return part["sample_index"].cast(pl.Int64).to_numpy()


def _hashes_of(part: pl.DataFrame) -> Ints:
    """Return the hash of each row's text; -1 in rows of earlier versions, which have none."""
    if "text_hash" not in part.columns:
        return np.full(part.height, _NO_HASH, dtype=np.int64)
    return part["text_hash"].cast(pl.Int64).fill_null(_NO_HASH).to_numpy()


def _numbers(ids: pl.Series) -> pl.Series:
    """Return sample ids, which are 16 hexadecimal digits, as numbers; null for other texts."""
    return ids.str.to_integer(base=16, dtype=pl.UInt64, strict=False)
