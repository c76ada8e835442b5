"""The run directory. This package alone opens its files.

There are two kinds of file. Logs: whole entries are appended as JSON lines and flushed to the disk. Finished files: they are written
under a temporary name and renamed. Opening a log drops a last line that a kill left incomplete.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from isocost.store.directory import PILOT, SAMPLES_DIGEST, RunDirectory
from isocost.store.files import atomic_write, digest_of_file, disk_full, write_parquet
from isocost.store.logs import Log, Row

if TYPE_CHECKING:
    from isocost.store.batches import BatchLog

__all__ = [
    "PILOT",
    "SAMPLES_DIGEST",
    "BatchLog",
    "Log",
    "Row",
    "RunDirectory",
    "atomic_write",
    "digest_of_file",
    "disk_full",
    "write_parquet",
]


def __getattr__(name: str) -> object:
    # Importing polars takes a quarter of a second. Only batches need it.
    if name == "BatchLog":
        return import_module("isocost.store.batches").BatchLog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
