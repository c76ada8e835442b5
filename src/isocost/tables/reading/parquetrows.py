"""Records of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from isocost.errors import TableError
from isocost.tables.reading.base import Record
from isocost.tables.source import first_line

_BATCH = 256  # rows that are Python objects at once; a row of open-r1 has several solutions of 50 kB each


def parquet_records(path: Path) -> Iterator[Record]:
    """Yield a record per row.

    Raises:
        TableError: The file cannot be read as Parquet.
    """
    number = 0
    try:
        # pre_buffer would read the columns of all row groups into memory ahead of use.
        with path.open("rb") as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield Record(at=f"{path}: row {number}", fields=row)
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"{path}: cannot be read as Parquet: {first_line(error)}") from error
    if not number:
        raise TableError(f"{path}: is empty")
